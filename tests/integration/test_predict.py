"""Using a trained model: on files by the command, and in Python by `recipes.load`."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from recipes import compare, predict, report
from recipes.results.scores import format_bounds
from recipes.run import main as run_main
from tasks.data import streaming
from tests.conftest import INTENTS, NAMES, PLACES
from tests.unit.test_pages import checked

Predict = Callable[..., int]


def json_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def same(one: Any, two: Any) -> bool:
    """Tell whether two JSON values are equal, numbers as far as sums in another order of rows allow."""
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) < 1e-4
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


def _files(folder: Path, data: dict[str, Path]) -> dict[str, tuple[str, Path, list[str]]]:
    """Return for each kind of run its task, a file that is training and test file in one, and more overrides."""
    texts = [text for texts in INTENTS.values() for text in texts]
    labels = [label for label, of_label in INTENTS.items() for _ in of_label]
    several = folder / "several.jsonl"
    several.write_text(
        "".join(
            json.dumps({"text": f"{text}, {number}", "labels": [label, *(["late"] if number % 2 else [])]}) + "\n"
            for number in range(3)
            for text, label in zip(texts, labels, strict=True)
        )
    )
    spans = folder / "spans.jsonl"
    spans.write_text(
        "".join(
            json.dumps({"text": f"{name} visited {place}, on day {number}.", "spans": [[0, len(name), "person"]]})
            + "\n"
            for number in range(4)
            for name, place in zip(NAMES, PLACES, strict=True)
        )
    )
    long = folder / "long.csv"
    return {
        "single": ("classification", data["classification"], []),
        "several": ("classification", several, []),
        "number": (
            "classification",
            write_csv(folder / "number.csv", ["text", "label"], [[text, len(text) / 7] for text in texts * 2]),
            ["task.kind=regression"],
        ),
        "pairs": (
            "classification",
            write_csv(
                folder / "pairs.csv",
                ["sentence1", "sentence2", "label"],
                [[one, two, str(one[0] == two[0])] for one in texts for two in texts[::3]],
            ),
            ["hparams.max_steps=2"],
        ),
        "long": (
            "classification",
            write_csv(
                long, ["text", "label"], [[f"{text} " * 9, label] for text, label in zip(texts, labels, strict=True)]
            ),
            ["task.max_length=16"],
        ),
        "words": ("ner", data["ner"], ["task.max_length=12", "task.stride=2"]),
        "spans": ("ner", spans, []),
        "questions": ("qa", data["qa"], ["task.max_length=24", "task.stride=4"]),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Path]) -> dict[str, tuple[str, Path, list[str]]]:
    return _files(tmp_path_factory.mktemp("files"), data)


@pytest.fixture(scope="module")
def run_of(
    files: dict[str, tuple[str, Path, list[str]]], models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Train a run of a kind when it is first asked for, and return its directory."""
    root = tmp_path_factory.mktemp("runs")
    found: dict[str, Path] = {}

    def trained(kind: str) -> Path:
        if kind not in found:
            task, path, more = files[kind]
            fixed = [
                "hparams.max_steps=4",
                "hparams.learning_rate=1e-3",
                "runtime.device=cpu",
                "runtime.precision=fp32",
            ]
            named = [
                f"data.train={path}",
                f"data.validation={path}",
                f"data.test={path}",
                f"model.path={models['bert']}",
            ]
            assert run_main([f"task={task}", *named, *fixed, *more, f"output_root={root / kind}"]) == 0
            (file,) = (root / kind).rglob("report.json")
            found[kind] = file.parent
        return found[kind]

    return trained


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with chdir(tmp_path):
        yield tmp_path


KINDS = ("single", "several", "number", "pairs", "long", "words", "spans", "questions")


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_for_the_test_file_are_those_of_the_run(
    kind: str, files: dict[str, tuple[str, Path, list[str]]], run_of: Callable[[str], Path], folder: Path
) -> None:
    path, run = files[kind][1], run_of(kind)
    assert predict.main([str(run), str(path), "-o", "out.jsonl"]) == 0
    lines, of_run = json_lines(folder / "out.jsonl"), json_lines(run / "predictions" / "test.jsonl")
    assert len(lines) == len(of_run) > 10
    for line, expected in zip(lines, of_run, strict=True):
        answer = line["prediction"]
        wanted = {name: value for name, value in expected["prediction"].items() if name in answer}
        assert {*expected["prediction"]} - {*answer} <= ({"tags"} if kind == "spans" else set())
        assert same(answer, wanted), (answer, wanted)
    assert {path.name for path in folder.iterdir()} == {"out.jsonl"}


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_an_input_with_labels_are_those_of_the_run(
    kind: str,
    files: dict[str, tuple[str, Path, list[str]]],
    run_of: Callable[[str], Path],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_of(kind)
    capsys.readouterr()
    assert predict.main([str(run), str(files[kind][1]), "-o", "out.csv"]) == 0
    stored = json.loads((run / "report.json").read_text())
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("scores"))
    name = stored["objective"]["name"]
    bounds = stored["verdict"]["certainty"]["test"]["intervals"][name]
    scores = line.split()
    shown = float(scores[scores.index(name) + 1])
    assert shown == pytest.approx(stored["metrics"]["test"][name], abs=0.006)
    assert bounds is None or f"({format_bounds(bounds)})" in line


