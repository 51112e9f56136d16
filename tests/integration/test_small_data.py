"""`hparams=small_data`, the levers in each task, and what plain transformers makes of the models of every preset."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from recipes.command.groups import choices
from recipes.run import main
from tests import tiny

HEADS = {
    "classification": "AutoModelForSequenceClassification",
    "ner": "AutoModelForTokenClassification",
    "qa": "AutoModelForQuestionAnswering",
}
FIXED = ("hparams.batch_size=8", "runtime.precision=fp32", "runtime.device=cpu", "data=files")
LEVERS: tuple[tuple[str, ...], ...] = (
    ("focal=2", "layer_decay=0.8", "head_learning_rate=1e-3", "reinit_layers=1", "average_weights=0.9"),
    ("unfreeze_over=0.5", "pretrained_pull=1", "adversarial=1"),
    ("bias_only=true", "soup=2", "max_steps=null", "epochs=2"),
    ("lora_rank=2", "dora=true", "linear_head=true"),
    ("linear_head=true", "max_steps=0"),
    ("keep=last", "average_weights=0.9"),
)
"Each lever that is for all tasks once, several in a run."


def run_of(root: Path) -> tuple[Path, dict[str, Any]]:
    path = max(root.rglob("outputs/**/report.json"), key=lambda path: path.stat().st_mtime)
    return path.parent, json.loads(path.read_text())


def lines_of(run: Path, split: str) -> list[dict[str, Any]]:
    return list(map(json.loads, (run / "predictions" / f"{split}.jsonl").read_text().splitlines()))


@pytest.fixture
def trained(data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Train a tiny model: `trained(task, *more)` returns the run directory and the report."""
    monkeypatch.chdir(tmp_path)

    def train(task: str, *more: str, model: str = "bert") -> tuple[Path, dict[str, Any]]:
        status = main([f"task={task}", *FIXED, f"data.train={data[task]}", f"model.path={models[model]}", *more])
        assert status == 0
        return run_of(tmp_path)

    return train


