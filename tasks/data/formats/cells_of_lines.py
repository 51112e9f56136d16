r"""From a text with separators to the cells of each row, with or without quotes around them.

The csv module is not used: it accepts only separators of one character, does not say where an unclosed quote opens, and
limits the size of cells by a setting of the whole process.
"""

import re
from collections.abc import Generator, Iterator

from tasks.errors import InputError

QUOTE = '"'
CLOSING_QUOTE = re.compile(r'[^"]*+(?:""[^"]*+)*+"')
BLANKS = re.compile(r"[ \t]*")
LONGEST_ROW = 1 << 26
"How many characters of a text are searched for the end of a row, where the text is read in portions."

Cells = tuple[int, list[str]]
"The number of a row's first line, and its cells."


class _UnclosedError(Exception):
    """A quote is not closed in this portion of the text. A later portion may close it."""


def plain_rows(text: str, separator: str, most_cells: int | None, first_line: int = 1) -> Iterator[Cells]:
    """Yield the number and cells of each line that is not empty. Quotes are ordinary characters."""
    # Not splitlines(): it also splits at U+2028, U+0085 and others, which may be part of a text.
    for number, line in enumerate(text.split("\n"), start=first_line):
        if line:
            yield number, line.split(separator, -1 if most_cells is None else most_cells - 1)


def quoted_rows(
    text: str, file: str, separator: str, first_line: int = 1, *, goes_on: bool = False
) -> Generator[Cells, None, int]:
    """Yield the first line and the cells of each row that is not empty, and return where the last of them ends.

    Quotes may wrap cells. A text that goes on is the beginning of a longer one, and ends with a line. It is read up to
    the first row whose quotes it does not close, unless that row is longer than `LONGEST_ROW` already.

    Raises:
        InputError: a quote is not closed, or followed by more text.
    """
    position, number = 0, first_line
    while position < len(text):
        end = _line_end(text, position)
        if QUOTE not in text[position:end]:
            cells = text[position:end].split(separator) if end > position else []
        else:
            try:
                cells, end = _quoted_row(text, position, number, file, separator, goes_on)
            except _UnclosedError:
                if len(text) - position < LONGEST_ROW:
                    return position
                cells, end = _quoted_row(text, position, number, file, separator, goes_on=False)
        if cells:
            yield number, cells
        number += text.count("\n", position, end) + 1
        position = end + 1
    return len(text)


def _quoted_row(text: str, start: int, number: int, file: str, separator: str, goes_on: bool) -> tuple[list[str], int]:
    """Return the cells of the row at `start`, and where its last line ends. `number` is the row's first line."""
    cells, position = [], start
    while True:
        if text.startswith(QUOTE, position):
            line = number + text.count("\n", start, position)
            cell, end = _quoted_cell(text, position, line, file, separator, goes_on)
        else:
            quoted = _quoted_after_blanks(text, position, separator, goes_on)
            if quoted is None:
                end = _cell_end(text, position, separator)
                quoted = text[position:end], end
            cell, end = quoted
        cells.append(cell)
        if not text.startswith(separator, end):
            return cells, end
        position = end + len(separator)


def _quoted_after_blanks(text: str, start: int, separator: str, goes_on: bool) -> tuple[str, int] | None:
    """Return the content and end of a cell in quotes with blanks around them, as in `text, "label"`. None: it is none.

    Such blanks are no part of the content. A quote after blanks that does not wrap the whole cell is an ordinary one.
    """
    blanks = BLANKS.match(text, start)
    opening = blanks.end() if blanks else start
    if not text.startswith(QUOTE, opening) or separator in text[start:opening]:
        return None
    closing = CLOSING_QUOTE.match(text, opening + 1)
    if closing is None:
        if goes_on:
            raise _UnclosedError
        return None
    end = closing.end()
    while text.startswith(" ", end):
        end += 1
    if end < len(text) and text[end] != "\n" and not text.startswith(separator, end):
        return None
    return text[opening + 1 : closing.end() - 1].replace('""', QUOTE), end


def _quoted_cell(text: str, start: int, number: int, file: str, separator: str, goes_on: bool) -> tuple[str, int]:
    """Return the content of the cell whose opening quote is at `start`, and where the cell ends."""
    closing = CLOSING_QUOTE.match(text, start + 1)
    unquote = "Where double quotes are ordinary characters, say so: data.quoting=false"
    if closing is None:
        if goes_on:
            raise _UnclosedError
        beginning = text[start : min(start + 40, _line_end(text, start))]
        raise InputError(f"{file}, line {number}: the quote that opens here is never closed: {beginning}\n{unquote}")
    end = closing.end()
    if end < len(text) and text[end] != "\n" and not text.startswith(separator, end):
        quoted = _quoted_after_blanks(text, start, separator, goes_on)
        if quoted is not None:
            return quoted
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
