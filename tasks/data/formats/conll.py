"""CoNLL files: one token a line with its tag in another column, blank lines between sentences."""

import re
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import TypedDict

from tasks.data.formats.conll_layout import RANGE_OR_EMPTY_NODE, TAG, Layout, Row, find_layout, laid_out
from tasks.data.formats.document_starts import report_document_starts
from tasks.data.formats.portions import Portions, PortionsOfBlocks
from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.separators import unescaped
from tasks.data.formats.source import Beginning, Portion, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record

SUFFIXES = (".conll", ".iob", ".iob2", ".bio", ".bioes", ".conll03", ".conll2003")
DOCUMENT_START = "-DOCSTART-"
LABEL_STUDIO_FILLER = ["-X-", "_"]
"What Label Studio writes in the second and third column of its CoNLL export."
LANGUAGE_PREFIX = re.compile(r"[a-z]{2,3}(-[a-z]+)*:")


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
    layout: Layout | None = None,
    first_line: int = 1,
) -> list[Record]:
    r"""Turn blocks of lines into sentences.

    >>> read_conll("Mara\tB-person\nleft\tO\n\nRain\tO\n", "train.conll", ReadReport())[0]
    Record(values={'tokens': ['Mara', 'left'], 'tags': ['B-person', 'O']}, origin=Origin('train.conll', 1, 'line'))

    If the first column counts the tokens of each sentence, as in GermEval's files, the tokens are in the second, and
    lines that start with `#` are comments. If blanks separate the columns, a tag may hold blanks itself.

    Args:
        text: the file's content, lines ending in `\n`.
        file: its name, for errors.
        report: takes the starts of documents, and sentences that have a line with too few columns, or an empty token or
            tag. If a column is counted
            from the end, it also takes sentences whose lines have different numbers of columns.
        tokens: number of the column of tokens, from 0; negative ones count from the end. None: the first that does not
            count.
        tags: number of the column of tags. None: the last; the third of a numbered file with two columns of tags.
        separator: what stands between columns. None: a tab if the line has one, or else blanks.
        comment: lines that start with this are left out. Lines that start with -DOCSTART- always are.
        token_prefix: what to remove from the beginning of each token.
        layout: the columns of the lines, if they are known. None: they are found by `tokens`, `tags` and the content.
        first_line: the number of the text's first line.

    Raises:
        InputError: a column is not given by number.
    """
    report_document_starts(text, file, first_line, report)
    sentences = _sentences(text, separator, comment, first_line)
    if layout is None:
        layout = _find_layout(sentences, file, report, tokens, tags, separator, comment)
    records = []
    for rows in laid_out(sentences, layout):
        if layout.tokens == 1:
            rows = [(number, row) for number, row in rows if not RANGE_OR_EMPTY_NODE.fullmatch(row[0])]
        fault = _fault(rows, layout)
        if fault is not None:
            report.bad_row("bad line in a sentence", fault[1], Origin(file, fault[0]))
        elif rows:
            values = {"tokens": [row[layout.tokens].removeprefix(token_prefix or "") for _, row in rows]}
            if layout.tags is not None:
                values["tags"] = [row[layout.tags] for _, row in rows]
            records.append(Record(values, Origin(file, rows[0][0])))
    return records


def _find_layout(
    sentences: Sequence[Sequence[Row]],
    file: str,
    report: ReadReport,
    tokens: str | None,
    tags: str | None,
    separator: str | None,
    comment: str | None,
) -> Layout:
    return find_layout(sentences, tokens, tags, file, report, hashes=comment is None, blanks=separator is None)


def _sentences(text: str, separator: str | None, comment: str | None, first_line: int = 1) -> list[list[Row]]:
    """Return the columns of the lines of each block."""
    numbered = enumerate(text.split("\n"), start=first_line)
    kept = (line for line in numbered if not _is_comment(line[1], comment))
    blocks = groupby(kept, key=lambda line: _separates(line[1], comment))
    return [[(number, _columns(line, separator)) for number, line in lines] for between, lines in blocks if not between]


def _is_comment(line: str, comment: str | None) -> bool:
    return bool(comment) and line.startswith(comment or "")


def _separates(line: str, comment: str | None) -> bool:
    """Tell whether a line stands between blocks. Lines of only white space do, too, as in WNUT-17's files."""
    return not _is_comment(line, comment) and (not line or line.isspace() or line.startswith(DOCUMENT_START))


def _columns(line: str, separator: str | None) -> list[str]:
    if separator is None and "\t" in line:
        separator = "\t"
    # Not split() without argument: it also splits at no-break spaces and others, which may be part of a token.
    return line.split(separator) if separator else re.split(" +", line.strip(" "))


