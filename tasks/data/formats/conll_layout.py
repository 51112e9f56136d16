"""How the lines of a CoNLL file are laid out, found in the content, and the cells of its sentences in that layout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.data.records import ReadReport
from tasks.errors import InputError

RANGE_OR_EMPTY_NODE = re.compile(r"\d+-\d+|\d+\.\d+")
"Ids of CoNLL-U lines that repeat or add words: `1-2` (words written as one), `8.1` (a word not in the text)."
TAG = re.compile(r"[O0o_]|[BILUESM][-_]\S+|\S+[-_][BILUESM]|[A-Z][A-Za-z_]*")
PREFIXED = re.compile(r"[BILUESM]-\S")

Row = tuple[int, list[str]]
"The columns of a line, and its number."
Sentences = Sequence[Sequence[Row]]


@dataclass(frozen=True)
class Layout:
    """Which columns of a file hold what, and which parts of its lines are none."""

    tokens: int
    tags: int | None
    "None: there is a token on each line, and nothing else."
    hashes: bool = False
    "Whether lines that begin with `#` are comments."
    trailing: int = 0
    "How many empty columns the separators at the end of every line make."
    shortest: int | None = None
    "How many columns a line has whose tag holds no blank. None: no tag holds any."


def find_layout(
    sentences: Sentences,
    tokens: str | None,
    tags: str | None,
    file: str,
    report: ReadReport,
    *,
    hashes: bool,
    blanks: bool,
) -> Layout:
    """Return how the lines of sentences are laid out: as the user says, or else as the content shows. Notes say how.

    Args:
        sentences: the columns of each line.
        tokens: what the user set `data.columns.tokens` to.
        tags: what the user set `data.columns.tags` to.
        file: the file's name, for notes and errors.
        report: takes the notes.
        hashes: whether lines that begin with `#` may be comments.
        blanks: whether tags may hold blanks.

    Raises:
        InputError: a column is not given by number, or both are the same.
    """
    # If all others are numbered, `#` can't be a token.
    hashes = hashes and _is_numbered(_without_hashes(sentences))
    sentences = _without_hashes(sentences) if hashes else sentences
    trailing = _empty_columns_at_end(sentences)
    if trailing:
        sentences = [[(number, row[: len(row) - trailing]) for number, row in rows] for rows in sentences]
    if tags is None and all(len(row) == 1 for rows in sentences for _, row in rows):
        return Layout(0, None, hashes, trailing)
    token_column, tag_column = _find_columns(sentences, tokens, tags, file, report)
    shortest = _columns_without_blanks(sentences, file, report) if blanks and tag_column == -1 else None
    return Layout(token_column, tag_column, hashes, trailing, shortest)


def laid_out(sentences: Sentences, layout: Layout) -> Sentences:
    """Return the sentences without comments and empty last columns, and with tags that hold blanks as one column."""
    if layout.hashes:
        sentences = _without_hashes(sentences)
    if not layout.trailing and layout.shortest is None:
        return sentences
    return [[(number, _cells(row, layout)) for number, row in rows] for rows in sentences]


def _cells(row: list[str], layout: Layout) -> list[str]:
    for _ in range(layout.trailing):
        if len(row) > 1 and not row[-1]:
            row = row[:-1]
    first = (layout.shortest or len(row)) - 1
    # A tag with blanks in it begins with a prefix. Without one, the line has a column too many, which is a fault.
    return [*row[:first], " ".join(row[first:])] if len(row) > first + 1 and PREFIXED.match(row[first]) else row


def _find_columns(
    sentences: Sentences, tokens: str | None, tags: str | None, file: str, report: ReadReport
) -> tuple[int, int]:
    """Return the columns of tokens and tags: those that the user named, or else those that the content shows."""
    numbered = _is_numbered(sentences)
    token_column = _column_number(tokens, "data.columns.tokens", 1 if numbered else 0)
    if numbered and tokens is None:
        report.note(f"{file}: the first column counts the tokens; they are in the second")
    if numbered and token_column == 0:
        raise InputError(f"data.columns.tokens=0: the first column of {file} counts the tokens. They are in column 1")
    tag_column = _column_number(tags, "data.columns.tags", -1)
    if numbered and tags is None and _has_two_tag_columns(sentences):
        report.note(f"{file}: two columns of tags; the first is taken. The second: data.columns.tags=3")
        tag_column = 2
    if token_column == tag_column:
        raise InputError(f"data.columns.tokens and data.columns.tags are both column {token_column}")
    return token_column, tag_column


def _is_numbered(sentences: Sentences) -> bool:
    """Tell whether the first column counts the tokens. With two columns, it is the column of the tokens itself."""
    most = max((len(row) for rows in sentences for _, row in rows), default=0)
    return most > 2 and counts_tokens([[row[0] for _, row in rows] for rows in sentences])


def counts_tokens(first_cells: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first column counts the tokens of each sentence, from 0 or 1."""
    longest = 0
    for cells in first_cells:
        counted = [cell for cell in cells if not RANGE_OR_EMPTY_NODE.fullmatch(cell)]
        if not counted or counted[0] not in ("0", "1"):
            return False
        begin = int(counted[0])
        if counted != [str(number) for number in range(begin, begin + len(counted))]:
            return False
        longest = max(longest, len(counted))
    return longest > 2


def _has_two_tag_columns(sentences: Sentences) -> bool:
    """Tell whether a numbered file has four columns, the last two of them IOB tags."""
    rows = [row for rows in sentences[:200] for _, row in rows]
    tags = [row[2:] for row in rows if len(row) == 4]
    return len(tags) == len(rows) and all(tag == "O" or PREFIXED.match(tag) for pair in tags for tag in pair)


def _column_number(value: str | None, key: str, default: int) -> int:
    if value is None:
        return default
    if not re.fullmatch(r"-?\d+", value):
        raise InputError(f"{key}={value}: the columns of CoNLL files are given by number: 0 the first, -1 the last")
    return int(value)


def _without_hashes(sentences: Sentences) -> list[list[Row]]:
    others = [[(number, row) for number, row in rows if not row[0].startswith("#")] for rows in sentences]
    return [rows for rows in others if rows]


def _empty_columns_at_end(sentences: Sentences) -> int:
    """Return how many empty columns all lines have at their end, behind one or more others."""
    rows = [row for rows in sentences for _, row in rows]
    return min((_empty_at_end(row) for row in rows), default=0)


def _empty_at_end(row: Sequence[str]) -> int:
    return next((empty for empty, cell in enumerate(reversed(row)) if cell), len(row) - 1)


def _columns_without_blanks(sentences: Sentences, file: str, report: ReadReport) -> int | None:
    """Return how many columns the lines have whose tags hold no blanks. None: no line has a tag with blanks.

    Tags hold blanks, as in `Mara B-Main Person`, if all lines have at least as many columns as the shortest, and each
    longer one has a tag with a prefix where the shortest have their last column.
    """
    rows = [row for rows in sentences for _, row in rows]
    shortest = min((len(row) for row in rows), default=0)
    longer = [row for row in rows if len(row) > shortest]
    if shortest < 2 or not longer or not all(PREFIXED.match(row[shortest - 1]) for row in longer):
        return None
    if not all(TAG.fullmatch(row[-1]) for row in rows if len(row) == shortest):
        return None
    report.note(f"{file}: tags hold blanks, such as '{' '.join(longer[0][shortest - 1 :])}'")
    return shortest
