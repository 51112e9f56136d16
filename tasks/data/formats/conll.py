"""CoNLL files: one token a line with its tag in another column, blank lines between sentences."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

DOCUMENT_START = "-DOCSTART-"
RANGE_OR_EMPTY_NODE = re.compile(r"\d+-\d+|\d+\.\d+")
"Ids of CoNLL-U lines that repeat or add words: `1-2` (words written as one), `8.1` (a word not in the text)."

Line = tuple[int, str]
"A line and its number in the file."
Row = tuple[int, list[str]]
"The columns of a line, and its number."


def read_conll(
    text: str,
    file: str,
    report: ReadReport,
    *,
    tokens: str | None = None,
    tags: str | None = None,
    separator: str | None = None,
    comment: str | None = None,
) -> list[Record]:
    r"""Turn blocks of lines into sentences.

    >>> read_conll("Mara\tB-person\nleft\tO\n\nRain\tO\n", "train.conll", ReadReport())[0]
    Record(values={'tokens': ['Mara', 'left'], 'tags': ['B-person', 'O']}, origin=Origin('train.conll', 1, 'line'))

    Args:
        text: the file's content, lines ending in `\n`.
        file: its name, for errors.
        report: takes sentences that have a line with too few columns, or an empty token or tag. If a column is counted
            from the end, it also takes sentences whose lines have different numbers of columns.
        tokens: number of the column of tokens, from 0; negative ones count from the end. None: the first.
        tags: number of the column of tags. None: the last.
        separator: what stands between columns. None: a tab if the line has one, or else blanks.
        comment: lines that start with this are left out. Lines that start with -DOCSTART- always are.

    Raises:
        InputError: a column is not given by number.
    """
    token_column = _column_number(tokens, "data.columns.tokens", 0)
    tag_column = _column_number(tags, "data.columns.tags", -1)
    if token_column == tag_column:
        raise InputError(f"data.columns.tokens and data.columns.tags are both column {token_column}")
    records = []
    for lines in _sentences(text, comment):
        rows = [(number, _columns(line, separator)) for number, line in lines]
        if token_column == 1:
            rows = [(number, row) for number, row in rows if not RANGE_OR_EMPTY_NODE.fullmatch(row[0])]
        fault = _fault(rows, token_column, tag_column)
        if fault is not None:
            report.bad_row("bad line in a sentence", fault[1], Origin(file, fault[0]))
        elif rows:
            values = {"tokens": [row[token_column] for _, row in rows], "tags": [row[tag_column] for _, row in rows]}
            records.append(Record(values, Origin(file, rows[0][0])))
    return records


def _column_number(value: str | None, key: str, default: int) -> int:
    if value is None:
        return default
    if not re.fullmatch(r"-?\d+", value):
        raise InputError(f"{key}={value}: the columns of CoNLL files are given by number: 0 the first, -1 the last")
    return int(value)


def _sentences(text: str, comment: str | None) -> Iterator[list[Line]]:
    """Yield the numbered lines of each block. Lines of only white space also separate blocks, as in WNUT-17's files."""
    numbered = enumerate(text.split("\n"), start=1)
    kept = ((number, line) for number, line in numbered if not (comment and line.startswith(comment)))
    for is_between, lines in groupby(kept, key=lambda line: _separates(line[1])):
        if not is_between:
            yield list(lines)


def _separates(line: str) -> bool:
    return not line or line.isspace() or line.startswith(DOCUMENT_START)


def _columns(line: str, separator: str | None) -> list[str]:
    if separator is None and "\t" in line:
        separator = "\t"
    # Not split() without argument: it also splits at no-break spaces and others, which may be part of a token.
    return line.split(separator) if separator else re.split(" +", line.strip(" "))


def _fault(rows: Sequence[Row], token_column: int, tag_column: int) -> tuple[int, str] | None:
    """Return the number of the first line with unusable columns and what is wrong with it, or None."""
    # By default tokens are the first column and tags the last: a single column would be both.
    needed = max(2, *(column + 1 if column >= 0 else -column for column in (token_column, tag_column)))
    from_end = min(token_column, tag_column) < 0
    first_number, first_row = rows[0] if rows else (0, [])
    for number, row in rows:
        columns = f"{len(row)} column{'' if len(row) == 1 else 's'}"
        if len(row) < needed:
            return number, f"{columns}, but {needed} are needed: {' '.join(row)!r}"
        if from_end and len(row) != len(first_row):
            return number, (
                f"{columns}, but {len(first_row)} in line {first_number}. Which are meant? Number them from 0 with "
                "data.columns.tokens and data.columns.tags; if these are comments, say how they start with data.comment"
            )
        for column, what in ((token_column, "token"), (tag_column, "tag")):
            if not row[column].strip():
                return number, f"the {what} in column {column} is empty"
    return None
