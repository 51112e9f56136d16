"""The labels of a record, in whichever of their usual forms it holds them, and what kind of labels they are."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.data.cells import is_blank, read_printed, whole_number
from tasks.data.column_names import LABEL_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.overrides import list_override
from tasks.record_columns import column, column_names, find_column

ABSENT = ("none", "null", "nan", "na", "n/a", "-", "_")
"What a cell of one of several label columns holds if there is no label, in lower case."
NO_GOLD = "-"
"What NLI data sets write as the gold label if annotators did not agree."
GOLD_COLUMN = "gold_label"
WHOLE_AS_FRACTION = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True)
class LabelColumns:
    """The column of labels, or several: with 0 and 1 in them (`indicators`), or each with a name or nothing."""

    names: tuple[str, ...]
    indicators: bool = False

    @property
    def shown(self) -> str:
        """The columns, for errors."""
        return ", ".join(self.names)

    def cell(self, record: Record) -> Any:
        """Return the label or labels of a record as the file has them; a printed list as a list.

        Raises:
            ValueError: the cell begins like a list or dict, but can't be read; or an indicator is neither 0 nor 1.
        """
        if len(self.names) == 1 and not self.indicators:
            return as_labels(read_printed(record.values.get(self.names[0])))
        cells = {name: record.values.get(name) for name in self.names}
        if not self.indicators:
            return [
                cell for cell in cells.values() if not is_blank(cell) and str(cell).strip().casefold() not in ABSENT
            ]
        strange = next((name for name, cell in cells.items() if indicator(cell) is None), None)
        if strange is not None:
            raise ValueError(f"{cells[strange]!r} in column '{strange}' is neither 0 nor 1")
        return [name for name, cell in cells.items() if indicator(cell)]


def find_label_columns(records: Sequence[Record], columns: Columns) -> LabelColumns | None:
    """Return the label columns, or None if none of those that the user named, or of the usual ones, is there."""
    if isinstance(columns.label, list | tuple):
        found = [find_column(records, str(name), ()) for name in columns.label]
        names = tuple(name for name in found if name is not None)
        if len(names) < len(found):
            return None
        filled = [cell for record in records for name in names if not is_blank(cell := record.values.get(name))]
        # One strange cell does not turn zeros and ones into names: `cell` refuses it.
        ones_and_zeros = sum(indicator(cell) is not None for cell in filled)
        return LabelColumns(names, indicators=ones_and_zeros > len(filled) / 2)
    name = find_column(records, columns.label, LABEL_COLUMNS)
    return None if name is None else LabelColumns((name,))


def usual_label_columns(records: Sequence[Record]) -> list[str]:
    """Return the columns with a usual name for labels, best first."""
    found = [find_column(records, name, ()) for name in LABEL_COLUMNS]
    return list(dict.fromkeys(name for name in found if name is not None))


def label_columns(records: Sequence[Record], columns: Columns) -> LabelColumns:
    """Return the label columns.

    Raises:
        InputError: they are not there; if several columns hold 0 and 1, the message suggests them.
    """
    found = find_label_columns(records, columns)
    if found is not None:
        return found
    if isinstance(columns.label, list | tuple):
        for name in columns.label:
            column(records, str(name), (), "data.columns.label")
    present = column_names(records)
    likely = [name for name in present if _holds_indicators(records, name)]
    if columns.label is None and len(likely) > 1:
        usual = ", ".join(LABEL_COLUMNS)
        raise InputError(
            f"{records[0].origin}: none of the usual columns {usual} is there, but several with 0 and 1 are. "
            f"If their names are the labels: {list_override('data.columns.label', likely)}"
        )
    column(records, columns.label, LABEL_COLUMNS, "data.columns.label")
    raise AssertionError("column raises")


def _holds_indicators(records: Sequence[Record], name: str) -> bool:
    cells = [record.values.get(name) for record in records]
    return all(not is_blank(cell) and indicator(cell) is not None for cell in cells) and not name.casefold().endswith(
        "id"
    )


def indicator(cell: Any) -> bool | None:
    """Return whether a cell says that its column's label applies: 0 or 1 in any type. None: it says neither."""
    if isinstance(cell, bool):
        return cell
    number = whole_number(cell)
    if number is None and isinstance(cell, str):
        return {"true": True, "false": False}.get(cell.strip().casefold())
    return bool(number) if number in (0, 1) else None


def as_labels(cell: Any) -> Any:
    """Return the labels that an object stands for: `{"choices": [...]}`, or a yes or no for each label. Else the cell.

    >>> as_labels({"GOOD": 1.0, "BAD": 0.0})
    ['GOOD']

    Raises:
        ValueError: it is an object of another kind.
    """
    if not isinstance(cell, Mapping):
        return cell
    if isinstance(cell.get("choices"), list):
        return list(cell["choices"])
    # bool is a kind of int, and spaCy writes the one or the other.
    if cell and all(isinstance(value, int | float) and 0 <= value <= 1 for value in cell.values()):
        return [str(name) for name, value in cell.items() if value >= 0.5]
    raise ValueError(f"{cell!r} is not a label")


def readable_cells(records: Sequence[Record], columns: LabelColumns) -> list[Any]:
    """Return the label cells of all records, None for those that can't be read, which `read` reports."""
    cells = []
    for record in records:
        try:
            cells.append(columns.cell(record))
        except ValueError:
            cells.append(None)
    return cells


def is_without_gold(cell: Any, columns: LabelColumns) -> bool:
    """Tell whether a row of an NLI data set has no gold label."""
    return columns.names[0].casefold() == GOLD_COLUMN and isinstance(cell, str) and cell.strip() == NO_GOLD


