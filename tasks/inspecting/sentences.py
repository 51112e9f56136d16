"""The checks of named-entity recognition."""

from collections.abc import Iterator

from tasks.checks.drift import label_drift, length_drift, vocabulary_drift
from tasks.checks.duplicates import Item, equal_checks, similar_checks
from tasks.checks.entities import entity_checks
from tasks.checks.finding import Finding
from tasks.checks.labels import Labelled, conflict_checks, count_checks
from tasks.checks.texts import Text, shape_checks, text_checks
from tasks.inspecting.steps import Given, Step
from tasks.ner import Ner, Sentence
from tasks.tags import spans


def steps(task: Ner, given: Given) -> Iterator[Step]:
    """Yield the checks of tagged sentences.

    Args:
        task: with its `auto` options resolved.
        given: the rows.
    """
    texts = [Text(task.content(row), row.origin) for _, row in given.all()]
    yield Step("texts", text_checks(texts, "sentences"))
    yield Step("what all sentences have in common", shape_checks(texts[: len(given.train)], "sentences"))
    yield Step("labels", _of_labels(task, given))
    yield Step("entities", entity_checks(given.train, {str(split): rows for split, rows in given.labelled.items()}))
    yield Step("drift", _drift(task, given))
    items = [Item(task.identity(row), task.content(row), split, row.origin) for split, row in given.all()]
    yield Step("duplicates", equal_checks(items, "sentences"))
    yield Step("near duplicates", similar_checks(items, "sentences"), is_quick=False)


def _of_labels(task: Ner, given: Given) -> Iterator[Finding]:
    yield from count_checks(
        {split: task.label_counts(rows) for split, rows in given.labelled.items()}, "entities", given.stops
    )
    rows = [row for of_split in given.labelled.values() for row in of_split]
    yield from conflict_checks(
        [Labelled(task.identity(row), task.content(row), _entities(row), row.origin) for row in rows]
    )


def _entities(row: Sentence) -> tuple[str, ...]:
    """Return the entities of a sentence in words, with the numbers of their first words, as some are there twice."""
    return tuple(f"{kind} {' '.join(row.tokens[start:end])!r} at {start}" for kind, start, end in spans(row.tags or ()))


def _drift(task: Ner, given: Given) -> Iterator[Finding]:
    yield from length_drift({split: [len(row.tokens) for row in rows] for split, rows in given.splits.items()})
    yield from label_drift({split: task.label_counts(rows) for split, rows in given.labelled.items()})
    yield from vocabulary_drift({split: list(map(task.content, rows)) for split, rows in given.splits.items()})
