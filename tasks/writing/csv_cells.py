"""Tables as CSV: commas between cells, double quotes around those that need them."""

import re
from collections.abc import Mapping, Sequence

BARE = re.compile(r"[\w.:+-]+(?: [\w.:+-]+)*")
"Cells that need no quotes in any program."


def cell_fault(cell: str) -> str | None:
    r"""Return why a cell of a CSV file can't hold a text, or None.

    Quotes, separators and line ends `\n` are no obstacle. Windows line ends are: readers of text files change them.
    """
    if "\r\n" in cell:
        return "it holds the line end \\r\\n, which is read as \\n (jsonl can hold it)"
    if "\n\ufeff" in cell:
        return "a line in it begins with a byte order mark, which readers leave out (jsonl can hold it)"
    return "it holds a null character (jsonl can hold it)" if "\0" in cell else None


def csv_text(names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    r"""Return a table with a line of names. Cells that a row lacks are empty.

    >>> csv_text(["text", "label"], [{"text": 'the "warm" bed', "label": "good"}])
    'text,label\n"the ""warm"" bed",good\n'
    """
    lines = [",".join(map(_cell, names)), *(",".join(_cell(row.get(name, "")) for name in names) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _cell(text: str) -> str:
    if not text or (BARE.fullmatch(text) and not text.startswith("__")):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
