"""The card of a model, as the hub's own library reads it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from recipes.results.model_card import model_card
from recipes.results.verdict import Baseline, Certainty, Gain, Verdict
from tasks.classification import Classification
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import AnyTask
from tests.unit.test_report import REPORT

SCORES = {"f1": 0.71, "precision": 0.6711, "recall": 0.7538}
SURE = Certainty("row", 165, 10_000, 0.95, {"f1": [0.662, 0.758], "precision": None})
TAGGED = replace(
    REPORT,
    model=replace(REPORT.model, path="owner/encoder"),
    metrics={"validation": {"f1": 0.7284, "precision": float("nan"), "recall": 0.7}, "test": SCORES},
    data=replace(REPORT.data, label_counts={"person": 1200, "place": 3}),
    verdict=Verdict({"test": SURE}, {"test": {"known words": Baseline({"f1": 0.1429}, {"f1": Gain(0.57, None)})}}),
)


def card_of(text: str) -> Any:
    return ModelCard(text)


def test_the_hub_reads_the_numbers_of_the_report() -> None:
    card = card_of(model_card(TAGGED, Ner(), "news"))
    assert card.data.pipeline_tag == "token-classification"
    assert card.data.library_name == "transformers"
    assert card.data.base_model == "owner/encoder"
    assert card.data.license is None
    found = {
        (one.dataset_split, one.metric_name): (one.metric_type, one.metric_value)
        for one in card.data.eval_results or ()
    }
    assert found == {
        ("validation", "f1"): ("f1", 0.7284),
        ("validation", "recall"): ("recall", 0.7),
        **{("test", name): (name, value) for name, value in SCORES.items()},
    }
    assert {one.dataset_name for one in card.data.eval_results or ()} == {"news"}


def test_people_read_scores_with_intervals_labels_and_baselines() -> None:
    text = model_card(TAGGED, Ner(), "news")
    assert "| test | f1 | 0.7100 | 0.662 to 0.758 |" in text
    assert "| test | precision | 0.6711 | - |" in text
    assert "| person | 1,200 |" in text
    assert "| known words | 0.1429 |" in text
    assert "The epoch was chosen by f1 on validation" in text
    assert "fingerprint of all rows: `abc`" in text
    assert 'recipes.load("FOLDER_OR_NAME")' in text
    assert 'pipeline("token-classification"' in text
    assert "learnt nothing" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kept_epoch": 7.5}, "8 epochs, number 7.5 kept"),
        ({"kept_epoch": None}, "8 epochs, the last one kept"),
        ({"kept_epoch": 7.5, "averaged_steps": [3, 6]}, "8 epochs, the weights after steps 3, 6 averaged"),
    ],
)
def test_people_read_which_weights_were_kept(changes: dict[str, Any], said: str) -> None:
    training = replace(REPORT.training, epochs=8.0, **changes)
    assert said in model_card(replace(TAGGED, training=training), Ner(), "news")


def test_a_folder_of_this_machine_is_not_told(tmp_path: Path) -> None:
    text = model_card(replace(TAGGED, model=replace(TAGGED.model, path=str(tmp_path))), Ner(), "news")
    assert str(tmp_path) not in text
    assert "base_model" not in text


def test_a_collapsed_model_is_called_so() -> None:
    text = model_card(replace(TAGGED, verdict=Verdict(collapsed=["finds no entity of test"])), Ner(), "news")
    assert "**This model has learnt nothing**: finds no entity of test." in text


@pytest.mark.parametrize("task", [Classification(kind="regression"), Qa(version="v1.1")])
def test_every_task_has_a_card(task: AnyTask) -> None:
    metrics: Any = {"test": dict.fromkeys(task.headline(), 0.5)}
    report = replace(REPORT, metrics={**REPORT.metrics, **metrics}, data=replace(REPORT.data, labels=[]))
    card = card_of(model_card(report, task, "rows"))
    assert card.data.pipeline_tag == task.pipeline
    assert "None: the model predicts spans." in card.text


def test_labels_can_not_change_the_page() -> None:
    odd = "<script>alert(1)</script> | `x`\n# [a](b)"
    report = replace(TAGGED, data=replace(TAGGED.data, label_counts={odd: 2}, skipped={"<b>bad</b>": 1}))
    text = model_card(report, Ner(), odd)
    assert "<script>" not in text.partition("---\n\n")[2]
    assert "<b>" not in text
    (row,) = [line for line in text.splitlines() if "alert" in line and line.startswith("| ")]
    assert row.count(" | ") == 1
    assert card_of(text).data.eval_results is not None


def test_many_labels_are_cut() -> None:
    counts = {f"label {number}": number for number in range(120)}
    text = model_card(replace(TAGGED, data=replace(TAGGED.data, label_counts=counts)), Ner(), "news")
    assert "label 99 |" in text
    assert "and 20 more" in text
    assert "label 100 |" not in text