def multi_hot_length(cells: Sequence[Any], names: Sequence[str] | None) -> int | None:
    """Return the length of the lists that switch labels on and off with 1 and 0. None: the cells are no such lists.

    Lists of label numbers may hold only 0 and 1, too. But such a list has no number twice, and if all have both, all
    rows have the same labels, and there is nothing to learn. So lists with repetitions tell that these are zeros and
    ones, and so do lists that are all equally long. Of several lengths the most common one is returned. `read` reports
    the lists of other lengths, or with something else in them.

    Raises:
        InputError: `names` has another number of labels.
    """
    lists = [cell for cell in cells if not is_blank(cell)]
    if not all(isinstance(cell, list | tuple) for cell in lists):
        return None
    binary = [cell for cell in lists if all(isinstance(value, int | float) and value in (0, 1) for value in cell)]
    if 2 * len(binary) <= len(lists):
        return None
    lengths = Counter(map(len, binary))
    repeats = any(len(set(cell)) < len(cell) for cell in binary)
    if not repeats and (len(lengths) != 1 or len(binary) < len(lists)):
        return None
    (length, _), *_ = lengths.most_common(1)
    if length < 2:
        return None
    if names is not None and len(names) != length:
        if not repeats:
            return None
        raise InputError(
            f"labels are lists of {length} zeros and ones, but data.label_names has {len(names)} names: one for each "
            "is needed"
        )
    return length


def names_of_multi_hot(cell: Any, length: int, names: Sequence[str] | None) -> list[str]:
    """Return the names of the labels that a multi-hot list switches on.

    Raises:
        ValueError: the list is not of this length, or holds something else than 0 and 1.
    """
    if not isinstance(cell, list | tuple) or len(cell) != length or any(value not in (0, 1) for value in cell):
        raise ValueError(f"{cell!r} is not a list of {length} zeros and ones, as in the other rows")
    return [names[index] if names else f"label_{index}" for index, value in enumerate(cell) if value]


def infer_kind(cells: Sequence[Any], separator: str | None, multi_hot: int | None, report: ReadReport) -> str:
    """Return single_label, multi_label or regression for the label cells of the training rows.

    Lists of exactly one label each are single labels; a note says so.
    """
    if separator is not None:
        return "multi_label"
    if any(isinstance(cell, list | tuple) for cell in cells):
        lists = [cell for cell in cells if isinstance(cell, list | tuple)]
        sizes = [sum(value == 1 for value in cell) if multi_hot else len(cell) for cell in lists]
        if set(sizes) == {1}:
            report.note("every row lists exactly one label: single label. For several: task.kind=multi_label")
            return "single_label"
        return "multi_label"
    filled = [cell for cell in cells if not is_blank(cell)]
    numbers = [maybe_number(cell) for cell in filled]
    if any(number != int(number) for number in numbers if number):
        if None not in numbers:
            return "regression"
        names = [cell for cell, number in zip(filled, numbers, strict=True) if number is None]
        if len(names) < len(filled) / 2:
            report.note(
                f"most labels are numbers, but not {names[0]!r}, so that each is a class. To predict numbers, without "
                "such rows: task.kind=regression data.on_bad_row=skip"
            )
    return "single_label"


def class_name(cell: Any, names: Sequence[str] | None) -> str:
    """Return the name of one label.

    Whole numbers are the same class in any type and spelling: 1, 1.0, "1" and "1.0".

    Raises:
        ValueError: it is no label, or a number without a name.
    """
    if isinstance(cell, list | tuple) and len(cell) == 1:
        cell = cell[0]
    if is_blank(cell) or isinstance(cell, dict | list | tuple):
        raise ValueError("no label" if is_blank(cell) or not cell else f"{cell!r} is not one label")
    if isinstance(cell, float):
        if not cell.is_integer():
            raise ValueError(f"{cell} is neither a name nor a whole number (for numbers: task.kind=regression)")
        cell = int(cell)
    label = str(cell).strip()
    if label.startswith(("['", '["', "{'", '{"')):
        raise ValueError(f"{label[:40]} is a printed list or dict, not a label")
    if names is None or label in names:
        fraction = WHOLE_AS_FRACTION.fullmatch(label)
        return fraction[1] if fraction else label
    number = whole_number(label)
    if number is not None:
        if 0 <= number < len(names):
            return names[number]
        raise ValueError(
            f"label {label} has no name: data.label_names has {len(names)} names, for 0 to {len(names) - 1}"
        )
    raise ValueError(f"label '{label}' is not in data.label_names.{did_you_mean(label, names)}")


def label_names_of(cell: Any, separator: str | None, name_of: Callable[[Any], str]) -> tuple[str, ...]:
    """Return the names of several labels, each once, in the order of the cell.

    Raises:
        ValueError: it is no list of labels.
    """
    parts = cell.split(separator) if isinstance(cell, str) and separator else cell
    if is_blank(cell):
        parts = []
    elif isinstance(parts, str | int | float):
        parts = [parts]
    if not isinstance(parts, list | tuple):
        raise ValueError(f"{cell!r} is not a list of labels")
    return tuple(dict.fromkeys(name_of(part) for part in parts if not is_blank(part)))


def number_of(cell: Any) -> float:
    """Return the number that a cell holds.

    Raises:
        ValueError: it holds none.
    """
    value = maybe_number(cell)
    if value is None:
        raise ValueError(f"{cell!r} is not a number")
    return value


def maybe_number(cell: Any) -> float | None:
    """Return the finite number that a cell holds, or None."""
    if isinstance(cell, bool) or cell is None:
        return None
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def is_number_list(cell: Any) -> bool:
    """Tell whether a text lists whole numbers between commas."""
    return isinstance(cell, str) and "," in cell and all(part.strip().isdecimal() for part in cell.split(","))
