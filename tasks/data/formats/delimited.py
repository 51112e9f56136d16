r"""CSV and TSV: cells between separators, with or without quotes around them.

The csv module is not used: it accepts only separators of one character, does not say where an unclosed quote opens, and
limits the size of cells by a setting of the whole process.
"""

import re
from collections.abc import Iterator, Sequence

from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

QUOTE = '"'
CLOSING_QUOTE = re.compile(r'[^"]*+(?:""[^"]*+)*+"')
OTHER_SEPARATORS = {";": "';'", "\t": r"'\t'", "|": "'|'", ",": "','"}
"Separators that a hint suggests if the header line has them, with their spelling on the command line."


def read_delimited(
    text: str,
    file: str,
    report: ReadReport,
    *,
    separator: str,
    quoting: bool = True,
    header: Sequence[str] | None = None,
) -> list[Record]:
    r"""Turn the lines of a file into records of strings.

    >>> text = 'text,label\n"Warm beds, cold soup",mixed\n'
    >>> read_delimited(text, "lodge.csv", ReadReport(), separator=",")
    [Record(values={'text': 'Warm beds, cold soup', 'label': 'mixed'}, origin=Origin('lodge.csv', 2, 'line'))]

    Args:
        text: the file's content, lines ending in `\n`.
        file: its name, for errors.
        report: takes rows with too few or too many cells.
        separator: what stands between cells: one character or several.
        quoting: whether double quotes wrap cells, which may then hold separators, line ends and doubled quotes.
        header: names of the columns, if the first line is already a row. Without quoting, the last of these columns
            takes the rest of the line, separators included.

    Raises:
        InputError: a quote is not closed, or the header can't be used.
    """
    if not separator:
        raise InputError("data.separator is empty: give the character(s) between columns, or null")
    most_cells = len(header) if header is not None and not quoting else None
    rows = _quoted_rows(text, file, separator) if quoting else _plain_rows(text, separator, most_cells)
    if header is None:
        line, cells = next(rows, (1, []))
        names = [cell.strip() for cell in cells]
        if len(names) > 1 and not names[0] and "index" not in names:
            names[0] = "index"  # pandas leaves the name of its index empty
        _check_header(names, f"{file}, line {line}", separator)
    else:
        names = list(header)
        _check_header(names, "data.header", separator)
    records = []
    for line, cells in rows:
        origin = Origin(file, line)
        if len(cells) == len(names):
            records.append(Record(dict(zip(names, cells, strict=True)), origin))
        else:
            few_or_many = "few" if len(cells) < len(names) else "many"
            message = f"{_count(cells, 'cell')}, but {_count(names, 'column')}: {', '.join(names)}"
            report.bad_row(f"too {few_or_many} cells", message, origin)
    return records


def _check_header(names: Sequence[str], place: str, separator: str) -> None:
    if not names:
        return
    for position, name in enumerate(names):
        if not name:
            raise InputError(f"{place}: column {position + 1} has no name. Columns: {', '.join(map(repr, names))}")
        if name in names[:position]:
            raise InputError(f"{place}: two columns have the name '{name}'. Columns: {', '.join(names)}")
    if len(names) == 1:
        others = [written for other, written in OTHER_SEPARATORS.items() if other != separator and other in names[0]]
        hint = f' Is it another separator: data.separator="{others[0]}"?' if others else ""
        raise InputError(f"{place}: only one column, '{names[0]}', with {separator!r} between columns.{hint}")


def _count(items: Sequence[str], noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")


def _plain_rows(text: str, separator: str, most_cells: int | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and cells of each line that is not empty. Quotes are ordinary characters."""
    # Not splitlines(): it also splits at U+2028, U+0085 and others, which may be part of a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if line:
            yield number, line.split(separator, -1 if most_cells is None else most_cells - 1)


def _quoted_rows(text: str, file: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the cells of each row that is not empty. Quotes may wrap cells."""
    position, number = 0, 1
    while position < len(text):
        end = _line_end(text, position)
        if QUOTE not in text[position:end]:
            cells = text[position:end].split(separator) if end > position else []
        else:
            cells, end = _quoted_row(text, position, number, file, separator)
        if cells:
            yield number, cells
        number += text.count("\n", position, end) + 1
        position = end + 1


def _quoted_row(text: str, start: int, number: int, file: str, separator: str) -> tuple[list[str], int]:
    """Return the cells of the row at `start`, and where its last line ends. `number` is the row's first line."""
    cells, position = [], start
    while True:
        if text.startswith(QUOTE, position):
            cell, end = _quoted_cell(text, position, number + text.count("\n", start, position), file, separator)
        else:
            end = _cell_end(text, position, separator)
            cell = text[position:end]
        cells.append(cell)
        if not text.startswith(separator, end):
            return cells, end
        position = end + len(separator)


def _quoted_cell(text: str, start: int, number: int, file: str, separator: str) -> tuple[str, int]:
    """Return the content of the cell whose opening quote is at `start`, and where the cell ends."""
    closing = CLOSING_QUOTE.match(text, start + 1)
    unquote = "Where double quotes are ordinary characters, say so: data.quoting=false"
    if closing is None:
        beginning = text[start : min(start + 40, _line_end(text, start))]
        raise InputError(f"{file}, line {number}: the quote that opens here is never closed: {beginning}\n{unquote}")
    end = closing.end()
    if end < len(text) and text[end] != "\n" and not text.startswith(separator, end):
        beginning = text[start : min(start + 40, _line_end(text, start))]
        closed = number + text.count("\n", start, end)
        raise InputError(
            f"{file}, line {number}: the cell in quotes that opens here is followed by more text "
            f"{'on this line' if closed == number else f'on line {closed}'}: {beginning}\n{unquote}"
        )
    return text[start + 1 : end - 1].replace('""', QUOTE), end


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end == -1 else end


def _cell_end(text: str, position: int, separator: str) -> int:
    line_end = _line_end(text, position)
    end = text.find(separator, position, line_end)
    return line_end if end == -1 else end
