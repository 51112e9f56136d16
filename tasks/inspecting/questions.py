"""The checks of question answering."""

from collections.abc import Callable, Iterator, Sequence

from tasks.checks.drift import label_drift, length_drift, vocabulary_drift
from tasks.checks.duplicates import Item, equal_checks, similar_checks
from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.checks.labels import Labelled, conflict_checks
from tasks.checks.lengths import word_count
from tasks.checks.questions import long_answers, question_checks
from tasks.checks.texts import Text, shape_checks, text_checks
from tasks.inspecting.steps import Given, Step
from tasks.qa import Qa


def steps(task: Qa, given: Given) -> Iterator[Step]:
    """Yield the checks of questions and their passages.

    Args:
        task: with its `auto` options resolved.
        given: the rows.
    """
    questions = [Text(row.question, row.origin) for _, row in given.all()]
    passages: dict[str, Item] = {}
    for split, row in given.all():
        passages.setdefault(row.context, Item(row.context, row.context, split, row.origin))
    yield Step("questions", text_checks(questions, "questions"))
    yield Step("what all questions have in common", shape_checks(questions[: len(given.train)], "questions"))
    texts = [Text(passage.text, passage.origin) for passage in passages.values()]
    yield Step("passages", text_checks(texts, "passages"))
    yield Step("answers", _of_answers(task, given))
    yield Step("conflicts", conflict_checks(list(_answered(task, given))))
    yield Step("drift", _drift(task, given))
    asked = [Item(task.identity(row), row.question, split, row.origin) for split, row in given.all()]
    yield Step("duplicates", equal_checks(asked, "questions"))
    yield Step("near duplicates", similar_checks(list(passages.values()), "passages"), is_quick=False)


def _of_answers(task: Qa, given: Given) -> Iterator[Finding]:
    yield from question_checks(given.train, {str(split): rows for split, rows in given.labelled.items()})
    if all(map(task.labels_something, given.train)):
        for split, rows in given.labelled.items():
            without = [row for row in rows if not task.labels_something(row)]
            if without:
                message = (
                    f"{len(without):,} of {len(rows):,} {split} questions ({percent(len(without), len(rows))}) have no "
                    "answer, and all of training have one"
                )
                grade: Grade = "error" if given.stops else "warning"
                shown = ((row.question, row.origin) for row in without)
                yield finding("unknown_labels", grade, message, len(without), len(rows), shown)


def _answered(task: Qa, given: Given) -> Iterator[Labelled]:
    """Yield questions with whether they have an answer: accepted answers may differ."""
    for rows in given.labelled.values():
        for row in rows:
            label = "an answer" if task.labels_something(row) else "no answer"
            yield Labelled(task.identity(row), row.question, (label,), row.origin)


def _drift(task: Qa, given: Given) -> Iterator[Finding]:
    passages = {split: {row.context for row in rows} for split, rows in given.splits.items()}
    yield from length_drift({split: list(map(word_count, texts)) for split, texts in passages.items()})
    yield from label_drift({split: task.label_counts(rows) for split, rows in given.labelled.items()})
    yield from vocabulary_drift({split: [row.question for row in rows] for split, rows in given.splits.items()})


def token_checks(task: Qa, given: Given, sizes: Callable[[Sequence[str]], list[int]]) -> Iterator[Finding]:
    """Yield what is doubtful about answers in tokens of a model."""
    of_answers = iter(sizes([answer for row in given.train for answer in row.answers]))
    lengths = [[next(of_answers) for _ in row.answers] for row in given.train]
    yield from long_answers(given.train, lengths, task.max_answer_tokens)
