"""Plain text: a text on each line, without labels."""

from tasks.data.formats.portions import Portions, PortionsOfLines
from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record

WHAT = "a text on each line"


def read_plain_text(text: str, file: str, first_line: int = 1) -> list[Record]:
    r"""Turn each line that is not blank into a record, as it is in the file.

    >>> read_plain_text("warm beds\n\ncold soup\n", "lodge.txt")[1]
    Record(values={'text': 'cold soup'}, origin=Origin('lodge.txt', 3, 'line'))
    """
    # Not splitlines(): it also splits at U+2028, U+0085 and others, which may be part of a text.
    numbered = enumerate(text.split("\n"), start=first_line)
    return [Record({"text": line}, Origin(file, number)) for number, line in numbered if line.strip()]


def _recognise(source: Source) -> Confidence:
    """Return no: nothing tells a text on each line from rows of another format, so that the user has to say it."""
    del source
    return Confidence.NO


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options, report
    return Contents(read_plain_text(source.text, source.file, source.first_line), WHAT)


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
    del source
    return PortionsOfLines(WHAT, lambda portion: _read(portion, options, report).records)


PLAIN_TEXT = Reader("txt", _recognise, _read, in_portions=_in_portions)
