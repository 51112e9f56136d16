"""CoNLL-2012 (OntoNotes): twelve columns or more, entities written as brackets such as `(PERSON*`, `*`, `*)`."""

import re
from itertools import groupby

from tasks.data.formats.document_starts import report_document_starts
from tasks.data.formats.portions import Portions, PortionsOfBlocks
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record

TOKENS, ENTITIES = 3, 10
"Numbers of the columns, by the task description: http://conll.cemantix.org/2012/data.html."
BRACKETS = re.compile(r"(?:\((?P<type>[^()*\s]+))?\*?(?P<close>\))?")


def read_conll2012(
    text: str, file: str, report: ReadReport, *, entities: int = ENTITIES, first_line: int = 1
) -> list[Record]:
    """Turn blocks of lines into sentences with IOB2 tags. Sentences with a line that can't be read go to `report`."""
    report_document_starts(text, file, first_line, report)
    records = []
    numbered = enumerate(text.split("\n"), start=first_line)
    for is_between, block in groupby(numbered, key=lambda line: _separates(line[1])):
        if is_between:
            continue
        lines = [(number, line.split()) for number, line in block]
        short = next((number for number, cells in lines if len(cells) <= entities), None)
        if short is not None:
            report.bad_row("bad line in a sentence", f"fewer than {entities + 1} columns", Origin(file, short))
            continue
        origin = Origin(file, lines[0][0])
        try:
            tags = tags_of_brackets([cells[entities] for _, cells in lines])
        except ValueError as error:
            report.bad_row("bad brackets", str(error), origin)
            continue
        records.append(Record({"tokens": [cells[TOKENS] for _, cells in lines], "tags": tags}, origin))
    return records


def _separates(line: str) -> bool:
    return not line.strip() or line.startswith("#")


def tags_of_brackets(cells: list[str]) -> list[str]:
    """Return the IOB2 tags of one sentence.

    >>> tags_of_brackets(["(PERSON*", "*)", "*", "(GPE)"])
    ['B-PERSON', 'I-PERSON', 'O', 'B-GPE']

    Raises:
        ValueError: brackets are nested, or do not match.
    """
    tags, inside = [], None
    for cell in cells:
        match = BRACKETS.fullmatch(cell)
        if match is None or not cell:
            raise ValueError(f"{cell!r} is no bracket such as (PERSON*, * or *)")
        if match["type"]:
            if inside:
                raise ValueError(f"{cell!r} begins inside of a {inside}")
            inside = match["type"]
            tags.append(f"B-{inside}")
        else:
            if match["close"] and not inside:
                raise ValueError(f"{cell!r} closes a bracket that is not open")
            tags.append(f"I-{inside}" if inside else "O")
        if match["close"]:
            inside = None
    if inside:
        raise ValueError(f"the bracket of a {inside} is not closed")
    return tags


def _recognise(source: Source) -> Confidence:
    return certain_if(
        source.suffix in (".gold_conll", ".auto_conll", ".v4_gold_conll") or source.text.startswith("#begin document")
    )


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    column = options.columns.tags
    entities = int(column) if column is not None and column.isdecimal() else ENTITIES
    records = read_conll2012(source.text, source.file, report, entities=entities, first_line=source.first_line)
    return Contents(records, "CoNLL-2012")


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
    del source
    return PortionsOfBlocks("CoNLL-2012", lambda portion: _read(portion, options, report).records, _separates)


CONLL_2012 = Reader("conll2012", _recognise, _read, in_portions=_in_portions)
