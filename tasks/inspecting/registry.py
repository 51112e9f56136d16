"""Which checks belong to which task."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tasks.checks.finding import Finding
from tasks.inspecting import questions, sentences, whole_texts
from tasks.inspecting.steps import Given, Step
from tasks.task import AnyTask

STEPS: Mapping[str, Callable[[Any, Given], Iterator[Step]]] = {
    "classification": whole_texts.steps,
    "ner": sentences.steps,
    "qa": questions.steps,
}

Sizes = Callable[[Sequence[str]], list[int]]
"Returns the number of tokens of each text."
TOKEN_CHECKS: Mapping[str, Callable[[Any, Given, Sizes], Iterator[Finding]]] = {"qa": questions.token_checks}
"Checks that need the tokenizer of a model, beside those of windows."


def steps_of(task: AnyTask, given: Given) -> Iterator[Step]:
    """Yield the checks of a task's rows."""
    return STEPS[task.name](task, given)


def token_checks_of(task: AnyTask, given: Given, sizes: Sizes) -> Iterator[Finding]:
    """Yield what is doubtful about a task's rows in tokens of a model, beside their windows."""
    if task.name in TOKEN_CHECKS:
        yield from TOKEN_CHECKS[task.name](task, given, sizes)
