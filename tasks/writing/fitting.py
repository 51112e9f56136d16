"""Which task the rows of a file are for, by their columns; and which columns a task has no use for."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from tasks.class_labels import find_label_columns
from tasks.data.column_names import (
    ANSWER_COLUMNS,
    ANSWER_START_COLUMNS,
    CONTEXT_COLUMNS,
    ID_COLUMNS,
    IMPOSSIBLE_COLUMN,
    QUESTION_COLUMNS,
    SENTENCE_COLUMNS,
    TITLE_COLUMNS,
)
from tasks.data.options import Columns
from tasks.data.records import Record
from tasks.errors import InputError
from tasks.ner_records import find_columns
from tasks.record_columns import column_names, find_column
from tasks.text_columns import find_text_columns


class _Used(Protocol):
    def __call__(self, records: Sequence[Record], columns: Columns) -> tuple[set[str], bool] | None:
        """Return the columns that a task uses and whether they fit no other task by nature; None if it can't."""


def _of_sentences(records: Sequence[Record], columns: Columns) -> tuple[set[str], bool] | None:
    try:
        found = find_columns(records, columns, labelled=False)
    except InputError:
        return None
    names = {found.tokens, found.tags, found.text, found.spans}
    if found.tokens is not None and found.text is None:
        names.add(find_column(records, columns.sentence, SENTENCE_COLUMNS))
    sure = found.tokens is not None or (found.spans is not None and _holds_something(records, found.spans))
    return {name for name in names if name is not None}, sure


def _of_questions(records: Sequence[Record], columns: Columns) -> tuple[set[str], bool] | None:
    question = find_column(records, columns.question, QUESTION_COLUMNS)
    context = find_column(records, columns.context, CONTEXT_COLUMNS)
    if question is None or context is None:
        return None
    others = (
        find_column(records, columns.answers, ANSWER_COLUMNS),
        find_column(records, columns.answer_start, ANSWER_START_COLUMNS),
        find_column(records, columns.title, TITLE_COLUMNS),
        find_column(records, IMPOSSIBLE_COLUMN, ()),
    )
    return {question, context, *(name for name in others if name is not None)}, True


def _of_texts(records: Sequence[Record], columns: Columns) -> tuple[set[str], bool] | None:
    labels = find_label_columns(records, columns)
    used = set() if labels is None else set(labels.names)
    labelled = any(_holds_something(records, name) for name in used)
    text, second = find_text_columns(records, columns)
    if text is None:
        return None
    return {*used, text, *([] if second is None else [second])}, labelled


USED: Mapping[str, _Used] = MappingProxyType({"classification": _of_texts, "ner": _of_sentences, "qa": _of_questions})
"The function of each task that finds its columns."


def only_task(records: Sequence[Record], columns: Columns) -> str:
    """Return the only task that the records are for.

    Raises:
        InputError: there are several, or none; the message says what to type.
    """
    found = {name: used(records, columns) for name, used in USED.items()}
    sure = [name for name, used in found.items() if used is not None and used[1]]
    if "ner" in sure and "classification" in sure and _labels_are_spans(found):
        sure.remove("classification")
    if len(sure) == 1:
        return sure[0]
    possible = sure or [name for name, used in found.items() if used is not None] or list(USED)
    shown = ", ".join(column_names(records))
    raise InputError(
        f"{records[0].origin}: the columns ({shown}) don't tell which task the rows are for. "
        f"Say which: {' or '.join(f'--task {name}' for name in possible)}"
    )


def _labels_are_spans(found: Mapping[str, tuple[set[str], bool] | None]) -> bool:
    """Tell whether the column that texts would take their labels from is the one that holds entities by offsets."""
    sentences, texts = found["ner"], found["classification"]
    return sentences is not None and texts is not None and texts[0] <= sentences[0]


def unused_columns(records: Sequence[Record], columns: Columns, task: str) -> list[str]:
    """Return the columns that hold something and that the rows of a task have no place for, in the file's order."""
    used = USED[task](records, columns)
    known = set() if used is None else used[0]
    known |= {columns.id} if columns.id else set(ID_COLUMNS)
    return [name for name in column_names(records) if name not in known and _holds_something(records, name)]


def _holds_something(records: Sequence[Record], name: str) -> bool:
    return any(record.values.get(name) not in (None, "", [], {}) for record in records)
