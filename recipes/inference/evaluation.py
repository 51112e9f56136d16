"""How good a model is: predictions, calibration and scores on validation and test rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from recipes.inference.predicting import Predictor
from recipes.windows.columns import Windows
from tasks.analysis.parts import TRAITS, renumbered
from tasks.data.options import HELD_OUT, Split
from tasks.errors import InputError
from tasks.loading.rows import AnyRows
from tasks.task import AnyTask, Prediction, Row

T = TypeVar("T")


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for all training rows, each by a model that was trained without the row."""

    predictions: list[Prediction]
    "Before any calibration, in the rows' order."
    folds: list[list[int]]
    "The places of the rows that each model predicted."


@dataclass
class Evaluation:
    """The scores and predictions of one model."""

    metrics: dict[Split, dict[str, float]] = field(default_factory=dict)
    predictions: dict[Split, list[dict[str, Any]]] = field(default_factory=dict)
    "The lines of each split's predictions file."
    calibration: dict[str, float] = field(default_factory=dict)
    "Thresholds that were chosen on validation and apply to both splits, by their names in the model's config."
    uncalibrated_error: dict[Split, float] = field(default_factory=dict)
    "How far probabilities are from how often they are right, before they are calibrated."
    out_of_fold: OutOfFold | None = None
    "What stands for validation, if its rows are those of training."


def evaluate(
    predictor: Predictor, rows: AnyRows, windows: Mapping[Split, Windows], out_of_fold: OutOfFold | None = None
) -> Evaluation:
    """Predict and score validation and test, both with the thresholds calibrated on validation.

    Rows without labels are predicted only.

    Args:
        predictor: the trained model.
        rows: the rows of all splits.
        windows: those of all splits.
        out_of_fold: predictions for the validation rows if these are the training rows.
    """
    task, evaluation = predictor.task, Evaluation()
    for split in HELD_OUT:
        split_rows = rows.splits[split]
        if not split_rows:
            continue
        folds = out_of_fold.folds if out_of_fold is not None and split == "validation" else None
        if out_of_fold is not None and folds is not None:
            decoded = out_of_fold.predictions
        else:
            decoded = predictor.predict_rows(split_rows, windows[split])
        if split == "validation":
            evaluation.calibration = task.calibrate(split_rows, decoded)
        predictions = task.apply_calibration(decoded, evaluation.calibration)
        labelled = split not in rows.unlabelled
        if labelled:
            evaluation.metrics[split] = task.score(split_rows, predictions, rows.head)
            error = task.calibration_error(split_rows, decoded)
            if error is not None:
                evaluation.uncalibrated_error[split] = error
        lines = prediction_lines(task, split_rows, predictions, labelled)
        evaluation.predictions[split] = with_traits(lines, rows, split, folds) if labelled else lines
    evaluation.out_of_fold = out_of_fold
    return evaluation


def prediction_lines(
    task: AnyTask, rows: Sequence[Row], predictions: Sequence[Prediction], labelled: bool = True
) -> list[dict[str, Any]]:
    """Return one object per row: its identity, its input, its gold answer if it has one, and the prediction.

    Rows that hang together, such as questions on one article, have the same number under `unit`.
    """
    lines = []
    units = units_of(task, rows)
    for row, prediction, unit in zip(rows, predictions, units, strict=True):
        content = asdict(row)
        # Of questions counted in a file, the number must not take the place of the question's text.
        unit_name = row.origin.unit if row.origin.unit not in task.inputs() else f"{row.origin.unit}_number"
        identity = {"id": row.id, "file": row.origin.file, unit_name: row.origin.number}
        given = {name: content[name] for name in task.inputs() if content[name] is not None}
        gold = {"gold": task.gold(row)} if labelled else {}
        together = {} if task.group(row) is None else {"unit": unit}
        lines.append({**identity, **together, **given, **gold, "prediction": prediction})
    return lines


def with_traits(
    lines: Sequence[dict[str, Any]], rows: AnyRows, split: Split, folds: Sequence[Sequence[int]] | None = None
) -> list[dict[str, Any]]:
    """Return the lines with what an error analysis needs besides: traits of rows, and columns that sort them.

    Args:
        lines: those of the split's predictions file.
        rows: the rows of all splits.
        split: the name of the split.
        folds: if its rows are those of training, the places of the rows that were held out together.
    """
    found = []
    traits = (
        by_fold(rows, rows.task.traits, folds) if folds else rows.task.traits(rows.splits["train"], rows.splits[split])
    )
    for line, row, of_row in zip(lines, rows.splits[split], traits, strict=True):
        columns = rows.columns.get(row.origin)
        found.append({**line, TRAITS: {**of_row, **({"columns": columns} if columns else {})}})
    return found


def by_fold(
    rows: AnyRows, function: Callable[[Sequence[Row], Sequence[Row]], Sequence[T]], folds: Sequence[Sequence[int]]
) -> list[T]:
    """Return what a function of training rows and other rows gives for each fold and its rest, in the rows' order."""
    train = rows.splits["train"]
    found: dict[int, T] = {}
    for fold in folds:
        held = set(fold)
        rest = [row for place, row in enumerate(train) if place not in held]
        found.update(zip(fold, function(rest, [train[place] for place in fold]), strict=True))
    return [found[place] for place in range(len(train))]


def units_of(task: AnyTask, rows: Sequence[Row]) -> list[int]:
    """Return the number of each row's unit: rows that hang together, such as questions on one article, share one."""
    groups = map(task.group, rows)
    return renumbered([("alone", place) if group is None else group for place, group in enumerate(groups)])


def require_usable_objective(task: AnyTask, scores: Mapping[str, float]) -> None:
    """Refuse an objective that is not among the scores, or whose score is NaN.

    Raises:
        InputError: the objective can't be used; the message lists the available scores.
    """
    name = task.objective_score().name
    if name not in scores:
        raise InputError(f"task.objective={name}: no such score. There are: {', '.join(scores)}")
    if scores[name] != scores[name]:
        there = ", ".join(f"{other} {value:.4g}" for other, value in scores.items())
        raise InputError(
            f"task.objective={name} is not a number on the validation rows: nothing can be judged by it.\n"
            f"Scores: {there}\n"
            "Choose another one, or look at the gold values: if they are all the same, a correlation is undefined"
        )
