"""CoNLL files: one token a line with its tag in another column, blank lines between sentences."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tasks.data.formats.delimited import unescaped
from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

SUFFIXES = (".conll", ".iob", ".iob2", ".bio", ".bioes", ".conll03", ".conll2003")
DOCUMENT_START = "-DOCSTART-"
RANGE_OR_EMPTY_NODE = re.compile(r"\d+-\d+|\d+\.\d+")
"Ids of CoNLL-U lines that repeat or add words: `1-2` (words written as one), `8.1` (a word not in the text)."
TAG = re.compile(r"[O0o_]|[BILUESM][-_]\S+|\S+[-_][BILUESM]|[A-Z][A-Za-z_]*")
PREFIXED = re.compile(r"[BILUESM]-\S")
LABEL_STUDIO_FILLER = ["-X-", "_"]
"What Label Studio writes in the second and third column of its CoNLL export."

Line = tuple[int, str]
"A line and its number in the file."
Row = tuple[int, list[str]]
"The columns of a line, and its number."


@dataclass(frozen=True)
class Layout:
    """Which columns of a file hold what."""

    tokens: int
    tags: int


def read_conll(
    text: str,
    file: str,
    report: ReadReport,
    *,
    tokens: str | None = None,
    tags: str | None = None,
    separator: str | None = None,
    comment: str | None = None,
    token_prefix: str | None = None,
) -> list[Record]:
    r"""Turn blocks of lines into sentences.

    >>> read_conll("Mara\tB-person\nleft\tO\n\nRain\tO\n", "train.conll", ReadReport())[0]
    Record(values={'tokens': ['Mara', 'left'], 'tags': ['B-person', 'O']}, origin=Origin('train.conll', 1, 'line'))

    If the first column counts the tokens of each sentence, as in GermEval's files, the tokens are in the second, and
    lines that start with `#` are comments. If blanks separate the columns, a tag may hold blanks itself.

    Args:
        text: the file's content, lines ending in `\n`.
        file: its name, for errors.
        report: takes sentences that have a line with too few columns, or an empty token or tag. If a column is counted
            from the end, it also takes sentences whose lines have different numbers of columns.
        tokens: number of the column of tokens, from 0; negative ones count from the end. None: the first that does not
            count.
        tags: number of the column of tags. None: the last; the third of a numbered file with two columns of tags.
        separator: what stands between columns. None: a tab if the line has one, or else blanks.
        comment: lines that start with this are left out. Lines that start with -DOCSTART- always are.
        token_prefix: what to remove from the beginning of each token.

    Raises:
        InputError: a column is not given by number.
    """
    sentences = [[(number, _columns(line, separator)) for number, line in lines] for lines in _sentences(text, comment)]
    sentences = _without_comments(sentences, comment)
    _drop_trailing_separator(sentences)
    if tags is None and all(len(row) == 1 for rows in sentences for _, row in rows):
        return _without_tags(sentences, file, token_prefix)
    layout = _layout(sentences, tokens, tags, file, report)
    if separator is None and layout.tags == -1:
        _join_tags_with_blanks(sentences, file, report)
    records = []
    for rows in sentences:
        if layout.tokens == 1:
            rows = [(number, row) for number, row in rows if not RANGE_OR_EMPTY_NODE.fullmatch(row[0])]
        fault = _fault(rows, layout.tokens, layout.tags)
        if fault is not None:
            report.bad_row("bad line in a sentence", fault[1], Origin(file, fault[0]))
        elif rows:
            words = [row[layout.tokens].removeprefix(token_prefix or "") for _, row in rows]
            values = {"tokens": words, "tags": [row[layout.tags] for _, row in rows]}
            records.append(Record(values, Origin(file, rows[0][0])))
    return records


def _without_tags(sentences: Sequence[Sequence[Row]], file: str, token_prefix: str | None) -> list[Record]:
    """Return the sentences of a file with a token on each line and nothing else, as test files without labels have."""
    return [
        Record({"tokens": [row[0].removeprefix(token_prefix or "") for _, row in rows]}, Origin(file, rows[0][0]))
        for rows in sentences
    ]


def _layout(
    sentences: Sequence[Sequence[Row]], tokens: str | None, tags: str | None, file: str, report: ReadReport
) -> Layout:
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
    return Layout(token_column, tag_column)


def _is_numbered(sentences: Sequence[Sequence[Row]]) -> bool:
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


def _has_two_tag_columns(sentences: Sequence[Sequence[Row]]) -> bool:
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


def _without_comments(sentences: list[list[Row]], comment: str | None) -> list[list[Row]]:
    """Leave lines out that begin with `#`, if all others are numbered, so that `#` can't be a token."""
    if comment is not None:
        return sentences
    others = [[(number, row) for number, row in rows if not row[0].startswith("#")] for rows in sentences]
    others = [rows for rows in others if rows]
    return others if _is_numbered(others) else sentences