@pytest.mark.parametrize("task", list(HEADS))
def test_small_data_tries_its_ways_and_trains_the_best_on_all_rows(
    task: str, trained: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run, report = trained(task, "hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=1")
    choice = report["choice"]
    scores = {way["name"]: way["score"] for way in choice["ways"]}
    assert len(scores) == 3
    assert scores[choice["chosen"]] == max(scores.values())
    assert report["data"]["rows"]["train"] == report["data"]["rows"]["validation"] == choice["rows"]
    assert report["metrics"]["validation"][choice["score"]] == scores[choice["chosen"]]
    lines = lines_of(run, "validation")
    assert len(lines) == choice["rows"]
    assert not any(line["traits"].get("in_training") for line in lines), "each row was held out when it was predicted"
    assert {path.name for path in run.iterdir()} == {
        "config.yaml",
        "model",
        "predictions",
        "report.html",
        "report.json",
    }
    said = capsys.readouterr().out
    assert "choosing    3 ways of training, each on 2 folds of" in said
    assert f"chosen      {choice['chosen']}: " in said
    page = (run / "report.html").read_text()
    assert "Ways of training" in page
    assert "each predicted by the model of a fold without it" in page
    assert f"in the way `{choice['chosen'].replace('_', chr(92) + '_')}`" in (run / "model" / "README.md").read_text()


def test_a_handful_of_texts_is_no_basis_for_a_choice(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = trained("classification", "hparams=small_data", "data.limit.train=24")
    said = capsys.readouterr().out
    assert "one way of training, contrastive, on 3 folds of 24 rows" in said
    assert "with fewer than 32 rows, nothing tells which of several would be better" in said
    assert "chosen      contrastive: the only one that was tried" in said
    assert [way["name"] for way in report["choice"]["ways"]] == ["contrastive"]


def test_given_validation_rows_stay_what_they_are(trained: Any, data: dict[str, Path]) -> None:
    given = f"data.validation={data['classification']}"
    run, report = trained(
        "classification", given, "hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=1"
    )
    assert not report["choice"]["stands_for_validation"]
    assert len(lines_of(run, "validation")) == 48
    assert report["choice"]["rows"] == report["data"]["rows"]["train"] < 48
    assert "last weights were kept" in (run / "report.html").read_text()


@pytest.mark.parametrize(("split", "limit"), [("train", 20), ("validation", 2)])
def test_a_limit_on_rows_is_kept(split: str, limit: int, trained: Any) -> None:
    _, report = trained(
        "classification",
        f"data.limit.{split}={limit}",
        "hparams=small_data",
        "hparams.choose_by_folds=2",
        "hparams.epochs=1",
    )
    assert report["data"]["rows"][split] == limit
    assert report["data"]["rows"]["train"] == report["choice"]["rows"]
    assert not report["choice"]["stands_for_validation"]


def write(path: Path, rows: list[tuple[Any, ...]], names: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


ODD: dict[str, tuple[list[tuple[Any, ...]], tuple[str, ...], str]] = {
    "one row a class": ([(f"about {name}", name) for name in "abcdef"], ("text", "label"), "a label of its own"),
    "one class": ([(f"rain {number}", "rain") for number in range(9)], ("text", "label"), "two are needed"),
    "equal texts": ([("the same", "ab"[number % 2]) for number in range(9)], ("text", "label"), "texts are the same"),
    "equal rows and another": ([("rain", "a")] * 5 + [("sun", "b")], ("text", "label"), ""),
    "two rows a class": (
        [(f"text {number} of {number // 2}", f"label {number // 2}") for number in range(24)],
        ("text", "label"),
        "",
    ),
    "three rows": ([("a rainy day", "rain"), ("a sunny day", "sun"), ("rain", "rain")], ("text", "label"), ""),
    "several labels": (
        [(f"text {number} here", ("a", "b", "a|b", "c|a")[number % 4]) for number in range(24)],
        ("text", "label"),
        "",
    ),
    "numbers": ([(f"{number} degrees", number / 7) for number in range(24)], ("text", "label"), ""),
    "pairs": (
        [(f"the {a} is here", f"no {b}", "same" if a == b else "other") for a in "abcde" for b in "abcde"],
        ("text", "text_pair", "label"),
        "",
    ),
}


@pytest.mark.parametrize("case", list(ODD))
def test_odd_rows_work_or_are_refused_in_a_sentence(
    case: str, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    rows, names, refusal = ODD[case]
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path / "few.csv", rows, names)
    status = main(
        [
            "task=classification",
            *FIXED,
            f"data.train={file}",
            "data.test_fraction=0",
            f"model.path={models['bert']}",
            "hparams=small_data",
            "hparams.choose_by_folds=2",
            "hparams.epochs=1",
        ]
    )
    printed = capsys.readouterr()
    if refusal:
        assert status == 2
        assert refusal in printed.err
        assert not (tmp_path / "outputs").exists()
    else:
        assert status == 0, printed.err
        _, report = run_of(tmp_path)
        assert report["choice"]["rows"] == len(rows)


def test_the_default_says_that_there_is_another_way(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    trained("ner")
    assert "few rows    hparams=small_data tries 3 ways of training by cross-validation" in capsys.readouterr().out


def test_who_has_chosen_is_told_nothing(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    trained("ner", "hparams.max_steps=2")
    assert "few rows" not in capsys.readouterr().out


# Levers


@pytest.mark.parametrize("lever", LEVERS, ids=" ".join)
@pytest.mark.parametrize("task", list(HEADS))
def test_every_lever_works_in_every_task(task: str, lever: tuple[str, ...], trained: Any) -> None:
    chosen = [f"hparams.{one}" for one in ("max_steps=3", *lever)]
    run, report = trained(task, *chosen)
    assert report["status"] == "finished"
    assert all(np.isfinite(line["loss"]) for line in report["history"])
    model = getattr(transformers, HEADS[task]).from_pretrained(run / "model")
    assert "lora" not in "".join(model.state_dict())
    assert (run / "adapter").exists() == any("lora" in one for one in lever)


@pytest.mark.parametrize("lever", [("contrastive_steps=2",), ("pooling=mean",)], ids=" ".join)
def test_levers_for_whole_texts_are_refused_for_others(
    lever: tuple[str, ...],
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = [f"hparams.{one}" for one in lever]
    assert main(["task=ner", *FIXED, f"data.train={data['ner']}", f"model.path={models['bert']}", *chosen]) == 2
    assert "for classification" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (("lora_rank=4", "freeze_layers=1"), "hparams.lora_rank and hparams.freeze_layers"),
        (("dora=true",), "only with hparams.lora_rank"),
        (("max_steps=0",), "nothing would be trained"),
        (("max_steps=0", "linear_head=true", "soup=2"), "the second needs steps"),
        (("adversarial=1", "accumulation=2"), "along the gradient of a whole batch"),
        (("freeze_layers=2", "reinit_layers=5"), "has to be trained"),
        (("choose_by_folds=3", "max_steps=0"), "nothing would be trained"),
        (("keep=last", "evaluations=3"), "hparams.keep=last and hparams.evaluations"),
        (("keep=last", "soup=3"), "hparams.keep=last and hparams.soup"),
        (("soup=1",), "0, or 2 or more"),
        (("choose_by_folds=1",), "0, or 2 or more"),
        (("choose_by_folds=4", "soup=3"), "no epochs to choose from"),
        (("keep=first",), "choose from best, last"),
    ],
)
def test_levers_that_can_not_be_are_refused(chosen: tuple[str, ...], said: str, capsys: Any) -> None:
    assert main(["task=ner", *(f"hparams.{one}" for one in chosen)]) == 2
    assert said in capsys.readouterr().err


def test_the_mean_is_pooled_once(trained: Any, tmp_path: Path) -> None:
    first, _ = trained("classification", "hparams.pooling=mean", "hparams.linear_head=true", "hparams.max_steps=0")
    kept = tmp_path / "first"
    first.rename(kept)
    ways = ("hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=1")
    second, report = trained("classification", f"model.path={kept}", *ways)
    layers = [json.loads((run / "model" / "config.json").read_text())["num_hidden_layers"] for run in (kept, second)]
    assert layers[0] == layers[1]
    assert any("fitted anew" in note for note in report["model"]["notes"])


def test_a_pretrained_head_keeps_what_it_reads(trained: Any, tmp_path: Path) -> None:
    first, _ = trained("classification", "hparams.epochs=1")
    kept = tmp_path / "first"
    first.rename(kept)
    second, _ = trained("classification", f"model.path={kept}", "hparams.pooling=mean", "hparams.max_steps=1")
    layers = [json.loads((run / "model" / "config.json").read_text())["num_hidden_layers"] for run in (kept, second)]
    assert layers[0] == layers[1]


def test_what_is_drawn_anew_is_new(trained: Any) -> None:
    _, report = trained("ner", "hparams.reinit_layers=1", "hparams.max_steps=1")
    assert any(".layer.1." in name for name in report["model"]["new_weights"])
    assert not any(".layer.0." in name for name in report["model"]["new_weights"])


def test_a_soup_is_told_of(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run, report = trained("ner", "hparams.soup=2", "hparams.epochs=3")
    steps = report["training"]["averaged_steps"]
    assert 1 <= len(steps) <= 2
    told = f"the weights after steps {', '.join(map(str, steps))} were averaged"
    assert told in capsys.readouterr().out
    assert "were averaged and kept" in (run / "report.html").read_text()


def test_models_that_write_text_are_trained_as_a_whole(
    data: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    model = tiny.save("gpt2", tmp_path / "gpt2")
    words = ["task=classification", *FIXED, f"data.train={data['classification']}", f"model.path={model}"]
    assert main([*words, "hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=1"]) == 0
    assert "high_rates" in capsys.readouterr().out
    assert main([*words, "hparams.linear_head=true", "hparams.max_steps=2"]) == 2
    assert "not for the head of models of the type gpt2" in capsys.readouterr().err


def test_an_adapter_names_its_base(trained: Any, models: dict[str, Path], tmp_path: Path) -> None:
    def base_of(run: Path) -> str:
        return str(json.loads((run / "adapter" / "adapter_config.json").read_text())["base_model_name_or_path"])

    run, _ = trained("classification", "hparams=lora", "hparams.epochs=1")
    assert base_of(run) == str(models["bert"])
    kept = tmp_path / "first"
    run.rename(kept)
    again, _ = trained("classification", f"model.path={kept}", "hparams=lora", "hparams.epochs=1")
    assert base_of(again) == str(kept / "model"), "what transformers loads, and not the run directory"


def test_there_is_no_adapter_for_a_layer_that_the_base_lacks(trained: Any, capsys: Any) -> None:
    run, _ = trained("classification", "hparams=lora", "hparams.pooling=mean", "hparams.epochs=1")
    assert not (run / "adapter").exists()
    assert "no adapter: the layer that pools the mean" in capsys.readouterr().out


def test_a_loss_that_begins_low_is_no_collapse(trained: Any) -> None:
    still = ("hparams.learning_rate=1e-9", "hparams.epochs=3")
    _, report = trained("classification", *still)
    assert any("never fell" in sign for sign in report["verdict"]["collapsed"])
    _, report = trained("classification", *still, "hparams.linear_head=true")
    assert not any("never fell" in sign for sign in report["verdict"]["collapsed"])


# Plain transformers

FITTING = {"small_data": ("hparams.choose_by_folds=2",), "fast": ("hparams.freeze_layers=1",)}
"What makes a preset go with a tiny model and few rows."
PRESETS = [name for name in choices("hparams") if name not in ("stock", "plain")]


@pytest.mark.parametrize("preset", PRESETS)
def test_plain_transformers_predicts_the_classes_of_every_preset(preset: str, trained: Any) -> None:
    fitting = FITTING.get(preset, ())
    run, _ = trained("classification", f"hparams={preset}", "hparams.epochs=1", *fitting)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(run / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "model")
    temperature = getattr(model.config, "score_temperature", 1.0)
    lines = lines_of(run, "test")
    assert lines
    for line in lines:
        with torch.no_grad():
            logits = model(**tokenizer(line["text"], return_tensors="pt")).logits[0]
        probabilities = (logits / temperature).softmax(-1)
        assert model.config.id2label[int(logits.argmax())] == line["prediction"]["label"]
        assert float(probabilities.max()) == pytest.approx(max(line["prediction"]["scores"].values()), abs=1e-3)


@pytest.mark.parametrize("preset", PRESETS)
def test_plain_transformers_tags_the_words_of_every_preset(preset: str, trained: Any) -> None:
    fitting = FITTING.get(preset, ())
    run, _ = trained("ner", f"hparams={preset}", "hparams.epochs=1", *fitting)
    model = transformers.AutoModelForTokenClassification.from_pretrained(run / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "model")
    compared = 0
    for line in lines_of(run, "test"):
        encoded = tokenizer(line["tokens"], is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**encoded).logits[0].argmax(-1)
        words = encoded.word_ids(0)
        tags = [model.config.id2label[int(best[words.index(place)])] for place in range(len(line["tokens"]))]
        legal = all(
            not tag.startswith("I-") or (place and tags[place - 1][2:] == tag[2:]) for place, tag in enumerate(tags)
        )
        if legal:  # decoding repairs others
            compared += 1
            assert tags == line["prediction"]["tags"]
    assert compared
