"""The built-in samples: small, with valid rows only, and with no test content in training."""

from pathlib import Path

import pytest

from recipes.command.groups import CONF
from tasks.classification import Classification, Text
from tasks.data.options import SPLITS, DataOptions, Split
from tasks.loading.load import load
from tasks.loading.rows import AnyRows, Rows
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.tags import spans
from tasks.task import AnyTask

TASKS: dict[str, tuple[AnyTask, str]] = {
    "classification": (Classification(), "csv"),
    "ner": (Ner(), "conll"),
    "qa": (Qa(), "json"),
}
SAMPLES = CONF.parent / "tasks" / "samples"


def rows_of(name: str) -> AnyRows:
    task, ending = TASKS[name]
    train, validation, test = (f"sample:{name}/{split}.{ending}" for split in SPLITS)
    return load(task, DataOptions(train=train, validation=validation, test=test), seed=1)


@pytest.mark.parametrize("name", list(TASKS))
def test_sizes_and_cleanness(name: str) -> None:
    rows = rows_of(name)
    counts = {split: len(found) for split, found in rows.splits.items()}
    assert 300 <= sum(counts.values()) <= 1100, counts
    assert min(counts.values()) >= 50, counts
    assert sum(path.stat().st_size for path in (SAMPLES / name).iterdir()) < 400_000
    assert rows.report.skipped == rows.report.repaired == {}
    assert rows.notes == [], "no row stands in two splits"
    every = [row for found in rows.splits.values() for row in found]
    assert len({rows.task.identity(row) for row in every}) == len(every)


def test_intents() -> None:
    rows: Rows[Text] = rows_of("classification")
    assert len(rows.head.labels) == 8
    for found in rows.splits.values():
        assert {row.label for row in found} == set(rows.head.labels)


def test_entities() -> None:
    rows: Rows[Sentence] = rows_of("ner")

    def names(split: Split) -> set[tuple[str, str]]:
        kinds = ("person", "organization", "product")
        return {
            (kind, " ".join(row.tokens[start:end]))
            for row in rows.splits[split]
            for kind, start, end in spans(row.tags or ())
            if kind in kinds
        }

    assert {label[2:] for label in rows.head.labels[1:]} == {"person", "organization", "place", "product", "date"}
    assert not names("train") & names("test")


def test_questions() -> None:
    rows: Rows[Question] = rows_of("qa")
    assert getattr(rows.task, "version", None) == "v2.0"
    contexts = {split: {row.context for row in found} for split, found in rows.splits.items()}
    assert not contexts["train"] & (contexts["validation"] | contexts["test"])
    for found in rows.splits.values():
        silent = sum(not row.answers for row in found) / len(found)
        assert 0.2 < silent < 0.4


def test_every_sample_file_is_one_that_a_config_reads() -> None:
    named = {
        line.split("sample:")[1].strip()
        for path in (CONF / "data").glob("*_sample.yaml")
        for line in path.read_text().splitlines()
        if "sample:" in line
    }
    assert named == {str(path.relative_to(SAMPLES)) for path in Path(SAMPLES).rglob("*.*")}
