"""Which audit the labels of each task get."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.auditing.answers import audit_answers
from tasks.auditing.classes import Audited, audit_numbers, audit_several, audit_single
from tasks.auditing.entities import audit_entities
from tasks.auditing.suspect import Line
from tasks.task import AnyTask

OF_KINDS = {"single_label": audit_single, "multi_label": audit_several, "regression": audit_numbers}


def _of_texts(task: Any, lines: Sequence[Line]) -> Audited:
    return OF_KINDS[task.kind](lines)


def _of_entities(task: AnyTask, lines: Sequence[Line]) -> Audited:
    del task
    return Audited(audit_entities(lines), None)


def _of_answers(task: AnyTask, lines: Sequence[Line]) -> Audited:
    del task
    return Audited(audit_answers(lines), None)


AUDITS: Mapping[str, Callable[[Any, Sequence[Line]], Audited]] = {
    "classification": _of_texts,
    "ner": _of_entities,
    "qa": _of_answers,
}


def audit(task: AnyTask, lines: Sequence[Line]) -> Audited:
    """Return what is suspicious about the labels of rows.

    Args:
        task: with its `auto` options resolved.
        lines: a line for each row, with its gold and what a model predicts that was trained without it.
    """
    return AUDITS[task.name](task, lines)
