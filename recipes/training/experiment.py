"""One run from its config to its directory: read, train, judge, write."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from recipes.checkpoints import sealed as checkpoints
from recipes.checkpoints.sealed import Checkpoint
from recipes.config.conversion import to_yaml
from recipes.config.interval import parse_interval
from recipes.config.schema import Config
from recipes.heads import classification, ner, qa
from recipes.inference.prediction_lines import prediction_lines
from recipes.machine import out_of_memory as memory
from recipes.machine.devices import place
from recipes.machine.facts import computed_by, environment
from recipes.results.run_directory import (
    CHECKPOINTS,
    CONFIG,
    IDENTITY,
    REPORT,
    held,
    other_machine,
    require_same_identity,
    tidy,
)
from recipes.results.scores import format_score
from recipes.speed.embedding_table import restore_table
from recipes.speed.unpadded_attention import restore_attention
from recipes.system.console import duration, is_main_process, label, say
from recipes.system.files import settle, write_json, write_json_lines, write_text
from recipes.system.signals import Interruption
from recipes.training.arguments import greater_is_better
from recipes.training.assembly import Prepared, prepare
from recipes.training.clock import Laps
from recipes.training.reporting import data_section, history, training_section
from recipes.training.trainer import RecipeTrainer, require_objective
from tasks.errors import InputError
from tasks.load import Rows, load, sources

RECIPES: dict[str, Callable[[Prepared, Path], RecipeTrainer]] = {
    "classification": classification.build,
    "ner": ner.build,
    "qa": qa.build,
}

MODEL, PREDICTIONS = "model", "predictions"


@dataclass
class Judgement:
    """What the best model is worth: scores and lines of the predictions file by split."""

    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    predictions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)


def carry_out(config: Config, command: str, folder: Path, interruption: Interruption) -> dict[str, Any]:
    """Train and judge one model, leave everything in `folder`, and return the report.

    Nothing is written before the data and the model have been read and checked. The report is written last: it is
    what makes the run a finished one. A run that was interrupted goes on where its newest whole checkpoint is.

    Raises:
        InputError: the data, the model or a choice can't be used.
        Interrupted: a signal said so.
    """
    laps = Laps()
    _require_tracker(config)
    rows = load(config.task, config.data, config.seed)
    _show_rows(rows, config)
    if rows.task.objective is not None:
        validation = rows.splits["validation"]
        require_objective(rows.task, rows.task.score(validation, list(map(rows.task.perfect, validation)), rows.head))
    laps.lap("reading")
    placement = place(config.runtime, config.hparams.stock)
    prepared = prepare(config, rows, placement, laps)
    _point_tracker(config, folder)
    with held(folder) if is_main_process() else nullcontext(), memory.explained():
        trainer = RECIPES[rows.task.name](prepared, folder / CHECKPOINTS)
        trainer.interruption, trainer.checkpoint_every = interruption, parse_interval(config.runtime.checkpoint_every)
        _show_plan(trainer, placement.describe(), placement.notes)
        start = _starting_point(folder, config, prepared, trainer)
        laps.lap("assembling")
        trainer.train_from(start)
        laps.lap("training")
        restore_table(trainer.model)
        restore_attention(trainer.model)
        judgement = judge(trainer, prepared)
        trainer.model.config.update(judgement.calibration)
        try:
            report = _write_results(prepared, trainer, judgement, command, laps, folder)
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"The results can't be written to {folder}: {error}. Make room and run the same command again: it goes "
                "on from what is saved"
            ) from error
    _show_result(trainer, judgement, folder, laps.total())
    return report


def _write_results(
    prepared: Prepared, trainer: RecipeTrainer, judgement: Judgement, command: str, laps: Laps, folder: Path
) -> dict[str, Any]:
    save_model(trainer, folder)
    laps.lap("judging and saving")
    report = _report(prepared, trainer, judgement, command, laps)
    if is_main_process():
        for split, lines in judgement.predictions.items():
            write_json_lines(folder / PREDICTIONS / f"{split}.jsonl", lines)
        write_json(folder / REPORT, report)
        tidy(folder)
    return report


def _starting_point(folder: Path, config: Config, prepared: Prepared, trainer: RecipeTrainer) -> Checkpoint | None:
    """Return the checkpoint to go on from, or clear the directory and write down what begins in it.

    Raises:
        InputError: what was interrupted there began differently.
    """
    rows, identity = prepared.rows, dict[str, Any]()
    for split, split_rows in rows.splits.items():
        identity[f"{split} rows"] = f"{len(split_rows)} with fingerprint {rows.fingerprint(split)}"
    identity |= {"seed": config.seed, "model": prepared.loaded.fingerprint, "processes": prepared.placement.processes}
    machine = computed_by(prepared.placement)
    start = None
    if not config.overwrite:
        require_same_identity(folder, identity)
        start, complaints = checkpoints.newest(folder / CHECKPOINTS)
        for complaint in complaints:
            label("", complaint)
    trainer.accelerator.wait_for_everyone()
    if start is not None:
        label("", f"goes on after step {start.step}, where it was interrupted")
        changes = other_machine(folder, machine)
        if changes:
            label("", f"the last digits may come out otherwise than without the interruption: {changes}")
    elif is_main_process():
        try:
            clear(folder)
            write_text(folder / CONFIG, to_yaml(config))
            write_json(folder / CHECKPOINTS / IDENTITY, {**identity, **machine})
        except OSError as error:
            raise InputError(f"{folder} can't be written to: {error}") from error
    trainer.accelerator.wait_for_everyone()
    return start


def _report(
    prepared: Prepared, trainer: RecipeTrainer, judgement: Judgement, command: str, laps: Laps
) -> dict[str, Any]:
    config, objective = prepared.config, prepared.task.objective_name()
    return {
        "status": "finished",
        "task": prepared.task.name,
        "model": {
            "path": config.model.path,
            "revision": config.model.revision,
            "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
            "new_weights": list(prepared.loaded.new_weights),
        },
        "data": data_section(prepared.rows, sources(config.data)),
        "metrics": judgement.metrics,
        "objective": {
            "name": objective,
            "split": "validation",
            "value": judgement.metrics["validation"][objective],
            "greater_is_better": greater_is_better(objective),
        },
        "calibration": judgement.calibration,
        "training": training_section(trainer, prepared.rows, laps),
        "history": history(trainer),
        "environment": environment(prepared.placement),
        "seed": config.seed,
        "command": command,
    }


def judge(trainer: RecipeTrainer, prepared: Prepared) -> Judgement:
    """Predict and score validation and test with the best model; calibrate on validation, for both."""
    task, judgement = prepared.task, Judgement()
    for split in ("validation", "test"):
        rows = prepared.rows.splits[split]
        if not rows:
            continue
        decoded = trainer.predict_rows(rows, prepared.features[split])
        if split == "validation":
            judgement.calibration = task.calibrate(rows, decoded)
        predictions = task.finish(decoded, judgement.calibration)
        judgement.metrics[split] = task.score(rows, predictions, prepared.rows.head)
        judgement.predictions[split] = prediction_lines(task, rows, predictions)
    return judgement


def save_model(trainer: RecipeTrainer, folder: Path) -> None:
    """Write the model and its tokenizer in the standard format, as a whole. Every process takes part.

    What a run that was killed after this has left in the place is replaced.
    """
    partial = folder / f".{MODEL}.partial"
    if is_main_process():
        shutil.rmtree(partial, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(partial))
    if is_main_process():
        (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle, and of no use to anyone
        settle(partial)
        shutil.rmtree(folder / MODEL, ignore_errors=True)
        partial.rename(folder / MODEL)


def clear(folder: Path) -> None:
    """Remove what an earlier run left in its directory, its report first; other files there stay."""
    (folder / REPORT).unlink(missing_ok=True)
    (folder / CONFIG).unlink(missing_ok=True)
    for name in (MODEL, PREDICTIONS, f".{MODEL}.partial"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tidy(folder)


def _require_tracker(config: Config) -> None:
    name = config.tracker.name
    if name != "none" and importlib.util.find_spec(name) is None:
        raise InputError(
            f"tracker={name} needs a package that is not installed: pip install 'finetune-recipes[{name}]'"
        )


def _point_tracker(config: Config, folder: Path) -> None:
    """Tell the tracker's client where to file this run; these variables are its documented way."""
    if config.tracker.name == "tensorboard":
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    if config.tracker.name == "wandb":
        os.environ.setdefault("WANDB_DIR", str(folder))
    if config.tracker.project is not None:
        os.environ["WANDB_PROJECT"] = os.environ["MLFLOW_EXPERIMENT_NAME"] = config.tracker.project


