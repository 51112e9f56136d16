"""The columns of questions, passages and answers in the records of a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.answers import read_answers
from tasks.data.cells import truth
from tasks.data.column_names import (
    ANSWER_COLUMNS,
    ANSWER_START_COLUMNS,
    CONTEXT_COLUMNS,
    IMPOSSIBLE_COLUMN,
    QUESTION_COLUMNS,
    TITLE_COLUMNS,
)
from tasks.data.options import Columns
from tasks.data.records import Record
from tasks.errors import InputError
from tasks.record_columns import column, find_column


@dataclass(frozen=True)
class QuestionColumns:
    """The columns of a file, as it names them."""

    question: str
    context: str
    answers: str | None
    answer_start: str | None
    title: str | None
    impossible: str | None


def find_columns(records: Sequence[Record], columns: Columns, *, labelled: bool = True) -> QuestionColumns:
    """Return the columns of questions, passages and answers.

    Raises:
        InputError: one of them is missing. Without `labelled`, there may be no answers.
    """
    answers = find_column(records, columns.answers, ANSWER_COLUMNS)
    impossible = find_column(records, IMPOSSIBLE_COLUMN, ())
    if labelled and answers is None and impossible is None:
        answers = column(records, columns.answers, ANSWER_COLUMNS, "data.columns.answers")
    return QuestionColumns(
        question=column(records, columns.question, QUESTION_COLUMNS, "data.columns.question"),
        context=column(records, columns.context, CONTEXT_COLUMNS, "data.columns.context"),
        answers=answers,
        answer_start=find_column(records, columns.answer_start, ANSWER_START_COLUMNS),
        title=find_column(records, columns.title, TITLE_COLUMNS),
        impossible=impossible,
    )


def says_impossible(record: Record, columns: QuestionColumns) -> bool:
    """Tell whether a record says that its question has no answer.

    Raises:
        InputError: what it says is neither true nor false.
    """
    if columns.impossible is None:
        return False
    cell = record.values.get(columns.impossible)
    said = truth(cell)
    if said is None:
        raise InputError(f"{record.origin}: {columns.impossible} is {cell!r}: true or false is needed")
    return said


def has_no_answer(record: Record, columns: QuestionColumns) -> bool:
    """Tell whether a record gives no answer. One that can't be read counts as an answer: `read` reports it."""
    try:
        return columns.answers is None or not read_answers(record.values.get(columns.answers))
    except ValueError:
        return False  # `read` reports it
