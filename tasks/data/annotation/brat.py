"""brat's standoff format: a text file, and beside it an .ann file with the entities in it.

Described at https://brat.nlplab.org/standoff.html. Only entities (lines that begin with T) are read. Each line of
a text becomes a row, so that a few long documents can be cut into splits; lines that an entity joins stay together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.data.annotation.spans import CharacterSpan
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

TEXT, ANNOTATION = ".txt", ".ann"


def _read_document(path: Path, encoding: str, report: ReadReport) -> list[Record]:
    """Return the records of one document: none if it has a bad line or no partner."""
    text_path, annotation_path = path.with_suffix(TEXT), path.with_suffix(ANNOTATION)
    origin = Origin(str(text_path), 1, "document")
    for needed in (text_path, annotation_path):
        if not needed.is_file():
            report.bad_row("half a pair", f"there is no {needed.name} beside it", origin)
            return []
    report.files.append(str(annotation_path))
    spans = []
    for number, line in enumerate(Source(annotation_path, encoding).text.split("\n"), start=1):
        if line.startswith("T"):
            try:
                spans.append(read_entity(line))
            except ValueError as error:
                report.bad_row("bad entity", str(error), Origin(str(annotation_path), number))
                return []
    # Offsets count every character of the file, so its line ends must stay.
    text = Source(text_path, encoding).exact_text
    outside = next((span for span in spans if not 0 <= span.start < span.end <= len(text)), None)
    if outside is not None:
        message = (
            f"the {outside.label} from {outside.start} to {outside.end} is not in the text of {len(text)} characters"
        )
        report.bad_row("bad entity", message, origin)
        return []
    return [
        Record(
            {"id": f"{text_path.stem}:{line}", "text": text[start:end], "spans": _within(spans, start, end)},
            Origin(str(text_path), line),
        )
        for line, start, end in lines_of_text(text, spans)
    ]


def lines_of_text(text: str, spans: Sequence[CharacterSpan]) -> Iterator[tuple[int, int, int]]:
    """Yield the lines of a text that are not blank: number, first character, and the one after the last.

    Lines that an entity covers together are yielded as one.
    """
    inner = {place for span in spans for place in range(span.start, span.end) if text[place] == "\n"}
    start, first, number = 0, 1, 1
    for place in (*(place for place, character in enumerate(text) if character == "\n"), len(text)):
        number += 1
        if place in inner:
            continue
        if text[start:place].strip():
            yield first, start, place
        start, first = place + 1, number


def _within(spans: Sequence[CharacterSpan], start: int, end: int) -> list[CharacterSpan]:
    """Return the entities inside of a part of the text, with offsets in it."""
    return [
        replace(span, fragments=tuple((first - start, last - start) for first, last in span.fragments))
        for span in spans
        if start <= span.start and span.end <= end
    ]


def read_entity(line: str) -> CharacterSpan:
    r"""Return the entity of one line.

    >>> read_entity("T1\tPER 0 4;10 14\tMara Lind")
    CharacterSpan(label='PER', fragments=((0, 4), (10, 14)), text='Mara Lind')

    Raises:
        ValueError: the line is not of this form.
    """
    _, _, rest = line.partition("\t")
    place, _, text = rest.partition("\t")
    label, _, offsets = place.partition(" ")
    try:
        pairs = [tuple(map(int, fragment.split())) for fragment in offsets.split(";")]
        fragments = tuple((start, end) for start, end in pairs)
    except ValueError:
        fragments = ()
    if not label or not fragments:
        raise ValueError(f"{line!r} is not of the form T1<tab>TYPE START END<tab>TEXT")
    return CharacterSpan(label, fragments, text or None)


def _recognise_folder(source: Source) -> Confidence:
    return certain_if(any(source.path.rglob(f"*{ANNOTATION}")))


def _read_folder(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    paths = sorted({path.with_suffix(TEXT) for path in source.path.rglob("*") if path.suffix in (TEXT, ANNOTATION)})
    records = [record for path in paths for record in _read_document(path, options.encoding, report)]
    return Contents(records, f"{len(paths)} brat documents")


def _recognise_file(source: Source) -> Confidence:
    is_half = source.suffix == ANNOTATION or source.suffix == TEXT
    return certain_if(is_half and source.path.with_suffix(ANNOTATION).is_file())


def _read_file(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    if source.suffix not in (TEXT, ANNOTATION):
        raise InputError(f"{source.path}: data.format=brat reads pairs of {TEXT} and {ANNOTATION} files")
    return Contents(_read_document(source.path, options.encoding, report), "brat documents")


def without_partners(paths: list[Path]) -> list[Path]:
    """Return the paths without each .ann file whose .txt file is among them, since the two are read together."""
    texts = {path for path in paths if path.suffix == TEXT}
    return [path for path in paths if path.suffix != ANNOTATION or path.with_suffix(TEXT) not in texts]


BRAT_FOLDER = Reader("brat", _recognise_folder, _read_folder, folders=True)
BRAT_FILE = Reader("brat", _recognise_file, _read_file)
