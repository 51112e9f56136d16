"""Loading models that are trained already, by others too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st
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
        ({"problem_type": "banana"}, "problem_type"),
        ({"problem_type": "regression"}, "3 outputs, which does not go with its problem_type 'regression'"),
        ({"label_threshold": "half"}, "label_threshold in its config.json is 'half', not a number"),
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
        ({"max_length": "long"}, "task.max_length=long: Value 'long' of type 'str'"),
        ({"long_texts": 3.5}, "task.long_texts=3.5: choose from"),
        ({"threshold": [0.5]}, r"task.threshold=\[0.5\]: "),
        ({"kind": "regression"}, "3 outputs, which does not go with its problem_type 'regression'"),
        ({"threads": "2"}, "threads='2': a number from 1 on"),
    ],
)
def test_options_that_can_not_be_used_are_refused(saved: Saved, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipes.load(saved(AutoModelForSequenceClassification, LABELS), **options)


def test_options_are_read_as_those_of_a_command_line(saved: Saved) -> None:
    task: Any = recipes.load(saved(AutoModelForSequenceClassification, LABELS), max_length="16").task
    assert task.max_length == 16


def test_another_kind_than_the_models_is_refused_and_one_that_it_does_not_tell_is_taken(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, LABELS)
    task: Any = recipes.load(folder, kind="multi_label").task
    assert task.kind == "multi_label"
    change(folder, problem_type="single_label_classification")
    with pytest.raises(InputError, match="kind=multi_label: the model was trained for single_label"):
        recipes.load(folder, kind="multi_label")


def test_weights_that_are_no_numbers_are_refused(saved: Saved) -> None:
    folder = saved(AutoModelForSequenceClassification, LABELS)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    model.classifier.bias.data[1] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"weights are no numbers in classifier\.bias"):
        recipes.load(folder)


def test_code_of_a_model_is_not_run_and_its_user_is_told(saved: Saved) -> None:
    code = {"AutoModelForSequenceClassification": "modeling_other.Other"}
    folder = change(saved(AutoModelForSequenceClassification, LABELS), auto_map=code)
    assert any("auto_map" in note for note in recipes.load(folder).trained.notes)


def test_a_path_that_is_none_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(InputError, match="None: the path of a run directory"):
        recipes.load(nothing)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tagger whose weights are so large that its tags change from word to word."""
    folder = tmp_path_factory.mktemp("tagger")
    base = tiny.save("bert", folder / "base")
    labels = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_pretrained(base, id2label=labels, num_labels=5)
    model.classifier.weight.data *= 100
    model.save_pretrained(folder / "model")
    tiny.tokenizer_of("bert").save_pretrained(folder / "model")
    return recipes.load(folder / "model", words="unicode", max_length=16, stride=4)


ODD = (
    *("Ada", "Zoë", "Zoe\u0308", "👩\u200d👩\u200d👧", "👍🏽", "🇳🇴", "北京市", "東京タワー", "กรุงเทพ", "שלום", "مرحبا"),
    *("\ufb01ne", "don't", "U.S.", "3,5", "\u200b", "\ufeff", "\u202e", "ß", "İstanbul", "𝔘", "e-mail", "§"),
)
BLANKS = (" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "")


@given(st.lists(st.one_of(st.sampled_from(ODD), st.sampled_from(BLANKS), st.text(max_size=4)), min_size=1, max_size=40))
def test_the_text_of_an_entity_is_what_stands_between_its_bounds(tagger: Any, parts: list[str]) -> None:
    text = "Ada" + "".join(parts)
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(InputError, match="half of a surrogate pair"):
            tagger(text)
        return
    entities = tagger(text)["entities"]
    event(f"{min(len(entities), 5)} entities")
    last = 0
    for entity in entities:
        assert last <= entity["start"] < entity["end"] <= len(text)
        covered = text[entity["start"] : entity["end"]]
        assert covered == entity["text"]
        assert covered == covered.strip()
        last = entity["end"]


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
