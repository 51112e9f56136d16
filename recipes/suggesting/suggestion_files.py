"""The file of rows to label next: a table, JSON lines for doccano, or tasks for Label Studio."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.serving.journal import plain
from recipes.suggesting.choosing import Candidate
from recipes.system.files import write_text
from tasks.data.records import Origin, Record
from tasks.data.suggested import UNCERTAINTY
from tasks.task import AnyTask, Head
from tasks.writing.csv_cells import csv_text
from tasks.writing.to_label import label_studio_interface, label_studio_task, table_row, tool_line
from tasks.writing.writer import as_cell, json_lines, to_json

DIGITS = 4


@dataclass(frozen=True)
class Suggestions:
    """Rows to label next, with everything that a file says of them."""

    task: AnyTask
    head: Head
    model: str
    "What predictions are signed with."
    place: str
    "The column to fill in a table."
    chosen: Sequence[Candidate]
    records: Mapping[Origin, Record]
    "What each was read from."

    def __iter__(self) -> Iterator[tuple[Candidate, dict[str, Any]]]:
        """Yield each row with the columns that it was read from."""
        for one in self.chosen:
            yield one, plain(self.records[one.row.origin].values)


def write_suggestions(path: Path, found: Suggestions) -> list[Path]:
    """Write the file, and for Label Studio its labelling interface beside it. Return what was written."""
    suffix = path.suffix.lower()
    write_text(path, FORMATS[suffix](found))
    if suffix != ".json":
        return [path]
    interface = path.with_suffix(".xml")
    with_pairs = any(getattr(one.row, "text_pair", None) is not None for one in found.chosen)
    write_text(interface, label_studio_interface(found.task, found.head.labels, with_pairs))
    return [path, interface]


def _as_csv(found: Suggestions) -> str:
    rows = [
        {**table_row(found.task, one.prediction, values, found.place), UNCERTAINTY: round(one.uncertainty, DIGITS)}
        for one, values in found
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text(names, [{name: as_cell(value) for name, value in row.items()} for row in rows])


def _as_json_lines(found: Suggestions) -> str:
    return json_lines(
        {
            **tool_line(found.task, one.row, one.prediction, values, found.place),
            UNCERTAINTY: round(one.uncertainty, DIGITS),
        }
        for one, values in found
    )


def _as_label_studio(found: Suggestions) -> str:
    tasks = [label_studio_task(one.row, one.prediction, values, found.model) for one, values in found]
    for task, one in zip(tasks, found.chosen, strict=True):
        task["data"][UNCERTAINTY] = round(one.uncertainty, DIGITS)
    return f"{to_json(tasks)}\n"


FORMATS: Mapping[str, Callable[[Suggestions], str]] = {
    ".csv": _as_csv,
    ".jsonl": _as_json_lines,
    ".json": _as_label_studio,
}
"What makes a file's text, by its extension."
