"""Loading all splits of an experiment: test files without labels, unknown labels, limits, and fingerprints."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from recipes.config.schema import Hparams
from recipes.heads.loss import class_weights
from recipes.heads.registry import recipe_for
from recipes.inference.evaluation import prediction_lines
from tasks.classification import Classification
from tasks.data.options import Columns, DataOptions, Limit
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import AnyTask
from tests import tiny

Objects = Sequence[dict[str, Any]]
UNLABELLED = "test: the rows have no labels. They are predicted, and not scored"

TEXTS = [{"text": f"text {number}", "label": "ab"[number % 2]} for number in range(6)]
SENTENCES = [{"tokens": ["in", "Oslo", str(number)], "tags": ["O", "B-place", "O"]} for number in range(4)]
SPANS = [{"text": f"in Oslo {number}", "spans": [[3, 7, "place"]]} for number in range(4)]
QUESTIONS = [
    {
        "id": str(number),
        "question": "where?",
        "context": f"It is in Oslo {number}.",
        "answers": {"text": ["Oslo"], "answer_start": [9]},
    }
    for number in range(4)
]


def write(path: Path, rows: Objects) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def loaded(
    task: AnyTask, folder: Path, train: Objects, test: Objects, validation: Objects | None = None, **options: Any
) -> AnyRows:
    """Load rows from files; without a validation file, the training file is taken for it."""
    given = DataOptions(
        train=write(folder / "train.jsonl", train),
        validation=write(folder / "validation.jsonl", train if validation is None else validation),
        test=write(folder / "test.jsonl", test),
        **options,
    )
    return load(task, given, seed=1)


def without(rows: Objects, *names: str) -> Objects:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


@pytest.mark.parametrize(
    ("task", "train", "test"),
    [
        (Classification(), TEXTS, without(TEXTS, "label")),
        (Classification(), TEXTS, [{**row, "label": None} for row in TEXTS]),
        (Classification(), TEXTS, [{**row, "label": ""} for row in TEXTS]),
        (Classification(kind="multi_label"), TEXTS, without(TEXTS, "label")),
        (
            Classification(),
            [{"text": f"text {number}", "label": number / 4} for number in range(6)],
            [{"text": "a text"}],
        ),
        (Ner(), SENTENCES, without(SENTENCES, "tags")),
        (Ner(), SENTENCES, [{**row, "tags": None} for row in SENTENCES]),
        (Ner(), SENTENCES, without(SPANS, "spans")),
        (Ner(), SPANS, without(SPANS, "spans")),
        (Ner(), SPANS, without(SENTENCES, "tags")),
        (Qa(), QUESTIONS, without(QUESTIONS, "answers")),
        (Qa(), QUESTIONS, [{**row, "answers": {"text": [], "answer_start": []}} for row in QUESTIONS]),
    ],
)
def test_a_test_file_without_labels_is_read_encoded_and_not_scored(
    task: AnyTask, train: Objects, test: Objects, tmp_path: Path
) -> None:
    rows = loaded(task, tmp_path, train, test)
    assert rows.unlabelled == {"test"}
    assert UNLABELLED in rows.notes
    assert len(rows.splits["test"]) == len(test)
    assert rows.report.skipped == rows.report.repaired == {}
    # Nothing but a label is missing: the rows can be encoded and put into batches.
    features = rows.task.encode(rows.splits["test"], rows.task.adapt(tiny.wordpiece()), rows.head, 32)
    windows = [{name: column[number] for name, column in features.items()} for number in range(len(test))]
    assert len(rows.task.collator(tiny.wordpiece())(windows)["labels"]) == len(test)
    predictions = [rows.task.gold_prediction(row) for row in rows.splits["validation"]]
    test_rows = rows.splits["test"]
    for line in prediction_lines(rows.task, test_rows, predictions[: len(test_rows)], labelled=False):
        assert "gold" not in line
        assert {"id", "file", "line", "prediction"} <= set(line)
        assert line["file"] == str(tmp_path / "test.jsonl")


@pytest.mark.parametrize(
    ("task", "rows", "labels"), [(Classification(), TEXTS, ("label",)), (Ner(), SENTENCES, ("tags",))]
)
def test_labels_are_needed_in_training_and_validation(
    task: AnyTask, rows: Objects, labels: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"validation\.jsonl, line 1: none of the usual columns"):
        loaded(task, tmp_path, rows, rows, without(rows, *labels))
    with pytest.raises(InputError, match=r"train\.jsonl, line 1: none of the usual columns"):
        loaded(task, tmp_path, without(rows, *labels), rows, rows)


def test_a_test_file_of_which_some_rows_lack_labels_is_bad(tmp_path: Path) -> None:
    some = [TEXTS[0], {"text": "another", "label": ""}]
    with pytest.raises(InputError, match=r"test\.jsonl, line 2: column 'label': no label"):
        loaded(Classification(), tmp_path, TEXTS, some)


def test_a_misspelt_label_column_does_not_make_a_test_file_unlabelled(tmp_path: Path) -> None:
    renamed = [{"text": row["text"], "mood": row["label"]} for row in TEXTS]
    with pytest.raises(InputError, match=r"no column 'mod' \(data\.columns\.label\)\. .*Did you mean 'mood'"):
        loaded(Classification(), tmp_path, renamed, renamed, columns=Columns(label="mod"))


STRANGE = [{"text": "x", "label": "a"}, {"text": "y", "label": "b"}, {"text": "z", "label": "c"}]


def test_unknown_classes_are_an_error_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"test\.jsonl, line 3: label 'c' does not occur in training\. Labels: a, b\.\n"
        r"To count such labels as missed: data\.unknown_labels=count\..*data\.unknown_labels=skip",
    ):
        loaded(Classification(), tmp_path, TEXTS, STRANGE)
    ways: list[dict[str, Any]] = [{"unknown_labels": "skip"}, {"on_bad_row": "skip"}]
    for options in ways:
        rows = loaded(Classification(), tmp_path, TEXTS, STRANGE, **options)
        assert [row.label for row in rows.splits["test"]] == ["a", "b"]
        assert rows.report.skipped == {"unknown label": 1}


def test_unknown_classes_count_as_missed(tmp_path: Path) -> None:
    rows = loaded(Classification(), tmp_path, TEXTS, STRANGE, unknown_labels="count")
    assert rows.head.labels == ("a", "b")
    assert "test: labels that no training row has count as missed: c (1 rows)" in rows.notes
    predictions = [{"label": label} for label in ("a", "b", "a")]
    scores = rows.task.score(rows.splits["test"], predictions, rows.head)
    # a: P 1/2, R 1, F1 2/3. b: F1 1. c: F1 0.
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores["support/c"] == 1
    features = rows.task.encode(rows.splits["test"], tiny.wordpiece(), rows.head, 32)
    assert features["labels"] == [0, 1, -100], "the loss leaves the row out"


def test_unknown_labels_among_several_count_as_missed(tmp_path: Path) -> None:
    train = [{"text": f"text {number}", "label": [["a"], ["a", "b"]][number % 2]} for number in range(6)]
    test = [{"text": "x", "label": ["a", "new"]}, {"text": "y", "label": ["b"]}]
    with pytest.raises(InputError, match="label 'new' does not occur in training"):
        loaded(Classification(), tmp_path, train, test)
    rows = loaded(Classification(), tmp_path, train, test, unknown_labels="count")
    scores = rows.task.score(rows.splits["test"], [{"label": ["a"]}, {"label": ["b"]}], rows.head)
    # 2 hits, 2 predicted, 3 gold: P 1, R 2/3.
    assert scores["micro_f1"] == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))
    features = rows.task.encode(rows.splits["test"], tiny.wordpiece(), rows.head, 32)
    assert features["labels"] == [[1.0, 0.0], [0.0, 1.0]]


STRANGE_SENTENCES = [
    {"tokens": ["Ida", "left", "Oslo"], "tags": ["B-person", "O", "B-place"]},
    {"tokens": ["in", "Oslo", "Town"], "tags": ["O", "B-place", "I-place"]},
]


@pytest.mark.parametrize(
    "predicted",
    [
        [["O", "O", "B-place"], ["O", "B-place", "I-place"]],
        [["B-place", "O", "B-place"], ["O", "B-place", "O"]],
        [["O", "O", "O"], ["B-place", "I-place", "I-place"]],
    ],
)
def test_unknown_entity_types_count_as_missed_as_in_conlleval(predicted: list[list[str]], tmp_path: Path) -> None:
    rows = loaded(Ner(), tmp_path, SENTENCES, STRANGE_SENTENCES)
    assert rows.head.labels == ("O", "B-place", "I-place")
    assert "test: labels that no training row has count as missed: person (1 rows)" in rows.notes
    scores = rows.task.score(rows.splits["test"], [{"tags": tags} for tags in predicted], rows.head)
    gold = [row["tags"] for row in STRANGE_SENTENCES]
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        for other in (score(gold, predicted), score(gold, predicted, mode="strict", scheme=IOB2)):
            assert scores[name] == pytest.approx(other)
    assert scores["support/person"] == 1


def test_unknown_entity_types_by_hand(tmp_path: Path) -> None:
    rows = loaded(Ner(), tmp_path, SENTENCES, STRANGE_SENTENCES)
    predictions = [{"tags": ["O", "O", "B-place"]}, {"tags": ["O", "B-place", "I-place"]}]
    scores = rows.task.score(rows.splits["test"], predictions, rows.head)
    # 2 hits, 2 predicted, 3 gold.
    assert (scores["precision"], scores["recall"], scores["f1"]) == pytest.approx((1.0, 2 / 3, 0.8))
    features = rows.task.encode(rows.splits["test"][:1], tiny.wordpiece(), rows.head, 32)
    assert [label for label in features["labels"][0] if label != -100] == [0, 1], "the loss leaves the person out"


def test_unknown_entity_types_may_be_an_error_or_left_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"test\.jsonl, line 1: entity type 'person' does not occur in training"):
        loaded(Ner(), tmp_path, SENTENCES, STRANGE_SENTENCES, unknown_labels="error")
    rows = loaded(Ner(), tmp_path, SENTENCES, STRANGE_SENTENCES, unknown_labels="skip")
    assert [row.tokens[0] for row in rows.splits["test"]] == ["in"]
    assert rows.report.skipped == {"unknown label": 1}


def test_questions_without_an_answer_are_unknown_to_version_1(tmp_path: Path) -> None:
    test = [QUESTIONS[0], {**QUESTIONS[1], "answers": {"text": [], "answer_start": []}}]
    with pytest.raises(InputError, match=r"line 2: the question has no answer, but training rows all have one"):
        loaded(Qa(), tmp_path, QUESTIONS, test)
    rows = loaded(Qa(), tmp_path, QUESTIONS, test, unknown_labels="skip")
    assert len(rows.splits["test"]) == 1
    rows = loaded(Qa(), tmp_path, QUESTIONS, test, unknown_labels="count")
    predictions = [{"answer": "Oslo", "start": 9, "score": 1.0, "no_answer_score": -1.0}] * 2
    assert rows.task.score(rows.splits["test"], predictions, rows.head)["exact_match"] == pytest.approx(50)


@pytest.mark.parametrize(("rows", "objective"), [(9, "rmse"), (10, "pearson")])
def test_few_numbers_are_judged_by_their_errors(rows: int, objective: str, tmp_path: Path) -> None:
    """Any two of them correlate fully, and nine often do; what the user asks for holds."""
    for name, count in (("train", 30), ("validation", 30), ("test", rows)):
        lines = [f"text number {number} of {name},{number / 7:.2f}" for number in range(count)]
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "\n".join(lines))
    files = [str(tmp_path / f"{name}.csv") for name in ("train", "validation", "test")]
    options = DataOptions(train=files[0], validation=files[1], test=files[2])
    found = load(Classification(), options, 1)
    assert found.task.objective_score().name == objective
    said = [note for note in found.notes if "correlation" in note]
    assert said == (
        [f"judged by rmse: a correlation of {rows} rows says nothing (task.objective)"] if rows < 10 else []
    )
    assert load(Classification(objective="pearson"), options, 1).task.objective_score().name == "pearson"


def test_no_validation_row_is_left(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No validation row is left"):
        loaded(Classification(), tmp_path, TEXTS, TEXTS, [STRANGE[2]], unknown_labels="skip")


RARE = [*TEXTS, {"text": "the only one", "label": "c"}]


@pytest.mark.parametrize("limit", [2, 3])
def test_the_head_has_the_labels_of_all_training_rows_whatever_the_limits(limit: int, tmp_path: Path) -> None:
    rows = loaded(Classification(), tmp_path, RARE, RARE, limit=Limit(train=limit))
    assert len(rows.splits["train"]) == limit
    assert rows.head.labels == ("a", "b", "c")
    sentences = [*SENTENCES, {"tokens": ["Ida"], "tags": ["B-person"]}]
    some = loaded(Ner(), tmp_path, sentences, sentences, limit=Limit(train=1))
    assert some.head.labels == ("O", "B-person", "I-person", "B-place", "I-place")


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
def test_class_weights_are_finite_for_a_class_that_the_limit_left_no_row_of(kind: str, tmp_path: Path) -> None:
    rows = loaded(Classification(kind=kind), tmp_path, RARE, RARE, limit=Limit(train=2))
    present = {label for row in rows.splits["train"] for label in row.labels}
    assert len(present) < len(rows.head.labels)
    recipe = recipe_for(rows, Hparams(learning_rate=1e-4, class_weights="balanced"))
    labels = torch.tensor([0, 1, 2]) if kind == "single_label" else torch.eye(3)
    assert torch.isfinite(recipe.loss({"logits": torch.zeros(3, 3)}, {"labels": labels})).all()


def test_balanced_weights_by_hand() -> None:
    # 3 rows, 2 classes that occur: 3 / (2 * 2) and 3 / (2 * 1).
    weights = class_weights("balanced", ["a", "b", "c"], [2, 1, 0])
    assert weights is not None
    assert weights.tolist() == [0.75, 1.5, 1.0]


@pytest.mark.parametrize(
    ("task", "rows", "fingerprint", "of_train"),
    [
        (Classification(), TEXTS, "622bd5b6f28b2d6c", "64a310ad5c6a6971"),
        (Ner(), SENTENCES, "638c7b5d8ff7358a", "1473b4f3216e441f"),
        (Qa(), QUESTIONS, "daa54683ee0f8fbb", "4285a5210b1e3c9d"),
    ],
)
def test_fingerprints_of_rows_do_not_change_between_versions(
    task: AnyTask, rows: Objects, fingerprint: str, of_train: str, tmp_path: Path
) -> None:
    found = loaded(task, tmp_path, rows, rows)
    assert found.fingerprint() == fingerprint
    assert found.fingerprint("train") == of_train


def test_fingerprints_tell_contents_apart_and_not_places(tmp_path: Path) -> None:
    whole = loaded(Ner(), tmp_path, SPANS, SPANS).fingerprint("train")
    (tmp_path / "other").mkdir()
    assert loaded(Ner(), tmp_path / "other", SPANS, SPANS[:2]).fingerprint("train") == whole
    blanks = [{**row, "text": f"{row['text']} "} for row in SPANS]
    others: list[Objects] = [
        blanks,
        SENTENCES,
        [{**row, "spans": []} if number else row for number, row in enumerate(SPANS)],
    ]
    prints = {loaded(Ner(), tmp_path, other, other).fingerprint("train") for other in others}
    assert len(prints | {whole}) == 4


def test_a_test_file_that_lacks_one_of_several_label_columns_is_not_unlabelled(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,rude,late\n" + "".join(f"t{n},{n % 2},{n % 3 // 2}\n" for n in range(20)))
    (tmp_path / "test.csv").write_text("text,rude\nx,1\n")
    options = DataOptions(
        train=str(tmp_path / "train.csv"), test=str(tmp_path / "test.csv"), columns=Columns(label=["rude", "late"])
    )
    with pytest.raises(InputError, match="no column 'late'"):
        load(Classification(), options, 1)
