"""Faults while predicting on files: in the end, the output is that of an undisturbed command, or none."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import INTENTS
from tests.faults.conftest import ROOT, Command, Harm

ROWS = 4500
"Enough for several calls of the model, which the journal is written after."
PREDICT = {"module": "recipes.predict"}


@pytest.fixture(scope="module")
def trained(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a small run."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = [*command("classification"), "hparams.max_steps=4", "hparams.epochs=null"]
    subprocess.run([sys.executable, "-m", "recipes.run", *arguments], cwd=folder, check=True, capture_output=True)
    (model,) = folder.rglob("model/config.json")
    return model.parent


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    known = [(text, label) for label, of_label in INTENTS.items() for text in of_label]
    rows = [f"{number},{text} {number % 7},{label}\n" for number in range(ROWS // len(known)) for text, label in known]
    path.write_text("id,text,label\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def expected(trained: Path, texts: Path) -> str:
    out = texts.with_name("expected.csv")
    arguments = [str(trained), str(texts), "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "recipes.predict", *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert "scores" in done.stdout
    return out.read_text()


def score_line(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("scores"))


@pytest.mark.parametrize(
    ("number", "at"),
    [
        (signal.SIGKILL, ("predict", 3)),
        (signal.SIGKILL, ("fsync", 1)),
        (signal.SIGKILL, ("fsync", 6)),
        (signal.SIGTERM, ("predict", 4)),
    ],
)
def test_an_interrupted_prediction_goes_on(
    harm: Harm, trained: Path, texts: Path, expected: str, tmp_path: Path, number: int, at: tuple[str, int]
) -> None:
    arguments = [str(trained), str(texts), "-o", "out.csv"]
    stopped = harm({**PREDICT, "signal": number, "at": at}, *arguments)
    assert stopped.returncode == (-9 if number == signal.SIGKILL else 128 + number), stopped.stderr
    assert not (tmp_path / "out.csv").exists()
    if number != signal.SIGKILL:
        assert "To go on, give the same command again" in stopped.stderr
    again = harm(PREDICT, *arguments)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out.csv").read_text() == expected
    assert score_line(again.stdout).endswith(f"({expected.count(chr(10)) - 1} rows with labels)")
    assert "before the interruption" in again.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"out.csv", "hf"}


@pytest.mark.parametrize("call", [3, 6])
def test_a_full_disk_leaves_what_is_done(
    harm: Harm, trained: Path, texts: Path, expected: str, tmp_path: Path, call: int
) -> None:
    arguments = [str(trained), str(texts), "-o", "out.csv"]
    full = harm({**PREDICT, "full": call}, *arguments)
    assert full.returncode == 2
    assert "No space left" in full.stderr
    assert "make room" in full.stderr
    assert not (tmp_path / "out.csv").exists()
    assert harm(PREDICT, *arguments).returncode == 0
    assert (tmp_path / "out.csv").read_text() == expected


def test_other_predictions_are_not_mixed_with_those_of_an_interrupted_command(
    harm: Harm, trained: Path, texts: Path, tmp_path: Path
) -> None:
    stopped = harm({**PREDICT, "signal": 9, "at": ("predict", 3)}, str(trained), str(texts), "-o", "out.csv")
    assert stopped.returncode == -9
    other = harm(PREDICT, str(trained), str(texts), "-o", "out.csv", "task.max_length=9")
    assert other.returncode == 2
    assert "options: [] then, ['task.max_length=9'] now" in other.stderr
    anew = harm(PREDICT, str(trained), str(texts), "-o", "out.csv", "task.max_length=9", "--overwrite")
    assert anew.returncode == 0, anew.stderr
    assert "before the interruption" not in anew.stdout


def test_nobody_reads_the_output(trained: Path, texts: Path) -> None:
    shell = f"{sys.executable} -m recipes.predict {trained} {texts} | head -n 2; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second, status = done.stdout.splitlines()
    assert json.loads(first)["prediction"]["label"] in INTENTS
    assert json.loads(second)["id"] == "0"
    assert status == "141"
    assert "Traceback" not in done.stderr
    assert "Nobody reads the output any more" in done.stderr
