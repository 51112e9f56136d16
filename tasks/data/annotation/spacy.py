"""spaCy's training data: pairs of a text and its entities, documents as JSON of versions 2 and 3, and DocBin files."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.structured import json_lines_in_portions, json_rows
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

ANNOTATION_KEYS = ("entities", "cats")


def _is_pair(row: Any) -> bool:
    """Tell whether a row is `["a text", {"entities": [...]}]`."""
    return (
        isinstance(row, list)
        and len(row) == 2
        and isinstance(row[0], str)
        and isinstance(row[1], dict)
        and any(key in row[1] for key in ANNOTATION_KEYS)
    )


def _is_document(row: Any) -> bool:
    """Tell whether a row is `{"text": "a text", "ents": [...]}`, or the same with `cats`."""
    return (
        isinstance(row, dict)
        and isinstance(row.get("text"), str)
        and ("ents" in row or isinstance(row.get("cats"), dict))
    )


def _is_version_2(row: Any) -> bool:
    paragraphs = row.get("paragraphs") if isinstance(row, dict) else None
    return isinstance(paragraphs, list) and any(isinstance(one, dict) and "sentences" in one for one in paragraphs)


def _recognise(source: Source) -> Confidence:
    rows = [row for row in source.sample if row is not None]
    return certain_if(bool(rows) and any(all(map(test, rows)) for test in (_is_pair, _is_document, _is_version_2)))


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records, what = [], "spaCy documents"
    for row, origin in json_rows(source, report):
        if row is None:
            continue  # some annotation tools write null for a text without entities
        if _is_pair(row):
            what = "spaCy pairs of text and entities"
            records.append(Record({"text": row[0], **_spans(row[1])}, origin))
        elif _is_version_2(row):
            try:
                records += list(_version_2(row, origin))
            except (AttributeError, TypeError) as error:
                report.bad_row("bad document", f"a document of spaCy 2 is built otherwise: {error}", origin)
        elif isinstance(row, dict) and isinstance(row.get("text"), str):
            records.append(
                Record({**row, **_spans({"entities": row.get("ents", row.get("entities", [])), **row})}, origin)
            )
        else:
            report.bad_row("no spaCy document", f"a text and its entities are needed, not {str(row)[:40]}", origin)
    return Contents(records, what)


def _spans(annotation: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    # Entities that can't be read stay, so that the task refuses them.
    if annotation.get("entities") is not None:
        columns["spans"] = annotation["entities"]
    if annotation.get("cats"):
        columns["cats"] = annotation["cats"]
    return columns


def _version_2(row: Mapping[str, Any], origin: Origin) -> Iterator[Record]:
    """Yield the sentences of a document of spaCy 2, whose tokens have BILUO tags."""
    for paragraph in row["paragraphs"]:
        for sentence in paragraph.get("sentences", []):
            tokens = sentence.get("tokens", [])
            values = {
                "tokens": [token.get("orth") for token in tokens],
                "tags": [token.get("ner", "O") for token in tokens],
            }
            yield Record(values, origin)


SPACY = Reader("spacy", _recognise, _read, in_portions=json_lines_in_portions(_read))


def _recognise_docbin(source: Source) -> Confidence:
    return certain_if(source.suffix == ".spacy")


def _read_docbin(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options, report
    try:
        import spacy
        from spacy.tokens import DocBin
    except ImportError as error:
        raise InputError(
            f"{source.path}: a binary file of spaCy (DocBin). Reading it needs spaCy, which is not installed: pip "
            "install spacy. Or save it as JSON where spaCy is:\n"
            "  [doc.to_json() for doc in DocBin().from_disk(FILE).get_docs(spacy.blank('en').vocab)]"
        ) from error
    try:
        documents = list(DocBin().from_bytes(source.data).get_docs(spacy.blank("xx").vocab))
    except Exception as error:  # zlib, msgpack and spaCy raise what they like
        raise InputError(f"{source.path}: can't be read as spaCy's DocBin: {type(error).__name__}: {error}") from error
    records = []
    for number, document in enumerate(documents, start=1):
        tokens = [{"text": token.text, "start": token.idx, "end": token.idx + len(token)} for token in document]
        spans = [{"start": span.start_char, "end": span.end_char, "label": span.label_} for span in document.ents]
        values = {
            "text": document.text,
            "tokens": tokens,
            "spans": spans,
            **({"cats": document.cats} if document.cats else {}),
        }
        records.append(Record(values, Origin(source.file, number, "document")))
    return Contents(records, "spaCy DocBin")


DOCBIN = Reader("docbin", _recognise_docbin, _read_docbin)
