"""From rows of cells to records: which line names the columns, and which of the columns have no name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tasks.data.cells import is_blank
from tasks.data.column_names import USUAL_COLUMNS
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.overrides import list_override

ROWS_LOOKED_AT = 10
"How far below the first line a header line is looked for, for the error message."

Row = tuple[int, Sequence[Any]]
"The number of a row's first line, and its cells."


@dataclass(frozen=True)
class Header:
    """The names of the columns, and what is known with them."""

    names: Sequence[str]
    unnamed: int
    "How many columns at the right end have no name."
    is_row: bool
    "Whether the first row has the names. A row that repeats it, as in joined files, is then left out."


def records_of_rows(
    rows: Iterable[Row],
    file: str,
    report: ReadReport,
    *,
    header: Sequence[str] | None = None,
    skip_lines: int | None = None,
    hint: str = "",
    unit: str = "line",
) -> list[Record]:
    """Turn rows of cells into records. Without `header`, the first row has the names of the columns.

    Columns at the right end whose name is empty, as spreadsheets write them, are left out; if a row has something in
    them, a note says so.

    Args:
        rows: the rows, those of `skip_lines` left out already.
        file: the file's name, for errors.
        report: takes rows with too few or too many cells.
        header: names of the columns, if no row has them.
        skip_lines: what the user set `data.skip_lines` to.
        hint: a question to end the error with if there is only one column.
        unit: what the numbers of the rows count.

    Raises:
        InputError: the header can't be used.
    """
    rows = iter(rows)
    first = list(islice(rows, ROWS_LOOKED_AT))
    kept: Iterable[Row] = _chain(first, rows)
    if header is not None and skip_lines is None:
        kept = list(kept)
    found = find_header(kept if isinstance(kept, list) else first, file, header, skip_lines, hint, unit)
    records, filled = records_under(found, islice(kept, 1, None) if found.is_row else kept, file, report, unit)
    note_unnamed(found, filled, file, report)
    return records


def find_header(
    rows: Sequence[Row], file: str, header: Sequence[str] | None, skip_lines: int | None, hint: str, unit: str = "line"
) -> Header:
    """Return the names of the columns. The arguments are those of `records_of_rows`; `rows` are the first ones.

    Raises:
        InputError: the header can't be used.
    """
    if header is not None:
        _check_header(header, "data.header", [], hint)
        if skip_lines is None:
            _refuse_header_row(rows, header, file, unit)
        return Header(header, 0, is_row=False)
    first = rows[:ROWS_LOOKED_AT]
    line, cells = first[0] if first else (1, [])
    names = [_name(cell) for cell in cells]
    if len(names) > 1 and not names[0] and "index" not in names:
        names[0] = "index"  # pandas leaves the name of its index empty
    while len(names) > 1 and not names[-1]:
        names.pop()
    unnamed = len(cells) - len(names)
    _check_header(names, f"{file}, {unit} {line}", first, hint, unnamed)
    return Header(names, unnamed, is_row=True)


def records_under(
    header: Header, rows: Iterable[Row], file: str, report: ReadReport, unit: str = "line"
) -> tuple[list[Record], int]:
    """Return the records of the rows under a header, and how many rows have something in a column without a name."""
    names, unnamed = header.names, header.unnamed
    records, filled = [], 0
    for line, cells in rows:
        origin = Origin(file, line, unit)
        if len(cells) > len(names) and unnamed:
            filled += any(not is_blank(cell) for cell in cells[len(names) : len(names) + unnamed])
            cells = [*cells[: len(names)], *cells[len(names) + unnamed :]]
        if header.is_row and [_name(cell) for cell in cells] == list(names):
            report.leave_out("names of the columns again", "the line repeats the header line", origin)
        elif len(cells) == len(names):
            records.append(Record(dict(zip(names, cells, strict=True)), origin))
        else:
            few_or_many = "few" if len(cells) < len(names) else "many"
            message = f"{_count(cells, 'cell')}, but {_count(names, 'column')}: {', '.join(names)}"
            report.bad_row(f"too {few_or_many} cells", message, origin)
    return records, filled


def note_unnamed(header: Header, filled: int, file: str, report: ReadReport) -> None:
    """Add a note if rows have something in the columns without a name."""
    if filled:
        report.note(
            f"{file}: {header.unnamed} column{'s' * (header.unnamed > 1)} at the right end have no name, but {filled} "
            "rows have something in them. It is not used"
        )


def _check_header(names: Sequence[str], place: str, rows: Sequence[Row], hint: str, unnamed: int = 0) -> None:
    """Refuse names that are missing or there twice. `rows` begin with the header line, if it is the file's own."""
    if not names:
        return
    below = _header_below(rows)
    named_by_hand = _named_by_hand([*names, *[""] * unnamed], rows)
    for position, name in enumerate(names):
        if not name:
            way_out = below or named_by_hand
            raise InputError(
                f"{place}: column {position + 1} has no name. Columns: {', '.join(map(repr, names))}.{way_out}"
            )
        if name in names[:position]:
            raise InputError(
                f"{place}: two columns have the name '{name}'. Columns: {', '.join(names)}.{named_by_hand}"
            )
    # A file of texts without labels has a single column, but so has one with another separator, or with a title.
    if len(names) == 1 and (below or hint or names[0].casefold() not in USUAL_COLUMNS):
        raise InputError(f"{place}: only one column, '{names[0]}'.{below or hint}")


