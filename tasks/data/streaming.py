"""Reading of files of any size, and of standard input, portion by portion."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tasks.data.annotation.brat import without_partners
from tasks.data.byte_stream import ByteStream, Readable
from tasks.data.column_names import USUAL_COLUMNS
from tasks.data.counted import Counted
from tasks.data.files import find_files
from tasks.data.formats.arrow_tables import PARQUET, stream_parquet
from tasks.data.formats.delimited import CSV, TSV
from tasks.data.formats.portions import Portions
from tasks.data.formats.separators import SEPARATORS
from tasks.data.formats.source import Beginning, GivenSource, Portion, Source
from tasks.data.options import DataOptions
from tasks.data.read import by_mark, read_records, read_source, recognised, require_rows
from tasks.data.readers import JSON_ROWS, binary_reader, choose_reader, require_format
from tasks.data.records import ReadReport, Record
from tasks.data.text_stream import TextStream
from tasks.errors import InputError

STANDARD_INPUT = "-"
"What is written for standard input where a file is named."
LOOKED_AT = 1 << 20
"How many characters at the beginning of a file tell what it is and how it is laid out, if it has as many."

Opened = tuple[str, Iterator[list[Record]]]
"What a file was recognised as, and its portions."


def stream_records(
    value: Any,
    options: DataOptions,
    report: ReadReport,
    key: str = "data.train",
    portion_bytes: int = 4 << 20,
    fallback: str | None = None,
) -> Iterator[list[Record]]:
    """Return the rows of files in portions, one after another: the same that `read_records` returns at once.

    Read in portions: CSV, TSV, JSON lines (those of doccano, Prodigy, spaCy and CLUENER, too), CoNLL, CoNLL-U,
    CoNLL-2012, fastText, a text on each line, and Parquet; packed or not, in any encoding. A portion ends between rows;
    a row or sentence that is longer makes its portion as long as it is. Everything else is one portion, which takes the
    memory of the file: other JSON, SQuAD, Label Studio, brat, Excel, Arrow, DocBin, folders, zip archives, Parquet that
    is packed or comes from standard input, and the hub. Text whose lines end in carriage returns alone takes it, too.

    What `read_records` decides by all rows is decided here by the first `LOOKED_AT` characters, so that it may differ
    for a longer file: the format, the separator, whether the first row is a header line although `data.header` names
    the columns, the layout of CoNLL lines, where CoNLL-U has its tags, and what a Prodigy file annotates. Rows further
    on that do not fit are bad rows. Of the notes, only the one about quotes that join rows may differ: a row is
    compared with those of its portion. A quote that is open for `cells_of_lines.LONGEST_ROW` characters is taken for
    one that is never closed. A fault is found when its portion is read: those before it have been returned by then.

    Args:
        value: a path, a glob or a list of them, or `-` for standard input, whose records have the origin `stdin`.
        options: how the files are read. Its own files are not used.
        report: takes bad rows and notes, and in the end what the files were recognised as.
        key: the config key of the value, for errors.
        portion_bytes: how many characters of text a portion has, rounded up to whole rows; of Parquet, how many bytes.
        fallback: the format of files that no reader recognises; see `choose_reader`; and of texts that are tables only
            by the number of their commas. None: they are refused.

    Raises:
        InputError: there is no such file, or it can't be read, or has no rows.
    """
    require_format(options.format)
    if options.hub is not None or options.format == "hub":
        return iter([read_records(replace(options, train=value), "train", report) or []])
    how = _How(options, report, key, portion_bytes, fallback)
    if value in (STANDARD_INPUT, [STANDARD_INPUT]):
        return _stream([_File(Path("stdin"), is_standard_input=True)], how)
    return _stream([_File(path) for path in without_partners(find_files(value, key, folders=True))], how)


@dataclass(frozen=True)
class _How:
    """How files are read. The fields are arguments of `stream_records`."""

    options: DataOptions
    report: ReadReport
    key: str
    portion_bytes: int
    fallback: str | None


@dataclass(frozen=True)
class _File:
    """A file, or standard input."""

    path: Path
    is_standard_input: bool = False

    def open(self, stack: ExitStack) -> Readable:
        """Return the file's bytes. The stack closes it, unless it is standard input.

        Raises:
            InputError: it can't be opened.
        """
        if self.is_standard_input:
            return sys.stdin.buffer
        try:
            return stack.enter_context(self.path.open("rb"))
        except OSError as error:
            raise InputError(f"{self.path}: can't be read: {error.strerror}") from error


def _stream(files: list[_File], how: _How) -> Iterator[list[Record]]:
    """Yield the portions of files, and report what they are in the end."""
    kinds: dict[str, list[Path]] = {}
    counted: dict[str, Counted] = defaultdict(Counted)
    for file in files:
        rows = 0
        with ExitStack() as stack:
            what, portions = _open(file, stack, how)
            for records in portions:
                rows += len(records)
                counted[what].add(records)
                if records:
                    yield records
        require_rows(rows, str(file.path), how.report)
        kinds.setdefault(what, []).append(file.path)
    how.report.recognised += recognised(how.key.removeprefix("data."), kinds, counted)


def _open(file: _File, stack: ExitStack, how: _How) -> Opened:
    """Return what a file is, and its portions. The stack closes the file."""
    path, encoding = file.path, how.options.encoding
    if path.is_dir() and not file.is_standard_input:
        return _whole(Source(path, encoding), how)
    stream = ByteStream(file.open(stack), path)
    if stream.is_archive and not file.is_standard_input:
        return _whole(Source(path, encoding), how)
    binary = binary_reader(GivenSource(path, encoding, content=stream.beginning), how.options.format)
    if binary is PARQUET and not stream.is_packed and not file.is_standard_input and path.is_file():
        return "Parquet", stream_parquet(path, how.portion_bytes)
    found = None if binary is not None else _portions_of_text(stream, path, how)
    return _whole(GivenSource(path, encoding, content=stream.whole()), how) if found is None else found


def _whole(source: Source, how: _How) -> Opened:
    contents = read_source(source, how.key, how.options, how.report, how.fallback)
    return contents.what, iter([contents.records])


def _portions_of_text(stream: ByteStream, path: Path, how: _How) -> Opened | None:
    """Return what a text is, and its portions. None: it has to be read as a whole."""
    options = how.options
    text = TextStream(stream.read, stream.beginning, options.encoding, path)
    source = _look_at(text, stream.beginning, path, options)
    # Of JSON that is cut off, only lines can be recognised.
    is_lines = source.json is not None and source.json.shape == "lines"
    if options.format == "auto" and source.goes_on and JSON_ROWS.match(source.text) and not is_lines:
        return None
    reader = choose_reader(source, options.format, how.fallback)
    if how.fallback is not None and options.format == "auto" and reader in (CSV, TSV) and _is_prose(source, options):
        reader = choose_reader(source, how.fallback)
    portions = None if reader.in_portions is None else reader.in_portions(source, options, how.report)
    if portions is None:
        return None
    stream.forget()
    what = portions.what + by_mark(stream.beginning, options.encoding)
    return what, _read_portions(text, portions, source, how.portion_bytes)


def _is_prose(source: Source, options: DataOptions) -> bool:
    """Tell whether a text without the extension of a table is none, though all its lines have equally many commas.

    It is a table if its first line names a usual column, or if the user says how its columns are named or separated.
    """
    named = asdict(options.columns).values()
    if (
        source.suffix not in ("", ".txt")
        or options.header
        or options.separator
        or any(name is not None for name in named)
    ):
        return False
    cells = re.split("|".join(map(re.escape, SEPARATORS)), source.lines[options.skip_lines or 0])
    return not any(cell.strip(' "').casefold() in USUAL_COLUMNS for cell in cells)


def _look_at(text: TextStream, beginning: bytes, path: Path, options: DataOptions) -> Beginning:
    size = LOOKED_AT
    lines, goes_on = text.peek(size)
    while goes_on and lines.count("\n") <= (options.skip_lines or 0):
        size *= 2
        lines, goes_on = text.peek(size)
    return Beginning(path, options.encoding, goes_on=goes_on, content=beginning, beginning=lines)


def _read_portions(
    text: TextStream, portions: Portions, source: Beginning, portion_bytes: int
) -> Iterator[list[Record]]:
    line = 1 + text.skip(portions.start).count("\n")
    rest, size, goes_on = "", portion_bytes, True
    while goes_on:
        rows, goes_on = text.take(size)
        portion = Portion(source.path, source.encoding, line, goes_on, rows=rest + rows)
        records, used = portions.read(portion)
        line += portion.rows.count("\n", 0, used)
        rest = portion.rows[used:]
        # What does not hold a whole row is doubled, so that a long row is not looked at again and again.
        size = portion_bytes if used else max(portion_bytes, len(rest))
        yield records
    portions.finish()
