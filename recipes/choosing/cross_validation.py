"""Cross-validation on the training rows: a model for each fold, trained on the others, predicts its rows."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recipes.choosing.fold_journal import FoldJournal
from recipes.config.schema import Config
from recipes.inference.evaluation import OutOfFold
from recipes.machine.devices import Placement
from recipes.system.signals import Interruption
from recipes.training.fitting import fit
from tasks.loading.rows import AnyRows
from tasks.task import Prediction


@dataclass(frozen=True)
class CrossValidation:
    """What the models of all folds predicted, each for the rows that it was not trained on."""

    predictions: OutOfFold
    seconds: float


def cross_validate(
    config: Config,
    name: str,
    rows: AnyRows,
    parts: Sequence[Sequence[int]],
    model: str,
    placement: Placement,
    folder: Path,
    interruption: Interruption,
) -> CrossValidation:
    """Train a model for each fold on the other folds' rows, and let it predict the fold's.

    A fold that was finished by an earlier process is not trained again; one that was interrupted goes on from its
    checkpoint.

    Args:
        config: how each model is trained.
        name: of this way of training, for the names of files.
        rows: the training rows are those that are shared among folds.
        parts: the positions of each fold's rows.
        model: a hash of the weights that all begin with.
        placement: where it is computed.
        folder: where results and checkpoints of folds are kept for a resumed run.
        interruption: tells whether a signal has asked this process to end.
    """
    train = rows.splits["train"]
    found: dict[int, Prediction] = {}
    seconds = 0.0
    for number, part in enumerate(parts):
        held = set(part)
        journal = FoldJournal(folder, f"{name}-{number}", _key(config, rows, model, placement, part))
        known = journal.read()
        if known is None:
            started, what = time.perf_counter(), f"{name}, fold {number + 1} of {len(parts)}"
            some = replace(
                rows,
                splits={
                    "train": [row for place, row in enumerate(train) if place not in held],
                    "validation": [train[place] for place in part],
                    "test": [],
                },
            )
            prepared, trainer = fit(config, some, placement, journal.directory, interruption, what)
            predicted = trainer.predictor().predict_rows(some.splits["validation"], prepared.windows["validation"])
            # As JSON has them, so that a resumed run goes on with the very same values.
            known = {"predictions": json.loads(json.dumps(predicted)), "seconds": time.perf_counter() - started}
            journal.write(known)
        found.update(zip(part, known["predictions"], strict=True))
        seconds += known["seconds"]
    return CrossValidation(OutOfFold([found[place] for place in range(len(train))], list(map(list, parts))), seconds)


def _key(config: Config, rows: AnyRows, model: str, placement: Placement, part: Sequence[int]) -> dict[str, Any]:
    """Return everything that the predictions of a fold depend on."""
    return {
        "hparams": asdict(config.hparams),
        "task": asdict(config.task),
        "model": model,
        "placement": [placement.device, placement.precision, placement.processes],
        "seed": config.seed,
        "rows": rows.fingerprint("train"),
        "fold": list(part),
    }
