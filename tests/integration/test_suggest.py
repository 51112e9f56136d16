"""`recipes.suggest` from its command to its files, with a tiny model."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import recipes
from recipes.report import main as report_main
from recipes.run import main as run_main
from recipes.serving import loading as serving
from recipes.suggest import main
from recipes.suggesting import choosing, replaying
from recipes.suggesting.embedding import embed
from tasks.classification import Text
from tasks.data.records import Origin
from tests.conftest import INTENTS
from tests.unit.test_pages import checked

SHORT = ("hparams.max_steps=2", "hparams.batch_size=8", "runtime.threads=1")
WORDS = ("parcel", "letter", "crate", "invoice", "refund", "ticket", "order")


@pytest.fixture(scope="module")
def trained(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run on named texts, with what is not labelled yet."""
    folder = tmp_path_factory.mktemp("suggest")
    texts = [(text, label) for label, of_label in INTENTS.items() for text in of_label]
    with (folder / "labelled.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("message", "topic"), *texts])
    new = [
        f"my {one} {number} and the {WORDS[(place + number) % 7]}"
        for place, one in enumerate(WORDS)
        for number in range(9)
    ]
    with (folder / "new.csv").open("w", newline="") as file:
        rows = [(text, place) for place, text in enumerate([*new, new[0], texts[0][0]])]
        csv.writer(file).writerows([("message", "number"), *rows])
    columns = ("data.columns.text=message", "data.columns.label=topic")
    data = ("task=classification", f"data.train={folder / 'labelled.csv'}", *columns)
    assert run_main([*data, f"model.path={models['bert']}", f"output_root={folder / 'outputs'}", *SHORT]) == 0
    (report,) = folder.glob("outputs/**/report.json")
    (folder / "run").symlink_to(report.parent)
    return folder


def test_rows_to_label_next(trained: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "to_label.csv"
    assert main([str(trained / "run"), str(trained / "new.csv"), "-o", str(path), "--count", "7"]) == 0
    said = capsys.readouterr().out
    assert "65; labelled already: 1; repeated: 1" in said
    assert "this model has learnt nothing" in said
    assert "suggested   7 rows, 42 words" in said
    every = str(tmp_path / "every.csv")
    assert main([str(trained / "run"), str(trained / "new.csv"), "-o", every, "--count", "1000"]) == 0
    assert re.search(r"suggested   \d+ rows of 1,000 asked for, \d+ words", capsys.readouterr().out)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["message"] for row in rows}) == 7
    assert [*rows[0]] == ["message", "number", "topic", "predicted", "uncertainty"]
    assert {row["topic"] for row in rows} == {""}
    unsure = [float(row["uncertainty"]) for row in rows]
    assert unsure == sorted(unsure, reverse=True)
    texts = [row["message"] for row in rows]
    for row, answer in zip(rows, recipes.load(trained / "run")(texts), strict=True):
        best, second, *_ = sorted(answer["scores"].values(), reverse=True)
        assert float(row["uncertainty"]) == pytest.approx(1 - (best - second), abs=1e-4)
        assert row["predicted"] == answer["label"]


