"""The words and tags of a record, in whichever of its usual forms it holds them.

These forms are read: lists of words and tags, a table with a token in each row, and texts with entities by offsets.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.data.annotation.spans import looks_like_spans
from tasks.data.cells import is_blank, read_printed, whole_number
from tasks.data.column_names import (
    DOCUMENT_COLUMNS,
    SENTENCE_COLUMNS,
    SPAN_COLUMNS,
    SPAN_TEXT_COLUMNS,
    TAG_COLUMNS,
    TOKEN_COLUMNS,
)
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.record_columns import column, column_names, find_column
from tasks.words import Bounds

FORM_LOOKED_AT = 200
"How many records decide which form a file has."


@dataclass(frozen=True)
class NerColumns:
    """Where the parts of a row are. Either `tokens` is set, or `text`; `tags` and `spans` are None without labels."""

    tokens: str | None = None
    tags: str | None = None
    text: str | None = None
    spans: str | None = None


def find_columns(records: Sequence[Record], columns: Columns, *, labelled: bool = True) -> NerColumns:
    """Return the columns of words and tags, or of a text and its entities.

    Raises:
        InputError: there are neither; or there should be labels, and there are none.
    """
    wanted_tokens, wanted_tags = _column_name(columns.tokens), _column_name(columns.tags)
    tokens = find_column(records, wanted_tokens, TOKEN_COLUMNS)
    text = find_column(records, columns.text, SPAN_TEXT_COLUMNS)
    tags = None if tokens is None else _tags_column(records, wanted_tags, exclude=tokens)
    spans = _spans_column(records, columns.spans)
    if tags is None and text is not None and (spans is not None or tokens is None):
        if spans is None and labelled:
            tagged = f". If it is words with a tag for each: data.columns.tokens={text} data.columns.tags=NAME"
            try:
                column(records, columns.spans, SPAN_COLUMNS, "data.columns.spans")
            except InputError as error:
                raise InputError(f"{error}{tagged}") from None
            raise InputError(
                f"{records[0].origin}: no column holds entities such as [[0, 4, 'person']]. "
                f"Say which one with data.columns.spans=NAME{tagged}"
            )
        return NerColumns(
            text=text, spans=spans, tokens=tokens if spans is not None and _has_offsets(records, tokens) else None
        )
    name = column(records, wanted_tokens, TOKEN_COLUMNS, "data.columns.tokens")
    if labelled and tags is None:
        tags = column(records, wanted_tags, TAG_COLUMNS, "data.columns.tags")
    return NerColumns(tokens=name, tags=tags)


def _tags_column(records: Sequence[Record], wanted: str | None, exclude: str) -> str | None:
    found = find_column(records, wanted, [name for name in TAG_COLUMNS if name != exclude])
    if found is None or wanted is not None:
        return found
    cells = [record.values.get(found) for record in records[:FORM_LOOKED_AT]]
    # Entities by offsets are no tags, though their column may have the name of one.
    return None if any(isinstance(cell, list) and cell and looks_like_spans(cell) for cell in cells) else found


def _spans_column(records: Sequence[Record], wanted: str | None) -> str | None:
    if wanted is not None:
        return find_column(records, wanted, ())
    looked_at = records[:FORM_LOOKED_AT]
    for name in SPAN_COLUMNS:
        found = find_column(records, name, ())
        # Rows with something else are for `read` to report.
        if found is not None and 2 * sum(_may_be_spans(record.values.get(found)) for record in looked_at) > len(
            looked_at
        ):
            return found
    return None


def _may_be_spans(cell: Any) -> bool:
    try:
        cell = read_printed(cell)
    except ValueError:
        return False
    return is_blank(cell) or looks_like_spans(cell)


def _has_offsets(records: Sequence[Record], name: str | None) -> bool:
    """Tell whether a column holds tokens with offsets, as Prodigy and spaCy write them."""
    return name is not None and all(
        isinstance(token, Mapping) and {"start", "end"} <= set(token)
        for record in records[:FORM_LOOKED_AT]
        for token in _list_or_nothing(record.values.get(name))
    )


def _list_or_nothing(cell: Any) -> Sequence[Any]:
    return cell if isinstance(cell, list | tuple) else () if is_blank(cell) else (cell,)


def token_bounds(text: str, tokens: Any) -> list[Bounds]:
    """Return the bounds of the file's own tokens, without those that are blank.

    Raises:
        ValueError: they are no list of tokens with offsets, or are not in the text in this order.
    """
    bounds: list[Bounds] = []
    previous = 0
    for token in _list_or_nothing(tokens):
        item = token if isinstance(token, Mapping) else {}
        start, end = whole_number(item.get("start")), whole_number(item.get("end"))
        if start is None or end is None:
            raise ValueError(f"the token {token!r} has no start and end")
        if not previous <= start < end <= len(text):
            raise ValueError(f"the token from {start} to {end} is not in the text, or not after the one before")
        covered, own = text[start:end], item.get("text")
        if isinstance(own, str) and own != covered:
            raise ValueError(f"the token {own!r} is not at {start} to {end}, where {covered!r} stands")
        if covered.strip():
            bounds.append((start, end))
        previous = end
    return bounds


def read_words(cell: Any) -> list[str]:
    """Return the words of a cell: a list, a printed list, a list of objects with `text`, or a text with blanks.

    Raises:
        ValueError: it is none of these, or one of the words is not a text.
    """
    items = _items(cell, "tokens")
    if set(map(type, items)) == {str}:
        return items  # nearly all files, and the quick way through millions of words
    return [_word(item, number) for number, item in enumerate(items, start=1)]


def _word(item: Any, number: int) -> str:
    if isinstance(item, Mapping):
        item = item.get("text", item.get("orth"))
    if isinstance(item, bool) or not isinstance(item, str | int | float) or item != item:
        raise ValueError(f"token {number} is {item!r}, not a text")
    return str(item)


def read_tags(cell: Any, names: Sequence[str] | None) -> list[str]:
    """Return the tags of a cell as they are written, numbers replaced by names.

    Raises:
        ValueError: it is not a list of tags, or a number has no name.
    """
    tags, items = [], _items(cell, "tags")
    if names is None and set(map(type, items)) == {str}:
        return list(map(str.strip, items))
    for number, item in enumerate(items, start=1):
        if isinstance(item, float) and item.is_integer():
            item = int(item)
        if isinstance(item, bool) or not isinstance(item, str | int):
            raise ValueError(f"tag {number} is {item!r}, not a tag")
        tags.append(_named(str(item).strip(), names))
    return tags


def _items(cell: Any, what: str) -> list[Any]:
    cell = read_printed(cell)
    if isinstance(cell, str):
        return cell.split()
    if not isinstance(cell, list | tuple):
        raise ValueError(f"the {what} are neither a list nor a text of words")
    return list(cell)


def _named(tag: str, names: Sequence[str] | None) -> str:
    if names is None or not tag.isdecimal():
        return tag
    if int(tag) >= len(names):
        raise ValueError(f"tag {tag} has no name: data.label_names has {len(names)} names, for 0 to {len(names) - 1}")
    return names[int(tag)]


def grouped_tokens(
    records: Sequence[Record], columns: Columns, *, certain: bool = False, with_others: bool = False
) -> list[Record]:
    """Return a record for each sentence of a table that has a token in each row; other records are returned unchanged.

    Rows that follow each other with the same sentence id form a sentence. Where the id stands only in the first row of
    a sentence, empty cells continue it.

    Args:
        records: the rows of the table.
        columns: the columns that the user named.
        certain: whether each row is known to hold a token.
        with_others: whether all columns are kept, each as a list with a value for each token.

    Raises:
        InputError: each row has a single token, and no column tells the sentences apart.
    """
    tokens = find_column(records, _column_name(columns.tokens), TOKEN_COLUMNS)
    tags = find_column(records, _column_name(columns.tags), [name for name in TAG_COLUMNS if name != tokens])
    if tokens is None or not (certain or _is_token_table(records, tokens)):
        return list(records)
    sentence = find_column(records, columns.sentence, [name for name in SENTENCE_COLUMNS if name not in (tokens, tags)])
    if sentence is None:
        raise InputError(
            f"{records[0].origin}: each row holds one token, but no column says which sentence it belongs to. Columns: "
            f"{', '.join(map(str, records[0].values))}. Say which one with data.columns.sentence=NAME"
        )
    ours = {"id", sentence, tokens, tags}
    document = None if with_others else find_column(records, columns.document, DOCUMENT_COLUMNS)
    others = [name for name in column_names(records) if name not in ours] if with_others else []
    sentences: list[Record] = []
    current: Any = None
    for record in records:
        name = record.values.get(sentence)
        if not sentences or (not is_blank(name) and str(name) != current):
            current = str(name)
            values: dict[str, Any] = {"id": current, **{name: [] for name in (tokens, tags, *others) if name}}
            if document is not None:
                values[document] = record.values.get(document)
            sentences.append(Record(values, record.origin))
        word = record.values.get(tokens)
        sentences[-1].values[tokens].append("" if word is None else str(word))
        for name in (tags, *others):
            if name:
                sentences[-1].values[name].append(record.values.get(name))
    return sentences


def documents_of(records: Sequence[Record], columns: Columns, report: ReadReport) -> list[str | None]:
    """Return the document of each record: what a column says, or else the last mark of a document before it.

    Raises:
        InputError: the column that the user named is not there.
    """
    name = find_column(records, columns.document, DOCUMENT_COLUMNS)
    if name is None and columns.document is not None:
        column(records, columns.document, DOCUMENT_COLUMNS, "data.columns.document")
    if name is None:
        return [_marked_document(record.origin, report) for record in records]
    # Files often count their documents from 1, each.
    return [
        None if is_blank(value) else f"{record.origin.file}, {value}"
        for record in records
        for value in (record.values.get(name),)
    ]


def _marked_document(origin: Origin, report: ReadReport) -> str | None:
    starts = report.document_starts.get(origin.file, ())
    place = bisect_right(starts, origin.number)
    return f"{origin.file}, {origin.unit} {starts[place - 1]}" if place else None


def _is_token_table(records: Sequence[Record], tokens: str) -> bool:
    """Tell whether the cells of a column hold one token each: texts without blanks, no lists, nearly all of them."""
    cells = [record.values.get(tokens) for record in records[:FORM_LOOKED_AT]]
    single = [
        cell
        for cell in cells
        if isinstance(cell, int | float)
        or (isinstance(cell, str) and not re.search(r"\S\s+\S", cell) and cell[:1] != "[")
    ]
    return len(cells) > 3 and len(single) >= 0.9 * len(cells)


def _column_name(wanted: str | None) -> str | None:
    """Return the column name, or None for a number or a key of CoNLL files, whose records use the usual names."""
    return None if wanted is not None and wanted.lstrip("-").isdecimal() else wanted
