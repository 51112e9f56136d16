"""A run that chooses its way of training by folds and is killed ends with the same choice and the same model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Command, Harm, outcome, started

CHOOSING = (
    *("hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=2", "hparams.dropout=0.1"),
    "hparams.keep=null",
)


def chosen(root: Path) -> tuple[Any, Any, Any]:
    """Return what was chosen by what scores, and all scores of the one finished run below a folder."""
    (path,) = root.rglob("report.json")
    report = json.loads(path.read_text())
    tried = [(way["name"], way["score"], way["bounds"]) for way in report["choice"]["ways"]]
    return report["choice"]["chosen"], tried, report["metrics"]


@pytest.fixture(scope="module")
def whole(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run without faults, once for each task."""
    folders: dict[str, Path] = {}

    def of(task: str) -> Path:
        if task not in folders:
            folders[task] = tmp_path_factory.mktemp(task)
            run = started({}, command(task, *CHOOSING), folders[task])
            assert run.wait(300) == 0
        return folders[task]

    return of


@pytest.mark.parametrize(
    ("task", "moment"),
    [
        ("classification", ("predict", 4)),
        ("classification", ("rename", 6)),
        ("ner", ("training_step", 3)),
        ("ner", ("training_step", 25)),
    ],
)
def test_killed_while_it_chooses(
    task: str,
    moment: tuple[str, int],
    harm: Harm,
    command: Command,
    whole: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    killed = harm({"signal": 9, "at": moment}, *command(task, *CHOOSING))
    assert killed.returncode == -9, killed.stderr
    folds = len(list(tmp_path.rglob("folds/*.json")))
    again = harm({"count": True}, *command(task, *CHOOSING))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == outcome(whole(task))
    assert chosen(tmp_path) == chosen(whole(task))
    assert not list(tmp_path.rglob("folds"))
    assert not list(tmp_path.rglob("checkpoints"))
    predicted = json.loads(again.stderr.strip().splitlines()[-1])["predict"]
    in_all = 2 * len(chosen(tmp_path)[1])
    assert predicted == in_all - folds + 1, (
        "folds that are finished are not trained again; the rest and the test rows are"
    )


def test_folds_of_other_rows_are_not_taken(harm: Harm, command: Command, data: dict[str, Path], tmp_path: Path) -> None:
    rows = tmp_path / "names.conll"
    rows.write_text(data["ner"].read_text())
    arguments = [*command("ner", *CHOOSING), f"data.train={rows}"]
    killed = harm({"signal": 9, "at": ("training_step", 7)}, *arguments)
    assert killed.returncode == -9
    rows.write_text(rows.read_text().replace("Lindqvist", "Lund"))
    again = harm({}, *arguments)
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path / "outputs")
    whole = harm({}, *arguments, "output_root=whole", PYTHONHASHSEED="1")
    assert whole.returncode == 0, whole.stderr
    assert chosen(tmp_path / "outputs") == chosen(tmp_path / "whole")


def test_a_soup_survives_a_kill(harm: Harm, command: Command, tmp_path: Path) -> None:
    soup = ("hparams.soup=2", "hparams.epochs=5")
    assert harm({}, *command("ner", *soup, "output_root=whole"), PYTHONHASHSEED="1").returncode == 0
    killed = harm({"signal": 9, "at": ("training_step", 38)}, *command("ner", *soup))
    assert killed.returncode == -9
    assert len(list(tmp_path.glob("outputs/**/checkpoints/soup-*"))) == 2, "others are removed as they are driven out"
    again = harm({}, *command("ner", *soup))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert outcome(tmp_path / "outputs") == outcome(tmp_path / "whole")


def test_the_last_weights_survive_a_kill_after_the_training(harm: Harm, command: Command, tmp_path: Path) -> None:
    last = ("hparams.keep=last", "hparams.average_weights=0.9")
    assert harm({}, *command("ner", *last, "output_root=whole"), PYTHONHASHSEED="1").returncode == 0
    killed = harm({"signal": 9, "at": ("predict", 1)}, *command("ner", *last))
    assert killed.returncode == -9
    assert list(tmp_path.glob("outputs/**/checkpoints/done-*"))
    again = harm({"count": True}, *command("ner", *last))
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stderr.strip().splitlines()[-1])["training_step"] == 0
    assert outcome(tmp_path / "outputs") == outcome(tmp_path / "whole")


def test_a_run_that_is_done_again_is_not_done_before(harm: Harm, command: Command, tmp_path: Path) -> None:
    """With `overwrite=true` and a kill while it chooses, the old result must not pass for the new one."""
    first = harm({}, *command("ner", *CHOOSING))
    assert first.returncode == 0, first.stderr
    expected = chosen(tmp_path)
    killed = harm({"signal": 9, "at": ("predict", 2)}, *command("ner", *CHOOSING, "overwrite=true"))
    assert killed.returncode == -9
    assert not list(tmp_path.rglob("report.json"))
    again = harm({}, *command("ner", *CHOOSING))
    assert again.returncode == 0, again.stderr
    assert "Already done" not in again.stdout
    assert chosen(tmp_path) == expected