def _drop_trailing_separator(sentences: Sequence[Sequence[Row]]) -> None:
    """Remove the empty last column that a separator at the end of every line makes."""
    rows = [row for rows in sentences for _, row in rows]
    while rows and all(len(row) > 1 and not row[-1] for row in rows):
        for row in rows:
            row.pop()


def _join_tags_with_blanks(sentences: Sequence[Sequence[Row]], file: str, report: ReadReport) -> None:
    """Put the rest of a line back together to one tag, as in `Mara B-Main Person`.

    It is a tag with blanks if all lines have at least as many columns as the shortest, and each longer one has a tag
    with a prefix where the shortest have their last column.
    """
    rows = [row for rows in sentences for _, row in rows]
    shortest = min((len(row) for row in rows), default=0)
    longer = [row for row in rows if len(row) > shortest]
    if shortest < 2 or not longer or not all(PREFIXED.match(row[shortest - 1]) for row in longer):
        return
    if not all(TAG.fullmatch(row[-1]) for row in rows if len(row) == shortest):
        return
    for row in longer:
        row[shortest - 1 :] = [" ".join(row[shortest - 1 :])]
    report.note(f"{file}: tags hold blanks, such as '{longer[0][-1]}'")


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


def _recognise(source: Source) -> Confidence:
    if source.suffix in SUFFIXES:
        return Confidence.CERTAIN
    if source.suffix in (".csv", ".jsonl", ".json", ".conllu") or source.json is not None:
        return Confidence.NO
    return Confidence.CERTAIN if looks_like_conll(source.lines) else Confidence.NO


def looks_like_conll(lines: Sequence[str]) -> bool:
    """Tell whether the lines form blocks and have at least two columns each, the last of them a tag."""
    content = [line for line in lines if not line.startswith(("#", DOCUMENT_START))]
    rows = [line.split() for line in content if line.strip()]
    if not rows or any(len(row) < 2 or not TAG.fullmatch(row[-1]) for row in rows):
        return False
    has_blocks = any(not line.strip() for line in "\n".join(content).strip().split("\n"))
    return has_blocks and any(row[-1] in ("O", "0") for row in rows)


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    records = read_conll(
        source.text,
        source.file,
        report,
        tokens=options.columns.tokens,
        tags=options.columns.tags,
        separator=None if options.separator is None else unescaped(options.separator),
        comment=options.comment,
        token_prefix=options.token_prefix,
    )
    if options.token_prefix is None:
        _note_language_prefix(records, source.file, report)
    rows = [line.split() for line in source.lines if line.strip() and not line.startswith(DOCUMENT_START)]
    is_label_studio = bool(rows) and all(row[1:3] == LABEL_STUDIO_FILLER for row in rows)
    return Contents(records, "CoNLL from Label Studio" if is_label_studio else "CoNLL")


def _note_language_prefix(records: Sequence[Record], file: str, report: ReadReport) -> None:
    """Add a note if all tokens begin with a language code, as in WikiANN's files."""
    beginnings = {match and match[0] for record in records for token in record.values["tokens"]
                  for match in [re.match(r"[a-z]{2,3}(-[a-z]+)*:", token)]}  # fmt: skip
    if len(beginnings) == 1 and None not in beginnings and len(records) > 1:
        prefix = beginnings.pop()
        report.note(
            f"{file}: every token begins with '{prefix}', as in WikiANN. To remove it: data.token_prefix={prefix}"
        )


CONLL = Reader("conll", _recognise, _read)
