"""Rows that `recipes.suggest` has written to be labelled, and that nobody has labelled yet."""

from collections.abc import Sequence
from typing import Any

from tasks.data.column_names import ANSWER_COLUMNS, LABEL_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import ReadReport, Record

PREDICTED, UNCERTAINTY = "predicted", "uncertainty"
"Columns that stand beside the empty place of a label."
EMPTY: tuple[Any, ...] = ("", "[]", None, [])


def labelled_by_now(
    records: Sequence[Record], columns: Columns, report: ReadReport, *, may_be_empty: bool
) -> list[Record]:
    """Return records without those that are still to be labelled.

    Args:
        records: those of a split.
        columns: the columns that the user names.
        report: is told of them.
        may_be_empty: whether nothing may be what somebody has found, as in sentences without entities. These stay.

    Raises:
        InputError: one is still to be labelled, and the user did not choose to skip such rows.
    """
    kept, empty = [], 0
    for record in records:
        if not _is_unlabelled(record, columns):
            kept.append(record)
        elif may_be_empty:
            empty += 1
            kept.append(record)
        else:
            message = "it was suggested by recipes.suggest, and has no label yet. If none holds, remove its uncertainty"
            report.bad_row("not labelled yet", message, record.origin)
    if empty:
        report.note(
            f"{empty} of the rows that recipes.suggest has written have no entity. Are all of them labelled by now?"
        )
    return kept


def _is_unlabelled(record: Record, columns: Columns) -> bool:
    values = record.values
    if PREDICTED not in values or values.get(UNCERTAINTY) in (None, ""):
        return False
    named = [name for name in (columns.label, columns.answers, columns.spans) if isinstance(name, str)]
    places = [name for name in (*named, "spans", *LABEL_COLUMNS, *ANSWER_COLUMNS) if name in values]
    return bool(places) and all(values[name] in EMPTY for name in places)