def test_a_file_for_label_studio(trained: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "to_label.json"
    words = [str(trained / "run"), str(trained / "new.csv"), "-o", str(path), "--words", "30"]
    assert main(words) == 0
    tasks = json.loads(path.read_text())
    assert sum(len(task["data"]["text"].split()) for task in tasks) <= 30
    assert tasks[0]["data"].keys() == {"text", "number", "uncertainty"}
    assert "delivery" in path.with_suffix(".xml").read_text()
    assert "in training it was 'topic'" in capsys.readouterr().out
    assert main(words) == 2
    assert "to_label.json: is there already. To write it anew: --overwrite" in capsys.readouterr().err


def test_an_embedding_is_the_mean_of_the_tokens(trained: Path) -> None:
    model = recipes.load(trained / "run")
    texts = ("my parcel", "refund the invoice please")
    rows: Any = [Text(str(place), text, None, None, Origin("", place)) for place, text in enumerate(texts)]
    found = embed(model, rows)
    folder = trained / "run" / "model"
    encoder, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for row, vector in zip(rows, found, strict=True):
        with torch.no_grad():
            mean = encoder(**tokenizer(row.text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_what_the_model_does_not_know_is_said(trained: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "new.csv").write_text("message\n我的包裹在哪里\n请退款\n")
    assert main([str(trained / "run"), str(tmp_path / "new.csv"), "-o", str(tmp_path / "x.csv")]) == 0
    assert "tokens are unknown to this model's tokenizer" in capsys.readouterr().out


def test_mistakes(trained: Path, tmp_path: Path, capsys: Any) -> None:
    run, new, out = str(trained / "run"), str(trained / "new.csv"), str(tmp_path / "x.csv")

    def refused(message: str, *words: str) -> None:
        assert main(words) == 2
        assert message in capsys.readouterr().err
        assert not list(tmp_path.iterdir()), "nothing is written"

    refused("Which model is to suggest, and from which file?")
    refused("-o is missing: the file to write, .csv, .jsonl or .json", run, new)
    refused("the extension tells the format: .csv, .jsonl, .json", run, new, "-o", "x.txt")
    refused("--count none: a number from 1 on", run, new, "-o", out, "--count", "none")
    refused("--words 1: no row has so few words", run, new, "-o", out, "--words", "1")
    refused("nowhere.csv", run, "nowhere.csv", "-o", out)
    refused("hparams.epochs: not a key for predicting", run, new, "-o", out, "hparams.epochs=3")
    refused("is one of the input's files", run, new, "-o", new, "--overwrite")
    refused("--replay is a study by itself", "--replay", "task=ner", "study=seeds")
    refused("No row is left to suggest: all have a label already", run, str(trained / "labelled.csv"), "-o", out)


def test_a_model_that_is_no_run(trained: Path, tmp_path: Path, capsys: Any) -> None:
    words = [str(trained / "run" / "model"), str(trained / "new.csv"), "-o", str(tmp_path / "x.jsonl"), "--count", "3"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "is no run directory: rows that have a label already can't be told" in said
    assert "65; repeated: 1" in said


def test_a_training_file_that_has_changed(trained: Path, tmp_path: Path, capsys: Any) -> None:
    labelled, new = trained / "labelled.csv", trained / "new.csv"
    before = labelled.read_text()
    labelled.write_text("".join(before.splitlines(keepends=True)[:-1]))
    words = [str(trained / "run"), str(new), "-o", str(tmp_path / "x.csv"), "--count", "3"]
    try:
        assert main(words) == 0
        assert "the files of the run have changed since" in capsys.readouterr().out
    finally:
        labelled.write_text(before)


def test_a_replay(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []
    chosen: list[set[str]] = []

    def load_model(directory: str, **options: Any) -> Any:
        asked.append(directory)
        return serving.load_model(directory, **options)

    def choose(*given: Any) -> Any:
        found = choosing.choose(*given)
        rows: list[Any] = [one.row for one in found.rows]
        chosen.append({row.text for row in rows})
        return found

    monkeypatch.setattr(replaying, "load_model", load_model)
    monkeypatch.setattr(replaying, "choose", choose)
    marks = [f"{'bcdfghjklm'[n % 10]}{'aeiouy'[n // 10]}" * 3 for n in range(60)]  # so that no two are nearly the same
    lines = [f"my {WORDS[n % 7]} {mark} came,{('late', 'lost')[n % 2]}" for n, mark in enumerate(marks)]
    Path("rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    words = ["--replay", "task=classification", "data.train=rows.csv", f"model.path={models['bert']}", *SHORT]
    sizes = ["study.n=2", "study.start=20", "study.step=8", "study.rounds=2", "data.test_fraction=0.3"]
    assert main([*words, *sizes]) == 0
    said = capsys.readouterr().out
    assert "28 labelled rows" in said
    assert "2/4  random 28 rows, seed 1" in said
    (folder,) = Path("outputs/sweeps").iterdir()
    for seed in (1, 2):
        files = folder / "rows" / f"seed={seed}"
        first, second, third = (
            set((files / f"{name}.jsonl").read_text().splitlines())
            for name in ("random-20", "suggested-28", "suggested-36")
        )
        texts = [{json.loads(line)["text"] for line in some} for some in (first, second, third)]
        assert [len(some) for some in texts] == [20, 28, 36]
        assert texts[0] < texts[1] < texts[2], "rows are added, and none is changed"
        assert [texts[1] - texts[0], texts[2] - texts[1]] == [chosen[seed - 1], chosen[seed + 1]]
        tested = {json.loads(line)["text"] for line in (folder / "rows" / "test.jsonl").read_text().splitlines()}
        assert not texts[2] & tested
    assert ["random-20" in one for one in asked] == [True, True, False, False]
    assert all("suggested-28" in one for one in asked[2:]), "by the model that was trained on those before"
    page = checked((folder / "report.html").read_text(encoding="utf-8"))
    assert page.count('class="line line') == 2 + 2 * 3, "two lines, each with an interval at 20, 28 and 36 rows"
    study = (folder / "study.json").read_bytes()
    assert report_main([str(folder)]) == 0, "the page can be made anew"
    assert (folder / "report.html").read_text(encoding="utf-8") == page
    assert not list(Path("outputs").glob("**/*.safetensors")), "weights are removed"
    assert main([*words, *sizes]) == 0, "the same command finds its runs done"
    assert (folder / "study.json").read_bytes() == study
    capsys.readouterr()
    assert main([*words, *sizes[:-1], "data.test_fraction=0.3", "study.rounds=9"]) == 2
    assert "need 92 different training rows, and there are 42" in capsys.readouterr().err
    Path("rows.csv").write_text(Path("rows.csv").read_text().replace("my parcel", "our parcel"))
    assert main([*words, *sizes]) == 2
    assert "The rows have changed since this replay was begun" in capsys.readouterr().err
