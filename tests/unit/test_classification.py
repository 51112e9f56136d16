"""Classification from records to predictions."""

from typing import Any

import numpy as np
import pytest
import torch

from tasks.classification import Classification, Text
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.label_calibration import best_label_threshold
from tasks.task import Layout
from tests import tiny

LAYOUT = Layout(Columns())


def records(*rows: dict[str, Any]) -> list[Record]:
    return [Record(row, Origin("a.csv", number)) for number, row in enumerate(rows, start=2)]


def settled(rows: list[Record], layout: Layout = LAYOUT, **options: Any) -> Classification:
    return Classification(**options).resolve_auto(rows, layout, ReadReport())


def texts(*labels: Any) -> list[Text]:
    return [Text(str(i), f"text {i}", None, label, Origin("a.csv", i + 2)) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("cells", "names", "separator", "kind"),
    [
        (["spam", "ham"], None, None, "single_label"),
        (["0", "1"], None, None, "single_label"),
        ([0, 1], None, None, "single_label"),
        (["0.5", "1"], None, None, "regression"),
        ([1.5, 2.0], None, None, "regression"),
        ([["a"], ["a", "b"]], None, None, "multi_label"),
        (["a|b", "a"], None, "|", "multi_label"),
        (["0,2", "1"], ["x", "y", "z"], None, "multi_label"),
        (["yes, please", "no"], None, None, "single_label"),
    ],
)
def test_the_kind_is_inferred(cells: list[Any], names: list[str] | None, separator: str | None, kind: str) -> None:
    rows = records(*({"text": "x", "label": cell} for cell in cells))
    assert settled(rows, Layout(Columns(), names), label_separator=separator).kind == kind


def test_labels_are_named_counted_and_ordered() -> None:
    rows = records({"text": "x", "label": "10"}, {"text": "y", "label": 9}, {"text": "z", "label": 9.0})
    task = settled(rows)
    read = task.read(rows, LAYOUT, ReadReport())
    assert [row.label for row in read] == ["10", "9", "9"]
    assert task.head(read, LAYOUT).labels == ("9", "10")


def test_integer_labels_take_names_in_order() -> None:
    layout = Layout(Columns(), ["negative", "positive"])
    rows = records({"text": "x", "label": "1"}, {"text": "y", "label": "0"})
    task = settled(rows, layout)
    read = task.read(rows, layout, ReadReport())
    assert [row.label for row in read] == ["positive", "negative"]
    assert task.head(read, layout).labels == ("negative", "positive")
    with pytest.raises(InputError, match=r"label 2 has no name: data.label_names has 2 names, for 0 to 1"):
        task.read(records({"text": "x", "label": "2"}), layout, ReadReport())


