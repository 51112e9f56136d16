"""Sweeps keep finished jobs and survive a failing one; caches serve two jobs at once and replace damaged files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import ROOT, Command, Harm, outcome


@pytest.mark.parametrize("number", [9, 15])
def test_a_sweep_is_stopped_and_asked_for_again(number: int, harm: Harm, command: Command, tmp_path: Path) -> None:
    sweep = ["-m", *command("ner"), "seed=1,2,3"]
    stopped = harm({"signal": number, "at": ["training_step", 50]}, *sweep)
    assert stopped.returncode == (143 if number == 15 else -9)
    assert "Sweep of" not in stopped.stdout, "the sweep begins no later job"
    assert len(list(tmp_path.rglob("report.json"))) == 1
    again = harm({}, *sweep)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("Already done") == 1
    assert again.stdout.count("goes on after step") == 1
    assert "Sweep of 3 jobs, best first" in again.stdout
    assert len(list(tmp_path.rglob("report.json"))) == 3


def test_one_job_of_four_fails(harm: Harm, command: Command, tmp_path: Path) -> None:
    sweep = ["-m", *command("ner"), "hparams.freeze_layers=0,1,9,2"]
    ended = harm({}, *sweep)
    assert ended.returncode == 1
    assert "Sweep of 4 jobs, best first, 1 failed" in ended.stdout
    assert "failed: hparams.freeze_layers=9: the model has 2 layers" in ended.stdout
    assert len(list(tmp_path.rglob("report.json"))) == 3


def test_two_jobs_on_a_cold_cache(command: Command, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "RECIPES_CACHE": str(cache)}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-m", "recipes.run", *command("qa", f"output_root=out{number}")],
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for job in jobs:
        _, errors = job.communicate(timeout=200)
        assert job.returncode == 0, errors
    assert len(list(cache.glob("*.arrow"))) == 3, "the two jobs share one file for each split"
    assert outcome(tmp_path / "out0") == outcome(tmp_path / "out1")


def test_damaged_cache_files(harm: Harm, command: Command, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert harm({}, *command("ner", "output_root=first"), RECIPES_CACHE=str(cache)).returncode == 0
    files = sorted(cache.glob("*.arrow"))
    files[0].write_bytes(files[0].read_bytes()[:-9])
    files[1].write_bytes(b"")
    files[2].write_bytes(files[2].read_bytes()[:50] + b"?" + files[2].read_bytes()[51:])
    again = harm({}, *command("ner", "output_root=second"), RECIPES_CACHE=str(cache))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path / "first") == outcome(tmp_path / "second")
    reports = [json.loads(next((tmp_path / name).rglob("report.json")).read_text()) for name in ("first", "second")]
    assert reports[0]["metrics"] == reports[1]["metrics"]
