"""Probabilities that say how often predictions are right: worked out by hand, and against a naive loop."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recipes.inference.evaluation import evaluate
from tasks.analysis.calibration import at_temperature, fit_temperature, probabilities_of, reliability
from tasks.classification import TEMPERATURE, Classification, Text
from tasks.data.options import Split
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.label_calibration import fitted_temperature
from tasks.loading.rows import Rows
from tasks.task import Head
from tests.unit.test_analysis import CLASSES, ORIGIN, classified


def test_the_temperature_is_that_at_which_gold_is_likeliest() -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(5_000, 4)) * 2
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = [int(generator.choice(4, p=row)) for row in true]
    for sharpening in (0.5, 1.0, 3.0):
        sharp = np.exp(logits * sharpening)
        found = fit_temperature(sharp / sharp.sum(axis=1, keepdims=True), gold)
        assert found == pytest.approx(sharpening, rel=0.05)


def test_a_few_rows_that_are_all_right_do_not_make_it_certain() -> None:
    few = fit_temperature(np.array([[0.6, 0.4]] * 4), [0] * 4)
    many = fit_temperature(np.array([[0.6, 0.4]] * 4_000), [0] * 4_000)
    assert 0.5 < few < 1
    assert many < 0.15


def test_a_temperature_changes_no_label_and_can_be_taken_back() -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(5), size=200)
    scaled = at_temperature(rows, 2.5)
    assert scaled.sum(axis=1) == pytest.approx(np.ones(200))
    assert (scaled.argmax(axis=1) == rows.argmax(axis=1)).all()
    assert at_temperature(scaled, 1 / 2.5) == pytest.approx(rows)


def test_calibrated_probabilities_are_stored_by_the_name_that_a_model_is_asked_for() -> None:
    task = Classification(kind="single_label")
    head = Head("", ("no", "yes"))
    rows = [Text(str(number), "t", None, "yes" if number < 600 else "no", ORIGIN) for number in range(1_000)]
    decoded = task.decode(rows, {"row": list(range(1_000))}, {"logits": np.array([[0.0, 3.0]] * 1_000)}, head)
    calibration = task.calibrate(rows, decoded)
    assert set(calibration) == {TEMPERATURE}
    (finished, *_) = task.apply_calibration(decoded, task.calibration({**calibration, "label_threshold": 0.3}))
    assert finished["label"] == "yes"
    assert finished["scores"]["yes"] == pytest.approx(0.6, abs=0.02)
    assert task.apply_calibration(decoded, {})[0]["scores"]["yes"] == round(1 / (1 + np.exp(-3)), 6)


@pytest.mark.parametrize(
    ("kind", "kept"), [("single_label", TEMPERATURE), ("multi_label", "label_threshold"), ("regression", None)]
)
def test_only_what_goes_with_the_labels_is_applied(kind: str, kept: str | None) -> None:
    both = {TEMPERATURE: 2.0, "label_threshold": 0.3}
    assert Classification(kind=kind).calibration(both) == ({} if kept is None else {kept: both[kept]})


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf")])
def test_an_impossible_temperature_is_refused(value: float) -> None:
    head = Head("", ("no", "yes"), "single_label_classification")
    with pytest.raises(InputError, match=r"score_temperature in its config\.json is"):
        Classification().as_trained(head, {TEMPERATURE: value})


def test_the_error_before_the_temperature_is_that_of_the_models_own_probabilities() -> None:
    own = np.random.default_rng(5).dirichlet([1, 1], size=300)
    gold = ["yes" if number % 3 else "no" for number in range(300)]
    calibrated = at_temperature(own, 1.7)
    lines = [
        classified(
            of_row,
            "",
            prediction={"label": ("no", "yes")[row.argmax()], "scores": dict(zip(("no", "yes"), row, strict=True))},
        )
        for of_row, row in zip(gold, calibrated.tolist(), strict=True)
        for row in [np.array(row)]
    ]
    found = Classification(kind="single_label").analyse(lines, CLASSES, {TEMPERATURE: 1.7}).reliability
    assert found is not None

    def naive(probabilities: Any) -> float:
        bins: dict[int, list[tuple[float, bool]]] = {}
        for row, label in zip(probabilities, gold, strict=True):
            best = int(row.argmax())
            bins.setdefault(min(int(row[best] * 10), 9), []).append((float(row[best]), ("no", "yes")[best] == label))
        return sum(
            abs(sum(sure for sure, _ in some) - sum(right for _, right in some)) for some in bins.values()
        ) / len(gold)

    assert found.error == pytest.approx(naive(calibrated))
    rows = [Text(str(n), "t", None, label, ORIGIN) for n, label in enumerate(gold)]
    decoded = [
        {"label": ("no", "yes")[row.argmax()], "scores": dict(zip(("no", "yes"), row.tolist(), strict=True))}
        for row in own
    ]
    assert Classification(kind="single_label").calibration_error(rows, decoded) == pytest.approx(naive(own))
    assert sum(one.count for one in found.bins) == 300


def test_probabilities_of_one_are_in_the_last_bin() -> None:
    found = reliability([1.0, 0.95], [True, False])
    assert [(one.count, one.share_right) for one in found.bins] == [(2, 0.5)]
    assert probabilities_of([{"a": 0.2, "b": 0.8}]).tolist() == [[0.2, 0.8]]


def test_a_prediction_counts_as_right_by_its_label_though_two_are_as_likely() -> None:
    lines = [classified("yes", "yes", prediction={"label": "yes", "scores": {"no": 0.5, "yes": 0.5}})] * 10
    found = Classification(kind="single_label").analyse(lines, CLASSES, {}).reliability
    assert found is not None
    assert [one.share_right for one in found.bins] == [1.0]


def test_the_smallest_probabilities_count_as_their_logits_say() -> None:
    logits = np.array([[40.0, 0.0]])
    sharp = np.exp(logits - 40) / np.exp(logits - 40).sum()
    assert at_temperature(sharp, 3.0)[0, 1] == pytest.approx(1 / (1 + np.exp(40 / 3)), rel=1e-9)


def test_labels_that_the_model_lacks_do_not_count() -> None:
    scores = [{"no": 0.2, "yes": 0.8}] * 100
    gold = ["yes"] * 60 + ["no"] * 40
    assert fitted_temperature([*gold, "late"], [*scores, scores[0]]) == fitted_temperature(gold, scores)
    assert fitted_temperature(["late"], scores[:1]) is None
    assert fitted_temperature(["yes"], [{"no": float("nan"), "yes": 0.5}]) is None


def test_the_uncalibrated_error_is_that_before_the_temperature() -> None:
    task, head = Classification(kind="single_label"), Head("", ("no", "yes"))
    rows = [Text(str(n), f"t{n}", None, "yes" if n < 60 else "no", ORIGIN) for n in range(100)]
    decoded = task.decode(rows, {"row": list(range(100))}, {"logits": np.array([[0.0, 3.0]] * 100)}, head)
    splits: dict[Split, list[Any]] = {"train": rows[:1], "validation": rows, "test": []}
    predictor: Any = SimpleNamespace(task=task, predict_rows=lambda some, _: decoded[: len(some)])
    found = evaluate(predictor, Rows(task, head, splits, ReadReport()), {"validation": None, "test": None})  # type: ignore[dict-item]
    assert found.uncalibrated_error == {"validation": pytest.approx(1 / (1 + np.exp(-3)) - 0.6)}
    lines = found.predictions["validation"]
    after = task.analyse(lines, head, found.calibration).reliability
    assert after is not None
    assert after.error < 0.1


@pytest.mark.parametrize(("rows", "shown"), [(100, 0.811), (1_000, 0.801)])
def test_hundreds_of_rows_outweigh_the_prior(rows: int, shown: float) -> None:
    says = np.array([[0.1, 0.9]] * rows)
    temperature = fit_temperature(says, [1] * (8 * rows // 10) + [0] * (2 * rows // 10))
    assert at_temperature(says, temperature)[0, 1] == pytest.approx(shown, abs=0.0005)
