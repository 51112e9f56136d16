"""How good a model is: predictions, calibration and scores on validation and test rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from recipes.inference.predicting import Predictor
from recipes.windows.columns import Windows
from tasks.analysis.parts import TRAITS, renumbered
from tasks.data.options import Split
from tasks.errors import InputError
from tasks.load import AnyRows
from tasks.task import AnyTask, Prediction, Row


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


SCORED: tuple[Split, ...] = ("validation", "test")


def evaluate(predictor: Predictor, rows: AnyRows, windows: Mapping[Split, Windows]) -> Evaluation:
    """Predict and score validation and test, both with the thresholds calibrated on validation.

    Rows without labels are predicted only.
    """
    task, evaluation = predictor.task, Evaluation()
    for split in SCORED:
        split_rows = rows.splits[split]
        if not split_rows:
            continue
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
        evaluation.predictions[split] = with_traits(lines, rows, split) if labelled else lines
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


def with_traits(lines: Sequence[dict[str, Any]], rows: AnyRows, split: Split) -> list[dict[str, Any]]:
    """Return the lines with what an error analysis needs besides: traits of rows, and columns that sort them."""
    found = []
    traits = rows.task.traits(rows.splits["train"], rows.splits[split])
    for line, row, of_row in zip(lines, rows.splits[split], traits, strict=True):
        columns = rows.columns.get(row.origin)
        found.append({**line, TRAITS: {**of_row, **({"columns": columns} if columns else {})}})
    return found


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
            f"task.objective={name} is not a number on the validation rows, so the best epoch can't be chosen.\n"
            f"Scores: {there}\n"
            "Choose another one, or look at the gold values: if they are all the same, a correlation is undefined"
        )
