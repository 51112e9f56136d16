"""CSV, TSV and the like: cells between separators, with names of the columns in the first line."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from tasks.data.formats.cells_of_lines import Cells, plain_rows, quoted_rows
from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.source import Source
from tasks.data.formats.table import records_of_rows
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record
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
    if not separator:
        raise InputError("data.separator is empty: give the character(s) between columns, or null")
    text, first_line = _without_lines(text, skip_lines or 0)
    most_cells = len(header) if header is not None and not quoting else None
    if quoting:
        rows = quoted_rows(text, file, separator, first_line)
    else:
        rows = plain_rows(text, separator, most_cells, first_line)
    records = records_of_rows(
        rows, file, report, header=header, skip_lines=skip_lines, hint=_other_separator(text, separator)
    )
    if quoting:
        _note_joined_rows(records, file, separator, report)
    return records


def _note_joined_rows(records: Sequence[Record], file: str, separator: str, report: ReadReport) -> None:
    """Add a note if quotes seem to have joined lines that are rows by themselves.

    A quote that is part of a text joins its line with the next one that has a quote. The first of these lines then
    ends with a cell that other rows have at their end, too; or a line in between is a row, with a label that recurs.
    """
    split = [list(record.values.values()) for record in records]
    if not any("\n" in cell for cells in split for cell in cells):
        return
    columns = [set(column) for column in zip(*split, strict=True)]
    labels = [column if len(column) <= len(records) / 2 else set() for column in columns]
    joined = []
    for record, cells in zip(records, split, strict=True):
        for position, cell in enumerate(cells):
            first, *others = (line.split(separator) for line in cell.split("\n"))
            begins = bool(others) and len(first) == len(cells) - position > 1 and first[-1] in columns[-1]
            if begins or any(len(line) == len(cells) and any(map(set.__contains__, labels, line)) for line in others):
                joined.append(record)
    if joined:
        report.note(
            f"{file}: quotes join {len(joined)} lines with the next ones, as in line {joined[0].origin.number}, though "
            "they look like rows of their own. Where double quotes are ordinary characters: data.quoting=false"
        )


def _without_lines(text: str, count: int) -> tuple[str, int]:
    """Return the text without its first lines, and the number of the first line that is left."""
    for _ in range(count):
        _, newline, text = text.partition("\n")
        if not newline:
            break
    return text, count + 1


def _other_separator(text: str, separator: str) -> str:
    """Return a question about the separator, if the first line has another usual one."""
    header = text.partition("\n")[0]
    others = [other for other in SEPARATORS if other != separator and other in header]
    between = SEPARATORS.get(separator, repr(separator))
    question = f" Is it another separator: data.separator='{WRITTEN[others[0]]}'?" if others else ""
    return f" {between[0].upper()}{between[1:]} was taken for the separator.{question}" if question else ""


def sniff_separator(text: str, quoting: bool = True) -> list[str]:
    r"""Return the separators that fit: the header line and all the first rows have as many cells, two or more.

    >>> sniff_separator("text;label\nwarm beds, cold soup;mixed\n")
    [';']
    """
    return [
        separator
        for separator in SEPARATORS
        if separator in text.partition("\n")[0] and _fits(text, separator, quoting)
    ]


def _fits(text: str, separator: str, quoting: bool) -> bool:
    rows: Iterator[Cells] = quoted_rows(text, "", separator) if quoting else plain_rows(text, separator, None)
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
    fitting = sniff_separator(_without_lines(text, options.skip_lines or 0)[0], options.quoting)
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


def _reader(name: str, usual: str) -> Reader:
    def recognise(source: Source) -> Confidence:
        if source.suffix == f".{name}":
            return Confidence.LIKELY
        if source.suffix in (".csv", ".tsv") or source.json is not None:
            return Confidence.NO
        fitting = sniff_separator(source.text[:100_000])
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
        between = "" if separator == usual else f" with {SEPARATORS.get(separator, repr(separator))} between columns"
        return Contents(records, f"{name.upper()}{between}")

    return Reader(name, recognise, read)


CSV = _reader("csv", ",")
TSV = _reader("tsv", "\t")
