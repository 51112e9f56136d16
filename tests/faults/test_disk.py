"""Disks that are full, too small or read-only."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Command, Harm, Undisturbed, outcome


@pytest.fixture(scope="module")
def _small_disks() -> None:
    """Skip a test where ordinary users can't mount a disk; `test_one_write_finds_no_room` runs there all the same."""
    mounts = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(mounts, capture_output=True, check=False).returncode:
        pytest.skip("this system lets an ordinary user mount no small disk (unshare -rm)")


def on_a_disk_of(size: str, then: str = "true") -> tuple[str, ...]:
    """Return a command that mounts a small disk at ./small, runs Python with the arguments that follow, then `then`.

    `then` is shell code and sees the same arguments. The disk is gone afterwards; `then` may copy files from it.
    """
    script = (
        f'mkdir small; mount -t tmpfs -o size={size} none small; {sys.executable} "$@"; status=$?; {then}; exit $status'
    )
    return ("unshare", "-rm", "bash", "-c", script, "-")


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_one_write_finds_no_room(
    moment: float, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    expected, counts = undisturbed("ner")
    short = harm({"full": max(round(moment * counts["fsync"]), 1)}, *command("ner"))
    assert "Traceback" not in short.stderr
    if short.returncode:
        assert short.returncode == 2
        assert "No space left on device" in short.stderr
        assert "run the same command again" in short.stderr or "can't be written to" in short.stderr
        assert not list(tmp_path.rglob("report.json"))
        again = harm({}, *command("ner"))
        assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == expected
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.usefixtures("_small_disks")
def test_the_disk_gets_full(harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    again = f'rm small/filler; {sys.executable} "${{@:1:2}}" {{}} "${{@:4}}"; echo then=$?; cp -r small after'
    plan = {"fill": "small", "at": ["training_step", 14]}
    full = harm(plan, *command("ner", "output_root=small"), before=on_a_disk_of("9m", then=again))
    assert "Traceback" not in full.stderr
    assert "no checkpoint after step 8: [Errno 28] No space left on device" in full.stdout
    assert full.returncode == 2
    assert "can't be" in full.stderr
    assert "Make room and run the same command again" in full.stderr
    assert "goes on after step 6" in full.stdout
    assert "then=0" in full.stdout
    assert outcome(tmp_path / "after") == undisturbed("ner")[0]


@pytest.mark.usefixtures("_small_disks")
def test_the_disk_is_too_small_from_the_start(harm: Harm, command: Command) -> None:
    full = harm({}, *command("ner", "output_root=small"), before=on_a_disk_of("500k", then="find small -name '*-0*'"))
    assert full.returncode == 2
    assert re.search(r"has [\d.]+ MB of disk left, and this run needs [\d.]+ MB", full.stderr)
    assert "validation loss" not in full.stdout
    assert "/step-" not in full.stdout


@pytest.mark.usefixtures("_small_disks")
def test_the_run_directory_is_read_only(harm: Harm, command: Command, tmp_path: Path) -> None:
    script = f'mkdir out && mount -t tmpfs -o size=9m,ro none out && exec {sys.executable} "$@"'
    refused = harm({}, *command("ner", "output_root=out"), before=("unshare", "-rm", "bash", "-c", script, "-"))
    assert refused.returncode == 2
    assert "can't be written to: Read-only file system" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "epoch" not in refused.stdout