def test_several_labels_in_a_cell() -> None:
    layout = Layout(Columns(), ["joy", "love", "fear"])
    rows = records({"text": "x", "label": "0,2"}, {"text": "y", "label": "1"}, {"text": "z", "label": ""})
    task = settled(rows, layout)
    read = task.read(rows, layout, ReadReport())
    assert [row.label for row in read] == [("joy", "fear"), ("love",), ()]
    encoded = task.encode(read, tiny.wordpiece(), task.head(read, layout), 64)
    assert encoded["labels"] == [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": " ", "label": "a"}, r"a.csv, line 2: column 'text' is empty"),
        ({"text": None, "label": "a"}, "column 'text' is empty"),
        ({"text": "x", "label": ""}, "column 'label': no label"),
        ({"text": "x", "label": None}, "column 'label': no label"),
    ],
)
def test_bad_rows_are_errors_or_counted(row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Classification(kind="single_label").read(records(row), LAYOUT, ReadReport())
    report = ReadReport(on_bad_row="skip")
    good = {"text": "x", "label": "a"}
    assert len(Classification(kind="single_label").read(records(row, good), LAYOUT, report)) == 1
    assert sum(report.skipped.values()) == 1


def test_columns_are_found_by_usual_names_or_named_in_the_error() -> None:
    rows = records(
        {"premise": "a", "hypothesis": "b", "label": "yes"}, {"premise": "c", "hypothesis": "d", "label": "no"}
    )
    read = settled(rows).read(rows, LAYOUT, ReadReport())
    assert (read[0].text, read[0].text_pair) == ("a", "b")
    with pytest.raises(InputError, match=r"Columns: body_text, label. Say which one with data.columns.text=NAME"):
        Classification(kind="single_label").read(records({"body_text": "x", "label": "a"}), LAYOUT, ReadReport())
    wrong = Layout(Columns(text="txet"))
    with pytest.raises(InputError, match=r"no column 'txet' \(data.columns.text\).*Did you mean 'text'"):
        Classification(kind="single_label").read(records({"text": "x", "label": "a"}), wrong, ReadReport())


def test_unknown_labels_in_validation_are_named() -> None:
    task = Classification(kind="single_label")
    head = task.head(texts("spam", "ham"), LAYOUT)
    strange, known = texts("spma", "ham")
    assert task.unknown_labels(known, head) == []
    assert task.unknown_labels(strange, head) == ["spma"]
    message = task.unknown_label_message("spma", head)
    assert message == "label 'spma' does not occur in training. Labels: ham, spam. Did you mean 'spam'?"


def test_one_class_is_not_enough_and_a_thousand_are_too_many() -> None:
    task = Classification(kind="single_label")
    with pytest.raises(InputError, match="1 class"):
        task.head(texts("a", "a"), LAYOUT)
    with pytest.raises(InputError, match=r"Is data.columns.label the right column"):
        task.head(texts(*(f"label {i}" for i in range(1001))), LAYOUT)


def test_predictions_come_in_the_rows_order_whatever_the_windows_order() -> None:
    task = Classification(kind="single_label")
    rows = texts("a", "b", "a")
    head = task.head(rows, LAYOUT)
    outputs = {"logits": np.log([[0.1, 0.9], [0.8, 0.2], [0.7, 0.3]])}
    predictions = task.apply_calibration(task.decode(rows, {"row": [1, 0, 2]}, outputs, head), {})
    assert [prediction["label"] for prediction in predictions] == ["a", "b", "a"]
    assert predictions[1]["scores"] == {"a": 0.1, "b": 0.9}


def test_several_labels_are_predicted_from_the_threshold_up() -> None:
    task = Classification(kind="multi_label", threshold=0.3)
    rows = texts(("a",), ("b",))
    odds = np.array([[0.31 / 0.69, 9], [1 / 9, 0.25]])
    outputs = {"logits": np.log(odds)}  # of the probabilities 0.31, 0.9, 0.1 and 0.2
    predictions = task.decode(rows, {"row": [0, 1]}, outputs, task.head(rows, LAYOUT))
    assert [prediction["label"] for prediction in predictions] == [["a", "b"], []]


@pytest.mark.parametrize("seed", range(5))
def test_the_label_threshold_is_the_best_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = (random.random((20, 3)) * 0.5).round(1)
    gold = random.random((20, 3)) < 0.3
    threshold = best_label_threshold([(float(s), bool(g)) for s, g in zip(scores.ravel(), gold.ravel(), strict=True)])

    def f1(value: float) -> float:
        predicted = scores >= value
        return float(2 * (predicted & gold).sum() / (predicted.sum() + gold.sum()))

    assert f1(threshold) == pytest.approx(max(f1(value) for value in np.unique(scores)))


def test_the_label_threshold_is_chosen_on_validation_and_applied() -> None:
    task = Classification(kind="multi_label")
    rows = texts(("a",), ("b",))
    decoded = [{"label": [], "scores": {"a": 0.3, "b": 0.1}}, {"label": [], "scores": {"a": 0.2, "b": 0.25}}]
    finished = task.apply_calibration(decoded, task.calibrate(rows, decoded))
    assert [prediction["label"] for prediction in finished] == [["a"], ["b"]]
    assert Classification(kind="multi_label", threshold=0.5).calibrate(rows, decoded) == {}


def test_the_collator_pads_to_the_longest() -> None:
    task, tokenizer = Classification(kind="single_label"), tiny.wordpiece()
    rows = [*texts("a"), Text("1", "where is my parcel", None, "b", Origin("a.csv", 3))]
    features = task.encode(rows, tokenizer, task.head(rows, LAYOUT), 64)
    batch = task.collator(tokenizer)([{name: column[i] for name, column in features.items()} for i in range(2)])
    longest = max(map(len, features["input_ids"]))
    assert batch["input_ids"].shape == (2, longest)
    assert batch["labels"].tolist() == [0, 1]
    assert batch["labels"].dtype == torch.int64
    shorter = len(features["input_ids"][0])
    assert batch["input_ids"][0, shorter:].eq(tokenizer.pad_token_id).all()


@pytest.mark.parametrize("kind", ["single_label", "multi_label", "regression"])
def test_perfect_predictions_have_the_objective(kind: str) -> None:
    rows = texts(
        *{"single_label": ("a", "b"), "multi_label": (("a",), ("a", "b")), "regression": (0.5, 2.0, 3.0)}[kind]
    )
    task = Classification(kind=kind)
    scores = task.score(rows, [task.gold_prediction(row) for row in rows], task.head(rows, LAYOUT))
    assert scores[task.objective_score().name] == pytest.approx(1.0)
