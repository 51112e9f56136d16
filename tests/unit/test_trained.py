"""Loading models that are trained already, by others too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    pipeline,
)

import recipes
from tasks.errors import InputError
from tests import tiny

Saved = Callable[..., Path]
LABELS = {0: "bad", 1: "good", 2: "mixed"}


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """Save a model with a head and its tokenizer, as others do, and return its folder."""

    def save(auto_class: Any, labels: dict[int, str] | None = None, **settings: Any) -> Path:
        base, folder = tiny.save("bert", tmp_path / "base"), tmp_path / "model"
        named = {} if labels is None else {"id2label": labels, "num_labels": len(labels)}
        torch.manual_seed(1)
        auto_class.from_pretrained(base, **named, **settings).save_pretrained(folder)
        tiny.tokenizer_of("bert").save_pretrained(folder)
        return folder

    return save


def change(folder: Path, **values: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return folder


def test_a_classifier_of_others_predicts_as_a_pipeline_does(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, LABELS)
    texts = ["where is my parcel", "the box has not arrived", "yes"]
    ours = recipes.load(folder, device="cpu")(texts)
    theirs = pipeline("text-classification", model=str(folder), device="cpu")(texts)
    assert [answer["label"] for answer in ours] == [answer["label"] for answer in theirs]
    for answer, expected in zip(ours, theirs, strict=True):
        assert answer["scores"][expected["label"]] == pytest.approx(expected["score"], abs=1e-5)


def test_labels_without_names_are_given_them(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, num_labels=2)
    model = recipes.load(folder)
    assert model.trained.head.labels == ("LABEL_0", "LABEL_1")
    assert "have no names" in model.trained.notes[0]
    assert recipes.load(folder, label_names=["no", "yes"]).trained.head.labels == ("no", "yes")
    with pytest.raises(InputError, match="3 names, but the model 2 labels"):
        recipes.load(folder, label_names=["a", "b", "c"])


def test_names_of_labels_that_the_model_has_are_not_replaced(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, LABELS)
    with pytest.raises(InputError, match="labels have names already: bad, good, mixed"):
        recipes.load(folder, label_names=["x", "y", "z"])
    assert recipes.load(folder, label_names=["mixed", "good", "bad"]).trained.head.labels == ("bad", "good", "mixed")


@pytest.mark.parametrize(
    ("change_of", "message"),
    [
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "two of its labels have the name 'a'"),
        (
            {"architectures": ["BertForMaskedLM"]},
            "is a BertForMaskedLM. One that was trained for classification, ner, qa",
        ),
        ({"architectures": None}, "does not say what it is for"),
        ({"recipe_task": {"name": "ner", "options": {}, "form": "", "columns": {}}}, "says both"),
        ({"recipe_task": 3}, "it was changed, or another version"),
    ],
)
def test_configs_that_can_not_be_meant_are_refused(saved: Saved, change_of: dict[str, Any], message: str) -> None:
    folder = change(saved(AutoModelForSequenceClassification, LABELS), **change_of)
    with pytest.raises(InputError, match=message):
        recipes.load(folder)


def test_a_model_without_a_trained_head_is_refused(saved: Saved) -> None:
    folder = change(saved(AutoModelForMaskedLM), architectures=["BertForSequenceClassification"])
    with pytest.raises(InputError, match=r"are not in its weights file, such as .*: it is not a trained model"):
        recipes.load(folder)


def test_missing_files_of_the_tokenizer_are_noticed(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, LABELS)
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(InputError, match="tokenizer"):
        recipes.load(folder)


def test_a_tagger_of_others_finds_entities_in_texts(saved: Saved) -> None:
    folder = saved(AutoModelForTokenClassification, {0: "O", 1: "PER", 2: "LOC"})
    model = recipes.load(folder)
    assert (model.trained.head.labels, model.task.words) == (("O", "I-PER", "I-LOC"), "borders")  # type: ignore[attr-defined]
    text = "Ada\u00a0Brown, 👍🏽 in\tOslo."
    entities = model(text)["entities"]
    assert entities
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in entities)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": 1}, "task.colour: classification has no such option"),
        ({"device": "gpu"}, "device=gpu: choose from"),
        ({"long_texts": "window"}, "long_texts=window: .*Did you mean 'windows'"),
        ({"max_length": 3}, "windows need 7 tokens at least"),
    ],
)
def test_options_that_can_not_be_used_are_refused(saved: Saved, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipes.load(saved(AutoModelForSequenceClassification, LABELS), **options)


def test_paths_that_hold_no_model_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_text("text\n")
    (tmp_path / "outputs" / "ner").mkdir(parents=True)
    with pytest.raises(InputError, match="is a file, not a run"):
        recipes.load("reviews.csv")
    with pytest.raises(InputError, match=r"there is no 'nerr' in outputs\. Did you mean 'ner'"):
        recipes.load("outputs/nerr")
    with pytest.raises(InputError, match=r"no config\.json"):
        recipes.load("outputs/ner")
