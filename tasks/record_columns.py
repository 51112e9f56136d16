"""Finding the columns of records by the names that users give or that are usual."""

from collections.abc import Sequence

from tasks.data.column_names import ID_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import Record
from tasks.errors import InputError, did_you_mean


def column_names(records: Sequence[Record]) -> list[str]:
    """Return the names of all columns that any record has, in order."""
    # Nearly all records have the same columns, so that each combination is looked at once.
    combinations = dict.fromkeys(tuple(record.values) for record in records)
    return list(dict.fromkeys(str(name) for names in combinations for name in names))


def find_column(records: Sequence[Record], wanted: str | None, usual: Sequence[str]) -> str | None:
    """Return the name of a column as the file has it, or None if there is none. Case and outer blanks don't matter."""
    present = column_names(records)
    folded = {name.strip().casefold(): name for name in reversed(present)}
    for name in (wanted,) if wanted is not None else usual:
        if name in present:
            return name
        if name.strip().casefold() in folded:
            return folded[name.strip().casefold()]
    return None


def column(records: Sequence[Record], wanted: str | None, usual: Sequence[str], key: str) -> str:
    """Return the name of the column that holds one part of a row, such as its text.

    Args:
        records: the rows.
        wanted: the name that the user gave, if any.
        usual: the names to look for otherwise, in this order.
        key: the config key that names the column, for errors.

    Raises:
        InputError: the wanted column, or each of the usual ones, is missing.
    """
    found = find_column(records, wanted, usual)
    if found is not None:
        return found
    present, place = column_names(records), records[0].origin
    if wanted is not None:
        hint = did_you_mean(wanted, present)
        raise InputError(f"{place}: no column '{wanted}' ({key}). Columns: {', '.join(present)}.{hint}")
    # A header line holds short names; a row that was taken for one hardly does.
    is_row = place.unit == "line" and any(len(name) > 30 or name.count(" ") > 2 for name in present)
    header = ". If the first line is a row already: 'data.header=[...]' with a name for each column" if is_row else ""
    raise InputError(
        f"{place}: none of the usual columns {', '.join(usual)} is there. "
        f"Columns: {', '.join(present)}. Say which one with {key}=NAME{header}"
    )


def row_id(record: Record, columns: Columns, position: int) -> str:
    """Return the row's own id if the file has one, or else its position among the records of its split, from 0."""
    for name in (columns.id,) if columns.id else ID_COLUMNS:
        value = record.values.get(name)
        if value is not None and str(value).strip():
            return str(value)
    return str(position)