@pytest.mark.parametrize("kind", KINDS)
def test_page_and_card_are_written_anew_as_their_run_wrote_them(kind: str, run_of: Callable[[str], Path]) -> None:
    card, page = run_of(kind) / "model" / "README.md", run_of(kind) / "report.html"
    read: Any = ModelCard(card.read_text())
    assert read.data.eval_results
    written = card.read_text(), checked(page.read_text())
    card.unlink()
    page.unlink()
    assert report.main([str(run_of(kind))]) == 0
    assert (card.read_text(), page.read_text()) == written


@pytest.mark.parametrize("kind", KINDS)
def test_the_scores_of_a_run_are_found_again_by_a_comparison(
    kind: str, run_of: Callable[[str], Path], folder: Path
) -> None:
    run = run_of(kind)
    assert compare.main([str(run), "-o", "out.json"]) == 0
    stored = json.loads((run / "report.json").read_text())
    name = stored["objective"]["name"]
    (group,) = json.loads((folder / "out.json").read_text())["groups"]
    assert group["mean"] == pytest.approx(stored["metrics"]["test"][name])


def test_a_table_of_tokens_keeps_its_sentences_whole_wherever_a_portion_ends(
    run_of: Callable[[str], Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        (number, word)
        for number in range(30)
        for word in ("Ada", "Brown", "visited", "Oslo", "again")[: 1 + number % 5]
    ]
    write_csv(folder / "tokens.csv", ["sentence", "word"], [list(row) for row in words])
    whole = streaming.stream_records
    expected = None
    for size in (4 << 20, 40):
        monkeypatch.setattr(streaming, "stream_records", partial(whole, portion_bytes=size))
        assert predict.main([str(run_of("words")), "tokens.csv", "-o", "out.jsonl", "--overwrite"]) == 0
        lines = json_lines(folder / "out.jsonl")
        assert [line["word"] for line in lines] == [
            [word for number, word in words if number == sentence] for sentence in range(30)
        ]
        assert expected in (None, [line["prediction"]["tags"] for line in lines])
        expected = [line["prediction"]["tags"] for line in lines]


def test_a_table_of_tokens_keeps_its_other_columns(run_of: Callable[[str], Path], folder: Path) -> None:
    rows = [
        [1, "Ada", "NNP", "p. 1"],
        [1, "signs", "VBZ", "p. 1"],
        [2, "Oslo", "NNP", "p. 2"],
        [2, "is", "VBZ", "p. 3"],
    ]
    write_csv(folder / "tokens.csv", ["sentence", "word", "pos", "page"], rows)
    assert predict.main([str(run_of("words")), "tokens.csv", "-o", "out.jsonl"]) == 0
    lines = json_lines(folder / "out.jsonl")
    assert [(line["word"], line["pos"], line["page"]) for line in lines] == [
        (["Ada", "signs"], ["NNP", "VBZ"], ["p. 1", "p. 1"]),
        (["Oslo", "is"], ["NNP", "VBZ"], ["p. 2", "p. 3"]),
    ]


def test_one_json_object_on_standard_input_is_a_row(run_of: Callable[[str], Path], folder: Path) -> None:
    command = [sys.executable, "-m", "recipes.predict", str(run_of("single")), "-"]
    given = '{"text": "where is my parcel", "id": 7}'
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    assert list(json.loads(done.stdout)) == ["text", "id", "prediction"]


def test_an_input_without_a_usable_row_is_refused(
    run_of: Callable[[str], Path], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(folder / "a.csv", ["text", "id"], [["", 1], [" ", 2]])
    assert predict.main([str(run_of("single")), "a.csv", "-o", "out.csv", "--on-bad-row", "skip"]) == 2
    assert "INPUT: holds no usable row (left out: 2 x empty text)" in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {"a.csv"}


def test_a_link_as_output_stays_one(run_of: Callable[[str], Path], folder: Path) -> None:
    write_csv(folder / "a.csv", ["text"], [["where is my parcel"]])
    (folder / "there").mkdir()
    (folder / "out.csv").symlink_to(folder / "there" / "out.csv")
    assert predict.main([str(run_of("single")), "a.csv", "-o", "out.csv"]) == 0
    assert (folder / "out.csv").is_symlink()
    assert {path.name for path in (folder / "there").iterdir()} == {"out.csv"}


def test_a_name_that_is_too_long_is_refused(
    run_of: Callable[[str], Path], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(folder / "a.csv", ["text"], [["where is my parcel"]])
    for size in (245, 300):
        assert predict.main([str(run_of("single")), "a.csv", "-o", f"{'x' * size}.csv"]) == 2
        assert "can't be written: File name too long" in capsys.readouterr().err


def test_an_output_among_the_inputs_is_refused(
    run_of: Callable[[str], Path], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(run_of("single"))
    write_csv(folder / "a.csv", ["text"], [["where is my parcel"]])
    assert predict.main([run, "*.csv", "-o", "out.csv"]) == 0
    before = (folder / "out.csv").read_bytes()
    assert predict.main([run, "*.csv", "-o", "out.csv", "--overwrite"]) == 2
    assert "out.csv: is one of the input's files" in capsys.readouterr().err
    assert (folder / "out.csv").read_bytes() == before


def test_pairs_in_a_second_file_are_refused_by_a_model_of_single_texts(
    run_of: Callable[[str], Path], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(folder / "a.csv", ["text"], [["where is my parcel"]])
    write_csv(folder / "b.csv", ["sentence1", "sentence2"], [["a", "b"]])
    assert predict.main([str(run_of("single")), "a.csv", "b.csv", "-o", "out.jsonl"]) == 2
    assert "b.csv, line 2: the model was trained on single texts" in capsys.readouterr().err
    assert not (folder / "out.jsonl").exists()
