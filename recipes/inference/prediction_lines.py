"""What is said of a finished run: report.json, the predictions, and the last lines on the console."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tasks.task import Prediction, Row, Task


def prediction_lines(task: Task, rows: Sequence[Row], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return one object a row: who it is, its input, its gold answer, and the prediction."""
    lines = []
    for row, prediction in zip(rows, predictions, strict=True):
        content = asdict(row)
        identity = {"id": row.id, "file": row.origin.file, row.origin.unit: row.origin.number}
        given = {name: content[name] for name in task.inputs() if content[name] is not None}
        lines.append({**identity, **given, "gold": task.gold(row), "prediction": prediction})
    return lines
