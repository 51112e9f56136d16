"""What people have in hand, such as texts and pairs, and the rows that a task makes of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from recipes.model.stored_task import StoredTask
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.record_columns import column_names
from tasks.task import AnyTask, Layout, Row


def rows_of_items(task: AnyTask, items: Sequence[Any], stored: StoredTask | None) -> list[Row]:
    """Return a row for each item, in order.

    Raises:
        InputError: an item can't be used; names it by its number, from 1.
    """
    alike: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for number, item in enumerate(items, start=1):
        origin = Origin("items", number, "item")
        try:
            values = task.values_of(item)
        except ValueError as error:
            raise InputError(f"{origin}: {error}") from error
        _require_characters(values, origin)
        # Items of one kind are read together, as those of a file are. Their own ids may recur.
        alike[tuple(map(str, values))].append(Record({**values, "id": str(number)}, origin))
    rows: dict[int, Row] = {}
    for records in alike.values():
        columns = columns_for(records, Columns(id="id"), stored)
        for row in task.read(records, Layout(columns), ReadReport(way_out=""), labelled=False):
            require_form(task, row, stored)
            rows[row.origin.number] = row
    return [rows[number] for number in sorted(rows)]


def list_of_items(items: Any) -> list[Any]:
    """Return what the user gave as a list of items.

    Raises:
        InputError: it can't be gone through, or goes through something else than rows, in no order, or bytes.
    """
    if hasattr(items, "columns") and hasattr(items, "to_dict"):
        raise InputError("items: a table: give one of its columns, or its rows: table.to_dict('records')")
    if isinstance(items, bytes | set | frozenset) or not hasattr(items, "__iter__"):
        raise InputError(f"items: a text or a list of texts is needed, not {type(items).__name__}")
    return list(items)


def _require_characters(values: Mapping[str, Any], origin: Origin) -> None:
    """Refuse texts with half a surrogate pair, which no tokenizer accepts."""
    texts = [text for value in values.values() for text in (value if isinstance(value, list) else [value])]
    for text in texts:
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"{origin}: half of a surrogate pair, which is no character: {error.reason}"
                ) from error


def columns_for(records: Sequence[Record], columns: Columns, stored: StoredTask | None) -> Columns:
    """Return the columns to look for: those that the user names now, else those named in training that are there."""
    there = set(column_names(records))
    named = asdict(columns)
    known = {} if stored is None else stored.columns
    kept = {name: value for name, value in known.items() if named[name] is None and _is_there(value, there)}
    return replace(columns, **kept)


def _is_there(names: Any, there: set[str]) -> bool:
    return all(str(name) in there for name in (names if isinstance(names, list) else [names]))


def require_form(task: AnyTask, row: Row, stored: StoredTask | None) -> None:
    """Refuse single texts for a model of pairs, and pairs for one of single texts.

    Raises:
        InputError: it says what the model was trained on.
    """
    if stored is not None and task.form(row) != stored.form:
        raise InputError(
            f"{row.origin}: the model was trained on {stored.form}, and can't predict for {task.form(row)}"
        )
