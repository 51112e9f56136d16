"""fastText's classification files: `__label__NAME` once or several times, then the text."""

import re

from tasks.data.formats.conll import SUFFIXES as CONLL_SUFFIXES
from tasks.data.formats.portions import Portions, PortionsOfLines
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record

MARK = "__label__"
LABELS = re.compile(r"(?:[\s,]*__label__\S+)+")


def read_fasttext(text: str, file: str, report: ReadReport, first_line: int = 1) -> list[Record]:
    """Turn each line that is not blank into a record. Lines without a label go to `report`.

    >>> read_fasttext("__label__good warm beds", "lodge.txt", ReadReport())[0].values
    {'text': 'warm beds', 'label': ['good']}
    """
    records = []
    for number, line in enumerate(text.split("\n"), start=first_line):
        if not line.strip():
            continue
        origin = Origin(file, number)
        match = LABELS.match(line)
        if match is None:
            report.bad_row("no label", f"the line does not begin with {MARK}: {line[:40]}", origin)
            continue
        labels = [label.rstrip(",") for label in re.split(r"[\s,]*__label__", match[0])[1:]]
        records.append(Record({"text": line[match.end() :].strip(), "label": labels}, origin))
    return records


def _recognise(source: Source) -> Confidence:
    if source.suffix in CONLL_SUFFIXES:
        return Confidence.NO
    lines = [line for line in source.lines if line.strip()]
    return certain_if(bool(lines) and sum(line.startswith(MARK) for line in lines) > len(lines) / 2)


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    return Contents(read_fasttext(source.text, source.file, report, source.first_line), "fastText")


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
    del source
    return PortionsOfLines("fastText", lambda portion: _read(portion, options, report).records)


FASTTEXT = Reader("fasttext", _recognise, _read, in_portions=_in_portions)
