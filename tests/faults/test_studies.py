"""A study that is killed at any moment and started again gives the answer of an undisturbed one."""

import re
from pathlib import Path
from typing import Any

from tests.faults.conftest import Command, Harm

KILLS: tuple[list[Any], ...] = (["training_step", 3], ["fsync", 30])
"Calls right before which the study is killed, one kill after the other."


def record(root: Path) -> str:
    (path,) = root.rglob("study.json")
    return re.sub(r"killed|unhurt|sweeps/\w+", "ROOT", path.read_text())


def test_a_study_that_is_killed_over_and_over(harm: Harm, command: Command, tmp_path: Path) -> None:
    own = [word for word in command("classification") if not word.startswith("hparams.epochs")]
    words = [*own, "hparams.epochs=2", "study=cross_validation", "study.folds=3"]
    whole = harm({}, *words, "output_root=unhurt", PYTHONHASHSEED="1")
    assert whole.returncode == 0, whole.stderr
    killed = 0
    for place in KILLS:
        ended = harm({"signal": 9, "at": place}, *words, "output_root=killed")
        killed += ended.returncode == -9
        assert ended.returncode in (-9, 0), ended.stderr
    assert killed == len(KILLS)
    again = harm({}, *words, "output_root=killed")
    assert again.returncode == 0, again.stderr
    assert record(tmp_path / "killed") == record(tmp_path / "unhurt")
    ours, theirs = ((tmp_path / name) for name in ("killed", "unhurt"))
    (one,), (other,) = (list(root.rglob("out_of_fold/seed=1.jsonl")) for root in (ours, theirs))
    assert one.read_bytes() == other.read_bytes()
    assert not list(ours.rglob("model.safetensors")), "a mark tells after a kill that the weights are the study's"
