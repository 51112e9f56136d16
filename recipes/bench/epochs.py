"""What each rule on which epoch is kept is worth on test rows: `scripts/bench epochs`."""

import contextlib
import io
import json
import shutil
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from recipes.bench.few_rows import SOURCES, mapped, small_files
from recipes.bench.table import write
from recipes.command.composing import compose
from recipes.inference.predicting import Predictor
from recipes.machine.devices import place
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score
from recipes.system.console import say
from recipes.system.files import write_json
from recipes.system.quiet_libraries import quiet_libraries
from recipes.system.signals import Interruption
from recipes.training.assembly import assemble, prepare
from recipes.training.clock import Laps
from recipes.training.fitting import finish
from recipes.training.keeping import FEWEST_VALIDATION_ROWS, STANDARD_ERRORS, Keeper, drawn_scores
from tasks.data.options import Split
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.scoring.score import Score

SIZES = {
    "trec6": (16, 64, 128),
    "sst2": (32, 128, 512),
    "wnut17": (100, 400, 1500),
    "ncbi_disease": (200, 800),
    "squad_slice": (200, 800),
}
"Training rows, of texts those of each label."
RULES = ("first of the best", "best", "one standard error", "two standard errors", "last", "test's own choice")


@dataclass(frozen=True)
class Case:
    """A set, and the seed of its rows and of the training."""

    source: str
    size: int
    seed: int
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its result is called."""
        return f"{self.source}-{self.size}-{self.seed}"


class Snapshots(TrainerCallback):  # type: ignore[misc]
    """Keeps the weights of each evaluation in memory."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Tensor]] = []

    def on_evaluate(self, *_: Any, model: Any, **__: Any) -> None:
        """Copy the weights."""
        self.weights.append({name: tensor.to("cpu", copy=True) for name, tensor in model.state_dict().items()})


def measure(given: Namespace) -> list[Path]:
    """Train on small sets, score test rows with the weights of each epoch, and compare which are kept by each rule."""
    cases = [
        Case(source, size, seed, tuple(given.overrides))
        for seed in range(1, given.seeds + 1)
        for source, sizes in SIZES.items()
        for size in sizes
        if given.data in (None, source) and (not given.task or SOURCES[source].task in given.task)
    ]
    found = []
    for case, one in zip(
        cases, mapped(partial(_result, folder=given.output / "epochs"), cases, given.processes), strict=True
    ):
        say(f"{case.name}  " + "  ".join(f"{rule} {format_score(score)}" for rule, score in one["test"].items()))
        found.append({**vars(case), **one})
    rows = [["training rows", "validation rows", "epochs", *RULES]]
    for source, size in dict.fromkeys((case.source, case.size) for case in cases):
        of_set = [one for one in found if (one["source"], one["size"]) == (source, size)]
        shown = [format_score(fmean(one["test"][rule] for one in of_set)) for rule in RULES]
        held_out, epochs = (str(of_set[0][what]) for what in ("validation rows", "epochs"))
        rows.append([f"{source}, {size}" + " a label" * SOURCES[source].by_label, held_out, epochs, *shown])
    notes = [
        f"Scores on at most 500 test rows, means over {given.seeds} seeds, each with training rows of its own. The "
        f"default keeps by the rule of two standard errors, with fewer than {FEWEST_VALIDATION_ROWS} validation rows "
        "the last epoch. The last column is no rule: nobody has the labels of test rows."
    ]
    return write(given.output, "epochs", rows, notes, {"cases": found})


def _result(case: Case, folder: Path) -> dict[str, Any]:
    """Return what is known of a case, or train."""
    kept = folder / "results" / f"{case.name}.json"
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return known
    with contextlib.redirect_stdout(io.StringIO()):
        found = _trained(case, folder)
    write_json(kept, found)
    return found


def _trained(case: Case, folder: Path) -> dict[str, Any]:
    quiet_libraries()
    train, test = small_files(case.source, case.size, case.seed, folder / "data")
    config = compose(
        [
            *(f"task={SOURCES[case.source].task}", "data=files", f"data.train={train}", f"data.test={test}"),
            *(f"seed={case.seed}", "runtime.threads=1", *case.overrides),
        ]
    )
    rows = load(config.task, config.data, config.seed)
    prepared = prepare(config, rows, place(config.runtime, config.hparams.method), Laps())
    directory = RunDirectory(folder / "runs" / case.name)
    trainer = assemble(prepared, directory, Interruption(), time.perf_counter())
    snapshots = Snapshots()
    trainer.add_callback(snapshots)
    trainer.train_from(None)
    finish(trainer)
    predictor, scored = trainer.predictor(), []
    for weights in snapshots.weights:
        predictor.model.load_state_dict(weights)
        scored.append(_evaluated(predictor, rows, prepared.windows))
    shutil.rmtree(directory.path)  # checkpoints
    return compared(prepared.task.objective_score(), scored) | {"validation rows": len(rows.splits["validation"])}


@dataclass(frozen=True)
class Evaluated:
    """What the weights of an epoch are worth."""

    validation: float
    draws: list[float]
    "The validation score on draws of the rows."
    test: float


def _evaluated(predictor: Predictor, rows: AnyRows, windows: Any) -> Evaluated:
    task, name = predictor.task, predictor.task.objective_score().name

    def predictions(split: Split) -> list[Any]:
        return predictor.predict_rows(rows.splits[split], windows[split])

    decoded = predictions("validation")
    calibration = task.calibrate(rows.splits["validation"], decoded)
    on_validation = task.apply_calibration(decoded, calibration)
    on_test = task.apply_calibration(predictions("test"), calibration)
    return Evaluated(
        task.score(rows.splits["validation"], on_validation, rows.head)[name],
        drawn_scores(task, rows.splits["validation"], on_validation, rows.head),
        task.score(rows.splits["test"], on_test, rows.head)[name],
    )


def compared(objective: Score, epochs: Sequence[Evaluated]) -> dict[str, Any]:
    """Return which epoch each rule keeps, from 1 on, and what its weights score on test."""
    sign = objective.sign
    validation = [sign * epoch.validation for epoch in epochs]
    kept = {
        "first of the best": validation.index(max(validation)) + 1,
        "best": _kept(objective, epochs, 0.0),
        "one standard error": _kept(objective, epochs, STANDARD_ERRORS / 2),
        "two standard errors": _kept(objective, epochs, STANDARD_ERRORS),
        "last": len(epochs),
        "test's own choice": max(range(len(epochs)), key=lambda place: sign * epochs[place].test) + 1,
    }
    return {
        "epochs": len(epochs),
        "kept": kept,
        "test": {rule: epochs[number - 1].test for rule, number in kept.items()},
        "validation": [epoch.validation for epoch in epochs],
        "tests": [epoch.test for epoch in epochs],
    }


def _kept(objective: Score, epochs: Sequence[Evaluated], tolerance: float) -> int:
    keeper, state = Keeper(objective, tolerance), TrainerState()
    for number, epoch in enumerate(epochs, 1):
        state.global_step, keeper.draws = number, epoch.draws
        metrics = {f"eval_{objective.name}": epoch.validation}
        keeper.on_evaluate(cast(TrainingArguments, None), state, TrainerControl(), metrics=metrics)
    return keeper.kept_step
