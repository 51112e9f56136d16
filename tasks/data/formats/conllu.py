"""CoNLL-U: ten columns by https://universaldependencies.org/format.html, entity tags in MISC or in an added column."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from tasks.data.formats.conll import RANGE_OR_EMPTY_NODE
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

FORM, MISC, COLUMNS = 1, 9, 10
ENTITY_KEYS = ("NER", "ner", "NE", "ne", "Entity", "entity", "name", "BIO", "Tag")
"Keys in MISC under which data sets store tags, in the order in which they are looked for."

Cells = list[str]


def read_conllu(text: str, file: str, report: ReadReport, *, tags: str | None = None) -> list[Record]:
    """Turn blocks of lines into sentences. Words without a tag in MISC get `O`.

    Args:
        text: the file's content.
        file: its name, for errors.
        report: takes sentences with a line of too few columns.
        tags: a key of MISC, or the number of a column. None: a usual key of MISC, or else the column after MISC.

    Raises:
        InputError: no tags can be found.
    """
    sentences: list[tuple[Origin, list[Cells]]] = []
    numbered = enumerate(text.split("\n"), start=1)
    for is_between, block in groupby(numbered, key=lambda line: not line[1].strip()):
        if is_between:
            continue
        lines = [(number, line.split("\t")) for number, line in block if not line.startswith("#")]
        lines = [(number, cells) for number, cells in lines if not RANGE_OR_EMPTY_NODE.fullmatch(cells[0])]
        short = next((number for number, cells in lines if len(cells) < COLUMNS), None)
        if short is not None:
            report.bad_row("bad line in a sentence", f"fewer than {COLUMNS} columns", Origin(file, short))
        elif lines:
            sentences.append((Origin(file, lines[0][0]), [cells for _, cells in lines]))
    # A key that the user names is the name of the column, too, so that the task finds it by data.columns.tags.
    name = "tags" if tags is None or re.fullmatch(r"-?\d+", tags) else tags
    where = tags or _tag_place([cells for _, words in sentences for cells in words], file, report)
    return [
        Record({"tokens": [cells[FORM] for cells in words], name: [_tag(cells, where) for cells in words]}, origin)
        for origin, words in sentences
    ]


def _tag(cells: Cells, where: str) -> str:
    if re.fullmatch(r"-?\d+", where):
        value = cells[int(where)] if -len(cells) <= int(where) < len(cells) else "_"
    else:
        value = dict(part.partition("=")[::2] for part in cells[MISC].split("|")).get(where, "_")
    return "O" if value in ("_", "") else value


def _tag_place(words: Sequence[Cells], file: str, report: ReadReport) -> str:
    """Return the key of MISC or the number of the column that holds the tags."""
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


CONLL_U = Reader("conllu", _recognise, _read)
