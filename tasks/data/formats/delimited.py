"""CSV, TSV and the like: cells between separators, with names of the columns in the first line."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tasks.data.formats.cells_of_lines import Cells, plain_rows, quoted_rows
from tasks.data.formats.portions import Portions
from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.separators import (
    SEPARATORS,
    choose_separator,
    other_separator,
    sniff_separator,
    without_lines,
)
from tasks.data.formats.source import Beginning, Portion, Source
from tasks.data.formats.table import ROWS_LOOKED_AT, find_header, note_unnamed, records_of_rows, records_under
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError

CHARACTERS_LOOKED_AT = 100_000
"How many characters at the beginning of a file tell whether it is a table."


def read_delimited(
    text: str,
    file: str,
    report: ReadReport,
    *,
    separator: str,
    quoting: bool = True,
    header: Sequence[str] | None = None,
    skip_lines: int | None = None,
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
        skip_lines: how many lines at the beginning to leave out. None: none, but a header line must not become a row.

    Raises:
        InputError: a quote is not closed, or the header can't be used.
    """
    cells = _CellsOfRows(separator, quoting, header)
    text, first_line = without_lines(text, skip_lines or 0)
    rows = cells.of(text, file, first_line)
    hint = other_separator(text, separator)
    records = records_of_rows(rows, file, report, header=header, skip_lines=skip_lines, hint=hint)
    joined = _joined_rows(records, separator) if quoting else []
    if joined:
        _note_joined_rows(len(joined), joined[0], file, report)
    return records


@dataclass(frozen=True)
class _CellsOfRows:
    """How rows are cut into cells. The fields are arguments of `read_delimited`."""

    separator: str
    quoting: bool
    header: Sequence[str] | None

    def __post_init__(self) -> None:
        if not self.separator:
            raise InputError("data.separator is empty: give the character(s) between columns, or null")

    def of(self, text: str, file: str, first_line: int, *, goes_on: bool = False) -> Generator[Cells, None, int]:
        """Yield the first line and the cells of each row, and return where the last of them ends; see `quoted_rows`."""
        if self.quoting:
            return (yield from quoted_rows(text, file, self.separator, first_line, goes_on=goes_on))
        yield from plain_rows(text, self.separator, None if self.header is None else len(self.header), first_line)
        return len(text)


def _joined_rows(records: Sequence[Record], separator: str) -> list[int]:
    """Return the first line of each quote that seems to have joined lines that are rows by themselves.

    A quote that is part of a text joins its line with the next one that has a quote. The first of these lines then
    ends with a cell that other rows have at their end, too; or a line in between is a row, with a label that recurs.
    """
    split = [list(record.values.values()) for record in records]
    if not any("\n" in cell for cells in split for cell in cells):
        return []
    columns = [set(column) for column in zip(*split, strict=True)]
    labels = [column if len(column) <= len(records) / 2 else set() for column in columns]
    lines = []
    for record, cells in zip(records, split, strict=True):
        for position, cell in enumerate(cells):
            first, *others = (line.split(separator) for line in cell.split("\n"))
            begins = bool(others) and len(first) == len(cells) - position > 1 and first[-1] in columns[-1]
            if begins or any(len(line) == len(cells) and any(map(set.__contains__, labels, line)) for line in others):
                lines.append(record.origin.number)
    return lines


def _note_joined_rows(count: int, line: int, file: str, report: ReadReport) -> None:
    """Add a note about lines that quotes seem to have joined with the next ones; `line` is the first of them."""
    report.note(
        f"{file}: quotes join {count} lines with the next ones, as in line {line}, though they look like rows of their "
        "own. Where double quotes are ordinary characters: data.quoting=false"
    )


class _PortionsOfTable(Portions):
    """A table whose separator and header are those of its beginning.

    Whether quotes join rows by themselves is seen by the other rows of the portion, and noted once for all portions.
    """

    def __init__(
        self, what: str, source: Beginning, rows: str, separator: str, options: DataOptions, report: ReadReport
    ) -> None:
        self.what = what
        self._file, self._report = source.file, report
        self._cells = _CellsOfRows(separator, options.quoting, options.header)
        below, first_line = without_lines(rows, options.skip_lines or 0)
        self.start = len(source.text) - len(below)
        rows_ahead = self._cells.of(below, source.file, first_line, goes_on=source.goes_on)
        # With names of the user's, the first row may still be a header line, which other rows show.
        looked_at = None if options.header is not None and options.skip_lines is None else ROWS_LOOKED_AT
        first = list(islice(rows_ahead, looked_at))
        hint = other_separator(below, separator)
        self._header = find_header(first, source.file, options.header, options.skip_lines, hint)
        self._header_is_ahead = self._header.is_row
        self._filled = 0
        self._joined: list[int] = []

    def read(self, portion: Portion) -> tuple[list[Record], int]:
        """Return the records of the rows that end in the portion."""
        end = 0

        def read_rows() -> Iterator[Cells]:
            nonlocal end
            end = yield from self._cells.of(portion.text, self._file, portion.first_line, goes_on=portion.goes_on)

        rows = read_rows()
        if self._header_is_ahead:
            self._header_is_ahead = next(rows, None) is None
        records, filled = records_under(self._header, rows, self._file, self._report)
        self._filled += filled
        if self._cells.quoting:
            self._joined += _joined_rows(records, self._cells.separator)
        return records, end

    def finish(self) -> None:
        """Add the notes about columns without a name, and about quotes that join rows."""
        note_unnamed(self._header, self._filled, self._file, self._report)
        if self._joined:
            _note_joined_rows(len(self._joined), self._joined[0], self._file, self._report)


def _first_lines(source: Source) -> tuple[str, bool]:
    """Return the first lines of a text, up to `CHARACTERS_LOOKED_AT`, and whether more follows."""
    text = source.text
    if len(text) <= CHARACTERS_LOOKED_AT:
        return text, source.goes_on
    return text[: text.rfind("\n", 0, CHARACTERS_LOOKED_AT) + 1], True


def _reader(name: str, usual: str) -> Reader:
    def recognise(source: Source) -> Confidence:
        if source.suffix == f".{name}":
            return Confidence.LIKELY
        if source.suffix in (".csv", ".tsv") or source.json is not None:
            return Confidence.NO
        fitting = sniff_separator(*_first_lines(source))
        # Files of other extensions with semicolons or bars are read as CSV, too.
        is_own = usual in fitting if usual == "\t" else bool(fitting) and "\t" not in fitting
        return Confidence.LIKELY if is_own else Confidence.NO

    def read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
        separator, text = choose_separator(source, options, usual)
        records = read_delimited(
            text,
            source.file,
            report,
            separator=separator,
            quoting=options.quoting,
            header=options.header,
            skip_lines=options.skip_lines,
        )
        return Contents(records, described(separator))

    def in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
        separator, text = choose_separator(source, options, usual)
        return _PortionsOfTable(described(separator), source, text, separator, options, report)

    def described(separator: str) -> str:
        between = "" if separator == usual else f" with {SEPARATORS.get(separator, repr(separator))} between columns"
        return f"{name.upper()}{between}"

    return Reader(name, recognise, read, in_portions=in_portions)


CSV = _reader("csv", ",")
TSV = _reader("tsv", "\t")
