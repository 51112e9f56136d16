"""What people have in hand, such as texts and pairs, and the rows that a task makes of it."""

from collections import defaultdict
from collections.abc import Sequence
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
        # Items of one kind are read together, as those of a file are. Their own ids may recur.
        alike[tuple(map(str, values))].append(Record({**values, "id": str(number)}, origin))
    rows: dict[int, Row] = {}
    for records in alike.values():
        columns = columns_for(records, Columns(id="id"), stored)
        for row in task.read(records, Layout(columns), ReadReport(way_out=""), labelled=False):
            require_form(task, row, stored)
            rows[row.origin.number] = row
    return [rows[number] for number in sorted(rows)]


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
