"""Rows with what an audit suggests, as far as somebody has agreed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasks.auditing.suspect import Suspect
from tasks.class_labels import maybe_number
from tasks.classification import Classification, Text
from tasks.errors import InputError
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.tags import Span, spans
from tasks.task import AnyTask

YES = "yes"
"What stands for the suggestion in the column `fix`."


@dataclass(frozen=True)
class Fix:
    """What somebody has decided on a suspect."""

    suspect: Suspect
    word: str
    "`yes`, or what is right instead."


def _of_text(task: Classification, row: Text, fixes: Sequence[Fix]) -> Text:
    for fix in fixes:
        one, word = fix.suspect, fix.word
        if task.kind == "multi_label":
            _require_yes(row, fix)
            kept = tuple(name for name in row.labels if name != one.given)
            row = replace(row, label=(*kept, *([one.suggested] if one.suggested else [])))
        elif task.kind == "regression":
            number = maybe_number(one.suggested if word == YES else word)
            if number is None:
                raise InputError(f"{row.origin}: fix {word!r} is neither yes nor a number")
            row = replace(row, label=number)
        else:
            row = replace(row, label=one.suggested if word == YES else word)
    return row


def _of_sentence(task: Ner, row: Sentence, fixes: Sequence[Fix]) -> Sentence:
    del task
    found: list[Span] = spans(row.tags or ())
    for fix in fixes:
        _require_yes(row, fix)
        one = fix.suspect
        found = [span for span in found if span[1:] != one.given_at]
        if one.suggested_at is not None:
            start, end = one.suggested_at
            found = [span for span in found if span[2] <= start or span[1] >= end]
            found.append((one.suggested.partition(": ")[0], start, end))
    tags = ["O"] * len(row.tokens)
    for kind, start, end in found:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return replace(row, tags=tuple(tags))


def _of_question(task: Qa, row: Question, fixes: Sequence[Fix]) -> Question:
    del task
    for fix in fixes:
        one = fix.suspect
        text, start = one.suggested, None if one.suggested_at is None else one.suggested_at[0]
        if fix.word != YES:
            text, start = fix.word, row.context.find(fix.word)
            if start < 0:
                raise InputError(f"{row.origin}: fix {fix.word!r} is neither yes nor a text of the passage")
        row = replace(row, answers=(text,) if text else (), starts=(start,) if text and start is not None else ())
    return row


def _require_yes(row: Text | Sentence, fix: Fix) -> None:
    if fix.word != YES:
        raise InputError(
            f"{row.origin}: fix {fix.word!r}: here yes takes what is suggested, drop leaves the row out, and nothing "
            "leaves it as it is. To write something else, change the file that this makes"
        )


CORRECTED: Mapping[str, Callable[[Any, Any, Sequence[Fix]], Any]] = {
    "classification": _of_text,
    "ner": _of_sentence,
    "qa": _of_question,
}


def corrected(task: AnyTask, row: Any, fixes: Sequence[Fix]) -> Any:
    """Return a row with its fixes.

    Raises:
        InputError: a fix can't be applied; the message names the row.
    """
    return CORRECTED[task.name](task, row, fixes)
