"""Sentences with tagged words: as JSON lines with spans or with tokens, as CoNLL, and for doccano. Tags become IOB2."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tasks.data.decoding import BINARY_SIGNATURES, COMPRESSIONS, ZIP
from tasks.data.formats.conll import DOCUMENT_START
from tasks.data.records import ReadReport
from tasks.ner import Sentence
from tasks.tags import spans, split_tag
from tasks.words import Bounds
from tasks.writing.writer import Writer, Written, has_own_ids, holdable, json_lines, renumbered

MISREAD_BEGINNINGS = (*BINARY_SIGNATURES, *COMPRESSIONS, ZIP, b"\xef\xbb\xbf")
"First bytes by which a file is taken for something else than text, and the byte order mark, which is dropped."


def write_spans(rows: Sequence[Sentence], labelled: bool, report: ReadReport) -> Written:
    """Write `{"id", "text", "tokens": [{"text", "start", "end"}], "spans": [{"start", "end", "label"}]}`.

    The tokens have their places in the text, so that the words read back are these, whatever the rule for words is.
    Words without a text are joined with blanks.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, _blank_word_or_type, "jsonl_spans", report)
    written, notes = _with_texts(kept if own_ids else renumbered(kept))
    values = []
    for row in written:
        tokens = [
            {"text": token, "start": start, "end": end}
            for token, (start, end) in zip(row.tokens, _offsets(row), strict=True)
        ]
        entities = [{"start": start, "end": end, "label": kind} for start, end, kind in entities_of(row)]
        identity = {"id": row.id} if own_ids else {}
        values.append({**identity, "text": row.text, "tokens": tokens, "spans": entities if labelled else None})
    return Written(json_lines(values), written, notes=notes)


def write_doccano(rows: Sequence[Sentence], labelled: bool, report: ReadReport) -> Written:
    """Write `{"id", "text", "label": [[start, end, type]]}`. The words have no place in it.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, _blank_word_or_type, "doccano", report)
    written, notes = _with_texts(kept if own_ids else renumbered(kept))
    values = [
        {
            "id": int(row.id) if row.id.isascii() and row.id.isdecimal() and str(int(row.id)) == row.id else row.id,
            "text": row.text,
            "label": [list(entity) for entity in entities_of(row)] if labelled else None,
        }
        for row in written
    ]
    return Written(json_lines(values), written, notes=notes)


def write_tokens(rows: Sequence[Sentence], labelled: bool, report: ReadReport) -> Written:
    """Write `{"id", "tokens", "tags"}`. Texts and the places of words in them are lost.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, _odd_type, "jsonl_tokens", report)
    losses = _texts_lost(kept)
    written = [replace(row, text=None, offsets=None) for row in (kept if own_ids else renumbered(kept))]
    values = [
        {
            **({"id": row.id} if own_ids else {}),
            "tokens": list(row.tokens),
            **({"tags": list(row.tags or ())} if labelled else {}),
        }
        for row in written
    ]
    return Written(json_lines(values), written, losses)


def write_conll(rows: Sequence[Sentence], labelled: bool, report: ReadReport) -> Written:
    """Write a word on each line, with its tag after a tab, and an empty line after each sentence.

    Ids, texts and the places of words are lost. Words may hold blanks, but no tabs and line ends.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, _fault_in_conll if labelled else _fault_in_bare_conll, "conll", report)
    losses = _texts_lost(kept)
    if own_ids:
        losses["ids"] = len(kept)
    written = [replace(row, text=None, offsets=None) for row in renumbered(kept)]
    blocks = [
        "".join(
            f"{token}\t{tag}\n" if labelled else f"{token}\n"
            for token, tag in zip(row.tokens, row.tags or row.tokens, strict=True)
        )
        for row in written
    ]
    text = "\n".join(blocks)
    if text.encode().startswith(MISREAD_BEGINNINGS):
        text = f"\n{text}"
    with_blanks = sum(" " in token for row in written for token in row.tokens)
    notes = []
    if with_blanks:
        notes.append(f"{with_blanks} words hold blanks; a program that splits lines at blanks would misread them")
    return Written(text, written, losses, notes)


def entities_of(row: Sentence) -> list[tuple[int, int, str]]:
    """Return the entities of a row that has a text: first character, the one after the last, and type."""
    offsets = _offsets(row)
    return [(offsets[first][0], offsets[last - 1][1], kind) for kind, first, last in spans(row.tags or ())]


def _offsets(row: Sentence) -> tuple[Bounds, ...]:
    assert row.offsets is not None
    return row.offsets


def _with_texts(rows: Sequence[Sentence]) -> tuple[list[Sentence], list[str]]:
    """Return rows that all have a text, and a note if some had none."""
    without = sum(row.text is None for row in rows)
    notes = [f"{without} rows have no text: their words are joined with blanks"] if without else []
    return [joined(row) for row in rows], notes


def joined(row: Sentence) -> Sentence:
    """Return a row that has a text: if it has none, its words joined with blanks."""
    if row.text is not None:
        return row
    offsets, position = [], 0
    for token in row.tokens:
        offsets.append((position, position + len(token)))
        position += len(token) + 1
    return replace(row, text=" ".join(row.tokens), offsets=tuple(offsets))


def _texts_lost(rows: Sequence[Sentence]) -> dict[str, int]:
    lost = sum(row.text is not None for row in rows)
    return {"texts and the places of words in them": lost} if lost else {}


def _odd_type(row: Sentence) -> str | None:
    """Return why the entity types of a row would be read as others. Readers take blanks around types away."""
    kinds: list[Any] = [split_tag(tag).type for tag in row.tags or ()]
    odd = next((kind for kind in kinds if kind != kind.strip()), None)
    return None if odd is None else f"the type {odd!r} has blanks around it"


def _blank_word_or_type(row: Sentence) -> str | None:
    if any(not token.strip() for token in row.tokens):
        return "one of its words is blank, and has no place in a text (jsonl_tokens can hold it)"
    return _odd_type(row)


def _fault_in_conll(row: Sentence) -> str | None:
    for token in row.tokens:
        if not token.strip():
            return "one of its words is blank (jsonl_tokens can hold it)"
        if token.startswith("\ufeff"):
            return f"the word {token!r} begins with a byte order mark, which readers leave out"
        if token.startswith(DOCUMENT_START):
            return f"the word {token!r} begins as the lines between documents do"
    for cell in (*row.tokens, *(row.tags or ())):
        if set(cell) & set("\t\n\r\0"):
            return f"{cell!r} holds a tab, a line end or a null character"
    return _odd_type(row)


def _fault_in_bare_conll(row: Sentence) -> str | None:
    # Without a column of tags there is no tab, and readers split the line at blanks.
    with_blank = next((token for token in row.tokens if " " in token), None)
    return _fault_in_conll(row) if with_blank is None else f"the word {with_blank!r} holds a blank"


BLANKS: tuple[Mapping[str, str], ...] = ({}, {"words": "blanks"})
"Words between blanks come back by the rule that cuts there."

SENTENCE_WRITERS = (
    Writer("jsonl_spans", "ner", ".jsonl", write_spans),
    Writer("jsonl_tokens", "ner", ".jsonl", write_tokens),
    Writer("conll", "ner", ".conll", write_conll),
    Writer("doccano", "ner", ".jsonl", write_doccano, BLANKS, holds_words=False),
)
