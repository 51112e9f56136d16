"""What stands between the cells of a text: the separators that are looked for, and how one is chosen."""

import re
from collections.abc import Iterator
from itertools import islice

from tasks.data.formats.cells_of_lines import Cells, plain_rows, quoted_rows
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.errors import InputError

SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
"The separators that are looked for, and what messages call them."
WRITTEN = {",": ",", ";": ";", "\t": "\\t", "|": "|"}
"How separators are written on the command line."
ROWS_LOOKED_AT = 100
MARKDOWN_RULE = re.compile(r".*\|.*\n[ |:]*-{3,}[ |:-]*\n")
"The header of a Markdown table, and the line below it."
SEPARATOR_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
"The line that Excel understands: it names the separator of the lines below it."


def without_lines(text: str, count: int) -> tuple[str, int]:
    """Return the text without its first lines, and the number of the first line that is left."""
    for _ in range(count):
        _, newline, text = text.partition("\n")
        if not newline:
            break
    return text, count + 1


def other_separator(text: str, separator: str) -> str:
    """Return a question about the separator, if the first line has another usual one."""
    header = text.partition("\n")[0]
    others = [other for other in SEPARATORS if other != separator and other in header]
    between = SEPARATORS.get(separator, repr(separator))
    question = f" Is it another separator: data.separator='{WRITTEN[others[0]]}'?" if others else ""
    return f" {between[0].upper()}{between[1:]} was taken for the separator.{question}" if question else ""


def sniff_separator(text: str, goes_on: bool = False, *, quoting: bool = True) -> list[str]:
    r"""Return the separators that fit: the header line and all the first rows have as many cells, two or more.

    `goes_on` says that the text is the beginning of a longer one, and ends with a line.

    >>> sniff_separator("text;label\nwarm beds, cold soup;mixed\n")
    [';']
    """
    return [
        separator
        for separator in SEPARATORS
        if separator in text.partition("\n")[0] and _fits(text, separator, quoting, goes_on)
    ]


def _fits(text: str, separator: str, quoting: bool, goes_on: bool) -> bool:
    rows: Iterator[Cells] = plain_rows(text, separator, None)
    if quoting:
        rows = quoted_rows(text, "", separator, goes_on=goes_on)
    try:
        counts = [len(cells) for _, cells in islice(rows, ROWS_LOOKED_AT)]
    except InputError:
        return False
    return len(counts) > 1 and counts[0] > 1 and len(set(counts)) == 1


def choose_separator(source: Source, options: DataOptions, usual: str) -> tuple[str, str]:
    """Return the separator of a file, and its text without the line that names the separator, if it has one.

    A separator fits where the header line and the rows agree. If none does, it is the usual one of the extension, so
    that the rows that don't fit are reported.

    Raises:
        InputError: several separators fit, and the user named none.
    """
    text = source.text
    if MARKDOWN_RULE.match(text):
        raise InputError(f"{source.path}: is a Markdown table: save it as CSV, or remove the line below the header")
    named = SEPARATOR_LINE.match(text)
    if named is not None:
        # An empty line keeps the numbers of the lines right.
        text = text[named.end() - 1 :]
    if options.separator is not None:
        return unescaped(options.separator), text
    if named is not None:
        return named[1], text
    below = without_lines(text, options.skip_lines or 0)[0]
    fitting = sniff_separator(below, source.goes_on, quoting=options.quoting)
    if len(fitting) > 1:
        choices = " or ".join(f"data.separator='{WRITTEN[one]}'" for one in fitting)
        raise InputError(
            f"{source.path}: {' and '.join(SEPARATORS[one] for one in fitting)} both occur equally often in all lines. "
            f"Which one is between the columns: {choices}?"
        )
    return (fitting[0] if fitting else usual), text


def unescaped(separator: str) -> str:
    """Return the separator as it is in the file: on the command line, a tab is written as backslash and t."""
    return separator.replace("\\t", "\t")
