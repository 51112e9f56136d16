"""Columns that sort rows into a few groups, such as a source, a language or an annotator: scores may differ by them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tasks.data.column_names import USUAL_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import Origin, Record

MOST_COLUMNS = 5
FEWEST_VALUES, MOST_VALUES = 2, 30
ROWS_PER_VALUE = 5
"Fewer rows per value, on average, say nothing about a group."
LONGEST_VALUE = 60
LOOKED_AT = 20_000
"Records by which columns are chosen."
NONE = "(none)"


def used_columns(columns: Columns) -> set[str]:
    """Return the names of columns that the user gave, in the form in which names are compared."""
    named = [value for value in vars(columns).values() if value is not None]
    return {_folded(name) for value in named for name in (value if isinstance(value, list | tuple) else [value])}


def _folded(name: object) -> str:
    return str(name).strip().casefold()


def sorting_values(records: Sequence[Record], used: Collection[str]) -> dict[Origin, dict[str, str]]:
    """Return for each record its values in the columns that sort records into groups; nothing if there are none.

    Args:
        records: those of all files.
        used: the columns that hold texts, labels and ids, folded; those with usual names need not be among them.
    """
    names = _sorting_columns(records[:: len(records) // LOOKED_AT + 1], used)
    if not names:
        return {}
    # Records of a group share one dict, so that a million of them need little memory.
    known: dict[tuple[str, ...], dict[str, str]] = {}
    found = {}
    for record in records:
        values = tuple(_value(record.values.get(name)) or NONE for name in names)
        found[record.origin] = known.setdefault(values, dict(zip(names, values, strict=True)))
    return found


def _sorting_columns(records: Sequence[Record], used: Collection[str]) -> list[str]:
    counts: dict[str, Counter[str | None]] = {}
    for record in records:
        for name, value in record.values.items():
            if _folded(name) not in used and _folded(name) not in USUAL_COLUMNS:
                counts.setdefault(name, Counter())[_value(value)] += 1
    return [name for name, values in counts.items() if _sorts(values, len(records))][:MOST_COLUMNS]


def _sorts(values: Mapping[str | None, int], rows: int) -> bool:
    distinct = sum(value is not None for value in values)
    return (
        FEWEST_VALUES <= distinct <= MOST_VALUES
        and distinct * ROWS_PER_VALUE <= rows
        and values.get(None, 0) < rows / 2
        and all(value is None or len(value) <= LONGEST_VALUE for value in values)
    )


def _value(cell: Any) -> str | None:
    """Return a cell as a text; None if it is empty or no single value. Equal values of a list are one value."""
    if isinstance(cell, list) and cell and all(value == cell[0] for value in cell):
        cell = cell[0]
    if isinstance(cell, bool | int | str):
        return str(cell).strip() or None
    return None
