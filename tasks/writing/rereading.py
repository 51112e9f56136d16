"""The proof that a file holds its rows: it is read again as any other, and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError
from tasks.task import AnyTask, Layout
from tasks.writing.writer import Writer, Written


@dataclass(frozen=True)
class Reading:
    """How a file is read to give the rows that were written."""

    options: Mapping[str, str]
    "Options of the task that have to be set."
    different: int
    "Rows that differ all the same: their words are cut in another way."


def rows_of(records: Sequence[Record], task: AnyTask, layout: Layout, report: ReadReport) -> tuple[list[Any], bool]:
    """Return the rows of records, unsplit, and whether they have labels.

    Columns of labels that the user named must be there; otherwise rows may have none.

    Raises:
        InputError: a row can't be read, and the report does not skip such rows; or none is left.
    """
    columns = layout.columns
    named = (columns.label, columns.tags, columns.spans, columns.answers)
    labelled = any(name is not None for name in named) or task.has_labels(records, layout)
    if labelled:
        task = task.resolve_auto(records, layout, report)
    rows = task.read(records, layout, report, labelled=labelled)
    if not rows:
        raise InputError("No usable row is left")
    return rows, labelled


def reading_of(written: Written, labelled: bool, writer: Writer, task: Callable[..., AnyTask], name: str) -> Reading:
    """Return how a file of this name with this text is read back as the rows that it is to hold.

    Args:
        written: the text, and the rows.
        labelled: whether the rows have labels.
        writer: what wrote it, which says how it may be read.
        task: makes the task of the rows from options.
        name: the name that the file is to have: its extension matters.

    Raises:
        InputError: it is read as other rows, or not at all; names the first such row.
    """
    readings: list[tuple[int, Mapping[str, str], str]] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{Path(name).suffix}"
        path.write_text(written.text, encoding="utf-8", newline="")
        for way in writer.ways:
            try:
                found = _read(path, task(**way), labelled)
            except InputError as error:
                readings.append((len(written.rows) + 1, way, str(error).replace(str(path), name)))
                continue
            different, message = _compare(written.rows, found)
            if not different:
                return Reading(way, 0)
            readings.append((different, way, message))
    different, way, message = min(readings, key=lambda reading: reading[0])
    if writer.holds_words or different > len(written.rows):
        raise InputError(f"{name}: as {writer.name}, the rows would not read back as they are. {message}")
    return Reading(way, different)


def _read(path: Path, task: AnyTask, labelled: bool) -> list[Any]:
    report = ReadReport()
    records = read_records(DataOptions(train=str(path)), "train", report) or []
    rows, has_labels = rows_of(records, task, Layout(Columns()), report)
    if has_labels != labelled:
        raise InputError(f"{path}: the labels are {'not ' if labelled else ''}there")
    return rows


def _compare(wanted: Sequence[Any], found: Sequence[Any]) -> tuple[int, str]:
    """Return how many rows differ in more than their origin, and a message about the first one."""
    if len(wanted) != len(found):
        return len(wanted) + 1, f"{len(found)} rows are read, not {len(wanted)}"
    different = [
        (row, other) for row, other in zip(wanted, found, strict=True) if row != replace(other, origin=row.origin)
    ]
    if not different:
        return 0, ""
    row, other = different[0]
    parts = [
        f"{name} {getattr(row, name)!r} as {getattr(other, name)!r}"
        for name in type(row).__dataclass_fields__
        if name != "origin" and getattr(row, name) != getattr(other, name)
    ]
    shown = "; ".join(parts)
    return len(different), f"{row.origin} reads {shown[:300]}{'...' if len(shown) > 300 else ''}"
