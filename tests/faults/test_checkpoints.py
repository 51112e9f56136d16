"""Checkpoints that are damaged, missing, moved, or resumed on another machine."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Command, Harm, Undisturbed, interrupted, outcome, run_directory


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "harm_file", "message"),
    [
        ("weights.safetensors", cut, "weights.safetensors has"),
        ("weights.safetensors", flip, "the content of weights.safetensors has changed"),
        ("trainer_state.json", Path.unlink, "trainer_state.json is missing"),
        ("trainer_state.json", cut, "trainer_state.json has"),
        ("optimizer.safetensors", Path.unlink, "optimizer.safetensors is missing"),
        ("process-0.json", Path.unlink, "process-0.json is missing"),
        ("manifest.json", cut, "manifest.json is missing or can't be read"),
    ],
)
def test_the_newest_checkpoint_is_damaged(
    file: str,
    harm_file: Callable[[Path], None],
    message: str,
    harm: Harm,
    command: Command,
    undisturbed: Undisturbed,
    tmp_path: Path,
) -> None:
    interrupted(harm, command("ner"))
    older, newest = sorted((run_directory(tmp_path) / "checkpoints").glob("step-*"))
    harm_file(newest / file)
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert f"checkpoint {newest.name} is damaged and left out: {message}" in again.stdout
    assert f"goes on after step {int(older.name[-8:])}," in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_all_checkpoints_are_damaged(harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    interrupted(harm, command("ner"))
    for path in (run_directory(tmp_path) / "checkpoints").glob("step-*"):
        cut(path / "optimizer.safetensors")
    again = harm({}, *command("ner"))
    assert again.stdout.count("is damaged and left out") == 2
    assert "goes on" not in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_the_best_weights_are_gone_on_resuming(
    harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    interrupted(harm, command("ner"))
    bests = list((run_directory(tmp_path) / "checkpoints").glob("best-*"))
    assert bests
    for path in bests:
        shutil.rmtree(path)
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert "the best weights it refers to" in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_the_best_weights_go_while_training(
    harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    robbed = harm({"tamper": True}, *command("ner"))
    assert robbed.returncode == 2
    assert "the best weights can't be used: manifest.json is missing" in robbed.stderr
    assert not list(tmp_path.rglob("report.json"))
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_the_directory_has_been_moved(harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    interrupted(harm, command("ner"))
    (tmp_path / "outputs").rename(tmp_path / "elsewhere")
    again = harm({}, *command("ner", "output_root=elsewhere"))
    assert "goes on after step" in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_another_machine_goes_on(harm: Harm, command: Command, tmp_path: Path) -> None:
    interrupted(harm, command("ner"))
    again = harm({}, *command("ner", "runtime.threads=2"))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert (
        "the last digits may come out otherwise than without the interruption: threads: 1 then, 2 now" in again.stdout
    )


def test_few_checkpoints_lie_about(harm: Harm, command: Command, tmp_path: Path) -> None:
    interrupted(harm, command("ner"), ("training_step", 27))
    names = sorted(path.name for path in (run_directory(tmp_path) / "checkpoints").iterdir())
    assert sum(name.startswith("step-") for name in names) == 2
    assert 1 <= sum(name.startswith("best-") for name in names) <= 2
