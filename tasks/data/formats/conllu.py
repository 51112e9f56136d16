"""CoNLL-U: ten columns by https://universaldependencies.org/format.html, entity tags in MISC or in an added column."""

import re
from collections import Counter
from itertools import groupby

from tasks.data.formats.conll_layout import RANGE_OR_EMPTY_NODE
from tasks.data.formats.document_starts import report_document_starts
from tasks.data.formats.portions import Portions, PortionsOfBlocks
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

FORM, MISC, COLUMNS = 1, 9, 10
ENTITY_KEYS = ("NER", "ner", "NE", "ne", "Entity", "entity", "name", "BIO", "Tag")
"Keys in MISC under which data sets store tags, in the order in which they are looked for."

Cells = list[str]


Words = list[tuple[Origin, list[Cells]]]
"The cells of each sentence's words, and where the sentence begins."


def read_conllu(
    text: str,
    file: str,
    report: ReadReport,
    *,
    tags: str | None = None,
    place: str | None = None,
    first_line: int = 1,
) -> list[Record]:
    """Turn blocks of lines into sentences. Words without a tag in MISC get `O`.

    Args:
        text: the file's content.
        file: its name, for errors.
        report: takes sentences with a line of too few columns.
        tags: a key of MISC, or the number of a column. None: a usual key of MISC, or else the column after MISC.
        place: which of these it is, where it has been found already.
        first_line: the number of the text's first line.

    Raises:
        InputError: no tags can be found.
    """
    report_document_starts(text, file, first_line, report)
    sentences = _words(text, file, report, first_line)
    # A key that the user names is the name of the column, too, so that the task finds it by data.columns.tags.
    name = "tags" if tags is None or re.fullmatch(r"-?\d+", tags) else tags
    where = tags or place or _tag_place(sentences, file, report)
    return [
        Record({"tokens": [cells[FORM] for cells in words], name: [_tag(cells, where) for cells in words]}, origin)
        for origin, words in sentences
    ]


def _words(text: str, file: str, report: ReadReport, first_line: int) -> Words:
    sentences: Words = []
    numbered = enumerate(text.split("\n"), start=first_line)
    for is_between, block in groupby(numbered, key=lambda line: _separates(line[1])):
        if is_between:
            continue
        lines = [(number, line.split("\t")) for number, line in block if not line.startswith("#")]
        lines = [(number, cells) for number, cells in lines if not RANGE_OR_EMPTY_NODE.fullmatch(cells[0])]
        short = next((number for number, cells in lines if len(cells) < COLUMNS), None)
        if short is not None:
            report.bad_row("bad line in a sentence", f"fewer than {COLUMNS} columns", Origin(file, short))
        elif lines:
            sentences.append((Origin(file, lines[0][0]), [cells for _, cells in lines]))
    return sentences


def _separates(line: str) -> bool:
    return not line.strip()


def _tag(cells: Cells, where: str) -> str:
    if re.fullmatch(r"-?\d+", where):
        value = cells[int(where)] if -len(cells) <= int(where) < len(cells) else "_"
    else:
        value = dict(part.partition("=")[::2] for part in cells[MISC].split("|")).get(where, "_")
    return "O" if value in ("_", "") else value


def _tag_place(sentences: Words, file: str, report: ReadReport) -> str:
    """Return the key of MISC or the number of the column that holds the tags."""
    words = [cells for _, words in sentences for cells in words]
    keys = Counter(part.partition("=")[0] for cells in words for part in cells[MISC].split("|") if "=" in part)
    for key in ENTITY_KEYS:
        if key in keys:
            report.note(f"{file}: tags are taken from {key}= in the column MISC")
            return key
    if words and all(len(cells) > COLUMNS for cells in words):
        return str(COLUMNS)
    there = f"MISC has the keys {', '.join(sorted(keys))}" if keys else "MISC has no keys"
    raise InputError(
        f"{file}: no entity tags were found: {there}. Say which key, or which column from 0: data.columns.tags=KEY"
    )


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    return Contents(read_conllu(source.text, source.file, report, tags=options.columns.tags), "CoNLL-U")


def _recognise(source: Source) -> Confidence:
    return certain_if(source.suffix in (".conllu", ".conllup"))


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions:
    tags = options.columns.tags
    place = tags or _tag_place(_words(source.text, source.file, ReadReport("skip"), 1), source.file, report)
    return PortionsOfBlocks(
        "CoNLL-U",
        lambda portion: read_conllu(
            portion.text, portion.file, report, tags=tags, place=place, first_line=portion.first_line
        ),
        _separates,
    )


CONLL_U = Reader("conllu", _recognise, _read, in_portions=_in_portions)
