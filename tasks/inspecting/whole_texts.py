"""The checks of classification."""

from collections import Counter
from collections.abc import Iterator

from tasks.checks.drift import label_drift, length_drift, number_drift, vocabulary_drift
from tasks.checks.duplicates import Item, equal_checks, similar_checks
from tasks.checks.finding import Finding
from tasks.checks.labels import (
    Labelled,
    conflict_checks,
    count_checks,
    leak_checks,
    number_checks,
    number_conflict_checks,
    several_label_checks,
)
from tasks.checks.lengths import word_count
from tasks.checks.texts import Text, shape_checks, text_checks
from tasks.classification import Classification
from tasks.inspecting.steps import Given, Step


def steps(task: Classification, given: Given) -> Iterator[Step]:
    """Yield the checks of texts with labels or numbers.

    Args:
        task: with its `auto` options resolved.
        given: the rows.
    """
    texts = [Text(task.content(row), row.origin) for _, row in given.all()]
    yield Step("texts", text_checks(texts, "texts"))
    yield Step("what all texts have in common", shape_checks(texts[: len(given.train)], "texts"))
    if task.kind == "regression":
        yield Step("numbers", _of_numbers(task, given))
    else:
        yield Step("labels", _of_labels(task, given))
    yield Step("drift", _drift(task, given))
    items = [Item(task.identity(row), task.content(row), split, row.origin) for split, row in given.all()]
    yield Step("duplicates", equal_checks(items, "rows"))
    yield Step("near duplicates", similar_checks(items, "rows"), is_quick=False)


def _of_numbers(task: Classification, given: Given) -> Iterator[Finding]:
    yield from number_checks([(row.number, row.origin) for row in given.train])
    rows = [row for of_split in given.labelled.values() for row in of_split]
    yield from number_conflict_checks([(task.identity(row), task.content(row), row.number, row.origin) for row in rows])


def _of_labels(task: Classification, given: Given) -> Iterator[Finding]:
    rows = {
        split: [Labelled(task.identity(row), task.content(row), row.labels, row.origin) for row in of_split]
        for split, of_split in given.labelled.items()
    }
    counts = {split: Counter(name for row in of_split for name in row.labels) for split, of_split in rows.items()}
    yield from count_checks(counts, "rows", given.stops)
    yield from conflict_checks([row for of_split in rows.values() for row in of_split])
    if task.kind == "multi_label":
        yield from several_label_checks(rows["train"])
    yield from leak_checks(rows["train"])


def _drift(task: Classification, given: Given) -> Iterator[Finding]:
    contents = {split: list(map(task.content, rows)) for split, rows in given.splits.items()}
    yield from length_drift({split: list(map(word_count, texts)) for split, texts in contents.items()})
    if task.kind == "regression":
        yield from number_drift({split: [row.number for row in rows] for split, rows in given.labelled.items()})
    else:
        yield from label_drift({split: task.label_counts(rows) for split, rows in given.labelled.items()})
    yield from vocabulary_drift(contents)