def _show_rows(rows: Rows, config: Config) -> None:
    counts = ", ".join(f"{len(split_rows)} {split}" for split, split_rows in rows.splits.items() if split_rows)
    label("data", f"{config.data.name or config.data.hub or 'files'}: {counts} rows" + _kind(rows))
    for note in rows.notes:
        label("", note)
    for what, counted in (("left out", rows.report.skipped), ("repaired", rows.report.repaired)):
        for reason, count in counted.items():
            label("", f"{what}: {count} x {reason}, e.g. {rows.report.examples[reason][0]}")


def _kind(rows: Rows) -> str:
    settled = getattr(rows.task, "kind", None) or getattr(rows.task, "version", None)
    return f"; {settled.replace('_', ' ')}" if settled else ""


def _show_plan(trainer: RecipeTrainer, placement: str, notes: tuple[str, ...]) -> None:
    arguments = trainer.args
    size = arguments.train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size
    steps = len(trainer.get_train_dataloader()) // arguments.gradient_accumulation_steps
    label(
        "training",
        f"{arguments.num_train_epochs:.3g} epochs of {max(steps, 1)} steps, batch {size}, "
        f"learning rate {arguments.learning_rate:g}, {placement}",
    )
    for note in notes:
        label("", note)


def _show_result(trainer: RecipeTrainer, judgement: Judgement, folder: Path, seconds: float) -> None:
    for split, scores in judgement.metrics.items():
        shown = "  ".join(f"{name} {format_score(scores[name])}" for name in trainer.task.headline() if name in scores)
        label(split, shown)
    say(f"Done in {duration(seconds)}: {folder}")
