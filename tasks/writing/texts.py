"""Texts with labels: as CSV and as JSON lines."""

from collections.abc import Sequence
from typing import Any

from tasks.class_labels import as_labels, class_name
from tasks.classification import KINDS, Text
from tasks.data.cells import is_blank, read_printed
from tasks.data.records import ReadReport
from tasks.writing.csv_cells import cell_fault, csv_text
from tasks.writing.writer import Writer, Written, has_own_ids, holdable, json_lines, renumbered, to_json


def write_csv(rows: Sequence[Text], labelled: bool, report: ReadReport) -> Written:
    """Write the columns id, text, text_pair and label, as far as there are any. Several labels become a JSON list.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, lambda row: label_fault(row) or _csv_fault(row), "csv", report)
    written = kept if own_ids else renumbered(kept)
    # A single column can't be told from a file that is no table.
    with_ids = own_ids or not (labelled or _are_pairs(written))
    names = [
        *(["id"] if with_ids else []),
        "text",
        *(["text_pair"] if _are_pairs(written) else []),
        *(["label"] if labelled else []),
    ]
    cells = [{**_values(row), "id": row.id, "label": _label_cell(row.label)} for row in written]
    return Written(csv_text(names, cells), written)


def write_json_lines(rows: Sequence[Text], labelled: bool, report: ReadReport) -> Written:
    """Write `{"id", "text", "text_pair", "label"}`, as far as there are any. Several labels are a list.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, label_fault, "jsonl", report)
    written = kept if own_ids else renumbered(kept)
    values = [
        {
            **({"id": row.id} if own_ids else {}),
            **_values(row),
            **({"label": list(row.label) if isinstance(row.label, tuple) else row.label} if labelled else {}),
        }
        for row in written
    ]
    return Written(json_lines(values), written)


def label_fault(row: Text) -> str | None:
    """Return why a reader would take the label of a row for something else, or None."""
    if row.label is None or isinstance(row.label, float):
        return None
    several = isinstance(row.label, tuple)
    for label in row.labels:
        try:
            # A label by itself may be a printed list; in a list it is a label.
            cell = label if several else as_labels(read_printed(label))
            same = not is_blank(label) and class_name(cell, None) == label
        except ValueError:
            same = False
        if not same:
            return f"the label {label!r} would be read as something else"
    return None


def _csv_fault(row: Text) -> str | None:
    cells = (row.id, row.text, row.text_pair or "", _label_cell(row.label))
    return next((fault for fault in map(cell_fault, cells) if fault is not None), None)


def _are_pairs(rows: Sequence[Text]) -> bool:
    return any(row.text_pair is not None for row in rows)


def _values(row: Text) -> dict[str, Any]:
    return {"text": row.text, **({} if row.text_pair is None else {"text_pair": row.text_pair})}


def _label_cell(label: Any) -> str:
    if isinstance(label, tuple):
        return to_json(list(label))
    return "" if label is None else str(label)


WAYS = ({}, *({"kind": kind} for kind in KINDS if kind != "auto"))
"Labels that are all whole numbers are classes unless a kind is given, and lists of one label each are single labels."

TEXT_WRITERS = (
    Writer("csv", "classification", ".csv", write_csv, WAYS),
    Writer("jsonl", "classification", ".jsonl", write_json_lines, WAYS),
)
