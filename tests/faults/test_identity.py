"""A run directory belongs to one config and one set of rows: a run with others neither resumes it nor calls it done."""

import shutil
from pathlib import Path

import pytest

from tests.faults.conftest import Command, Harm, interrupted, outcome, run_directory


def test_rows_have_changed(harm: Harm, command: Command, data: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "names.conll"
    shutil.copy(data["ner"], copy)
    mine = [*command("ner"), f"data.train={copy}"]
    interrupted(harm, mine)
    before = sorted(path.name for path in (run_directory(tmp_path) / "checkpoints").iterdir())
    copy.write_text(copy.read_text().replace("Oslo", "Bergen"))
    refused = harm({}, *mine)
    assert refused.returncode == 2
    assert "train rows: " in refused.stderr
    assert "overwrite=true" in refused.stderr
    assert sorted(path.name for path in (run_directory(tmp_path) / "checkpoints").iterdir()) == before
    anew = harm({}, *mine, "overwrite=true")
    assert anew.returncode == 0, anew.stderr
    assert "goes on" not in anew.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("hparams.batch_size=8", "hparams.batch_size: 4 there, 8 now"),
        ("hparams.accumulation=1", "hparams.accumulation: 2 there, 1 now"),
        ("seed=2", "seed: 1 then, 2 now"),
    ],
)
def test_a_directory_of_another_config(change: str, message: str, harm: Harm, command: Command, tmp_path: Path) -> None:
    interrupted(harm, command("ner"))
    other = harm({"signal": 9, "at": ["training_step", 1]}, *command("ner", change, "output_root=other"))
    assert other.returncode == -9
    place = run_directory(tmp_path / "other")
    shutil.rmtree(place)
    shutil.move(run_directory(tmp_path / "outputs"), place)
    refused = harm({}, *command("ner", change, "output_root=other"))
    assert refused.returncode == 2
    assert message in refused.stderr
    assert list((place / "checkpoints").glob("step-*")), "the other run keeps its checkpoints"


def test_a_finished_run_again(harm: Harm, command: Command, tmp_path: Path) -> None:
    assert harm({}, *command("ner")).returncode == 0
    before = outcome(tmp_path)
    again = harm({}, *command("ner"))
    assert again.returncode == 0
    assert "Already done" in again.stdout
    assert outcome(tmp_path) == before


def test_a_finished_run_whose_data_have_changed(
    harm: Harm, command: Command, data: dict[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "names.conll"
    shutil.copy(data["ner"], copy)
    mine = [*command("ner"), f"data.train={copy}"]
    assert harm({}, *mine).returncode == 0
    before = outcome(tmp_path)
    copy.write_text(copy.read_text().replace("Oslo", "Bergen"))
    refused = harm({}, *mine)
    assert refused.returncode == 2
    assert "its data have changed since: " in refused.stderr
    assert "names.conll" in refused.stderr
    assert outcome(tmp_path) == before