def _header_below(rows: Sequence[Row]) -> str:
    """Return a hint if a line further down names usual columns, below a title or empty lines."""
    for line, cells in rows[1:]:
        known = sum(_name(cell).casefold() in USUAL_COLUMNS for cell in cells)
        if known >= 2 or (known and len(cells) > 1 and all(map(_name, cells)) and not all(map(_name, rows[0][1]))):
            return f"\nLine {line} looks like the names of the columns: data.skip_lines={line - 1}"
    return ""


def _named_by_hand(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Return how to name the columns on the command line, in place of the file's own header line."""
    given: list[str] = []
    for position, name in enumerate(names, start=1):
        name = name or f"column{position}"
        taken = {*given, *names[position:]}
        given.append(name if name not in given else next(new for new in _numbered(name, position) if new not in taken))
    way_out = f"\nTo name them yourself: {list_override('data.header', given)}"
    # A header in quotes may have several lines.
    return f"{way_out} data.skip_lines={rows[1][0] - 1 if len(rows) > 1 else rows[0][0]}" if rows else way_out


def _numbered(name: str, number: int) -> Iterator[str]:
    while True:
        yield f"{name}_{number}"
        number += 1


def _refuse_header_row(rows: Sequence[Row], names: Sequence[str], file: str, unit: str) -> None:
    """Refuse a first row that looks like a header line although the user named the columns.

    It looks so if it holds nothing but short words, and two of them or more occur nowhere else in their columns.
    """
    if len(rows) < 4:
        return
    line, cells = rows[0]
    words = [(column, _name(cell)) for column, cell in enumerate(cells) if _name(cell)]
    if len(words) < 2 or any(len(word) > 30 or word.count(" ") > 1 or not word[0].isalpha() for _, word in words):
        return
    elsewhere = [{_name(cells[column]) for _, cells in rows[1:] if column < len(cells)} for column, _ in words]
    new = [word not in others for (_, word), others in zip(words, elsewhere, strict=True)]
    # A label that recurs in its column shows that the first row is an ordinary one.
    if all(new) and any(len(others) < len(rows) / 2 for others in elsewhere):
        raise InputError(
            f"{file}, {unit} {line}: {', '.join(word for _, word in words)}: these look like the file's own names of "
            f"its columns, but data.header names them already ({', '.join(names)}).\n"
            f"To leave this line out: data.skip_lines={line}. If it is a row: data.skip_lines=0"
        )


def _chain(first: Sequence[Row], rest: Iterable[Row]) -> Iterable[Row]:
    yield from first
    yield from rest


def _name(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _count(items: Sequence[Any], noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")