def _fault(rows: Sequence[Row], layout: Layout) -> tuple[int, str] | None:
    """Return the number of the first line with unusable columns and what is wrong with it, or None."""
    token_column, tag_column = layout.tokens, layout.tags
    if tag_column is None:
        longer = next(((number, row) for number, row in rows if len(row) > 1), None)
        return longer and (
            longer[0],
            f"{len(longer[1])} columns, but lines before have only one: {' '.join(longer[1])!r}",
        )
    # By default tokens are the first column and tags the last: a single column would be both.
    needed = max(2, *(column + 1 if column >= 0 else -column for column in (token_column, tag_column)))
    from_end = min(token_column, tag_column) < 0
    first_number, first_row = rows[0] if rows else (0, [])
    for number, row in rows:
        if len(row) < needed:
            return number, f"{_columns_of(row)}, but {needed} are needed: {' '.join(row)!r}"
        if from_end and len(row) != len(first_row):
            return number, (
                f"{_columns_of(row)}, but {len(first_row)} in line {first_number}. Which are meant? Number them "
                "from 0 with data.columns.tokens and data.columns.tags; if these are comments, say how they start with "
                "data.comment"
            )
        for column, what in ((token_column, "token"), (tag_column, "tag")):
            if not row[column].strip():
                return number, f"the {what} in column {column} is empty"
    return None


def _columns_of(row: Sequence[str]) -> str:
    return f"{len(row)} column{'' if len(row) == 1 else 's'}"


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


class _Settings(TypedDict):
    """What the user chose of the arguments of `read_conll`."""

    tokens: str | None
    tags: str | None
    separator: str | None
    comment: str | None


def _settings(options: DataOptions) -> _Settings:
    return {
        "tokens": options.columns.tokens,
        "tags": options.columns.tags,
        "separator": None if options.separator is None else unescaped(options.separator),
        "comment": options.comment,
    }


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    records = read_conll(source.text, source.file, report, **_settings(options), token_prefix=options.token_prefix)
    prefixes = _LanguagePrefixes(options)
    prefixes.look_at(records)
    prefixes.note(source.file, report)
    return Contents(records, _what(source))


def _what(source: Source) -> str:
    rows = [line.split() for line in source.lines if line.strip() and not line.startswith(DOCUMENT_START)]
    is_label_studio = bool(rows) and all(row[1:3] == LABEL_STUDIO_FILLER for row in rows)
    return "CoNLL from Label Studio" if is_label_studio else "CoNLL"


class _LanguagePrefixes:
    """The language codes that tokens begin with, as in WikiANN's files."""

    def __init__(self, options: DataOptions) -> None:
        self._is_asked = options.token_prefix is None
        self._beginnings: set[str | None] = set()
        self._sentences = 0

    def look_at(self, records: Sequence[Record]) -> None:
        """Look at more sentences of a file."""
        self._sentences += len(records)
        tokens = (token for record in records for token in record.values["tokens"])
        while self._is_asked and len(self._beginnings) < 2 and (token := next(tokens, None)) is not None:
            match = LANGUAGE_PREFIX.match(token)
            self._beginnings.add(match and match[0])

    def note(self, file: str, report: ReadReport) -> None:
        """Add a note if all tokens begin with the same language code."""
        (prefix, *others) = self._beginnings or {None}
        if prefix is not None and not others and self._sentences > 1:
            report.note(
                f"{file}: every token begins with '{prefix}', as in WikiANN. To remove it: data.token_prefix={prefix}"
            )


class _PortionsOfSentences(PortionsOfBlocks):
    """A file whose lines are laid out as those of its beginning."""

    def __init__(self, source: Beginning, options: DataOptions, report: ReadReport) -> None:
        settings = _settings(options)
        super().__init__(_what(source), self._read_sentences, partial(_separates, comment=options.comment))
        sentences = _sentences(source.text, settings["separator"], settings["comment"])
        self._layout = _find_layout(sentences, source.file, report, **settings)
        self._options, self._report = options, report
        self._prefixes = _LanguagePrefixes(options)
        self._file = source.file

    def _read_sentences(self, portion: Portion) -> list[Record]:
        records = read_conll(
            portion.text,
            portion.file,
            self._report,
            **_settings(self._options),
            token_prefix=self._options.token_prefix,
            layout=self._layout,
            first_line=portion.first_line,
        )
        self._prefixes.look_at(records)
        return records

    def finish(self) -> None:
        """Add the note about language codes."""
        self._prefixes.note(self._file, self._report)


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
    return _PortionsOfSentences(source, options, report)


CONLL = Reader("conll", _recognise, _read, in_portions=_in_portions)
