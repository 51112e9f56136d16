"""One training in two processes, and two runs that want the same directory."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import ROOT, Command, Harm, Outcome, Undisturbed, outcome, run_directory, started


def launched(processes: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes))


@pytest.fixture(scope="module")
def whole_in_two(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The result of a run in two processes without faults."""
    folder = tmp_path_factory.mktemp("two")
    done = subprocess.run(
        [*launched(2), "-m", "recipes.run", *command("ner")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return outcome(folder)


@pytest.mark.parametrize(
    ("rank", "moment"),
    [
        (0, ("training_step", 9)),
        (1, ("training_step", 24)),
        (0, ("fsync", 30)),
        (0, ("rename", 4)),
        (1, ("evaluate", 2)),
        (1, ("predict", 1)),
    ],
)
def test_killed_in_two_processes(
    rank: int, moment: tuple[str, int], whole_in_two: Outcome, harm: Harm, command: Command, tmp_path: Path
) -> None:
    killed = harm({"signal": 9, "at": moment, "to": rank}, *command("ner"), before=launched(2))
    assert killed.returncode != 0
    assert not list(tmp_path.rglob("report.json"))
    assert list(tmp_path.rglob("checkpoints/*-0*/manifest.json"))
    again = harm({}, *command("ner"), before=launched(2))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert outcome(tmp_path) == whole_in_two


def test_one_process_does_not_go_on_with_what_two_began(harm: Harm, command: Command, tmp_path: Path) -> None:
    killed = harm({"signal": 9, "at": ["training_step", 9]}, *command("ner"), before=launched(2))
    assert killed.returncode != 0
    alone = harm({}, *command("ner"))
    assert alone.returncode == 2
    assert "processes: 2 then, 1 now" in alone.stderr
    assert list(tmp_path.rglob("checkpoints/step-*"))


@pytest.mark.parametrize("rank", [0, 1])
def test_too_little_memory_in_two_processes(rank: int, harm: Harm, command: Command, tmp_path: Path) -> None:
    """One process can't repeat a step while the other waits for its gradient. Both end with a message that helps."""
    wide = command("ner", "hparams.batch_size=8", "hparams.accumulation=1")
    plan = {"memory": 40, "to": rank}
    stopped = harm(plan, *wide, before=launched(2))
    assert stopped.returncode != 0
    found = re.findall(r"Out of memory with \d+ rows of \d+ tokens: (runtime.tokens_at_once=\d+)", stopped.stderr)
    assert len(found) == 1, "the message appears exactly once"
    assert not list(tmp_path.rglob("report.json"))
    smaller = harm(plan, *wide, found[0], before=launched(2))
    assert smaller.returncode == 0, smaller.stderr


@pytest.mark.parametrize(("number", "receiver"), [(15, "each"), (15, 1), (15, "launcher"), (2, "launcher")])
def test_told_to_end_in_two_processes(
    number: int, receiver: str | int, whole_in_two: Outcome, harm: Harm, command: Command, tmp_path: Path
) -> None:
    """Whichever process gets the signal, both end after the same step, and neither hangs."""
    seldom = command("ner", "runtime.checkpoint_every=2h")
    told = harm({"signal": number, "at": ["training_step", 12], "to": receiver}, *seldom, before=launched(2))
    assert told.returncode != 0
    assert "broadcast_buffers" not in told.stderr
    assert "Interrupted after step 8. To go on from there, run the same command again." in told.stderr
    assert told.stderr.count("Interrupted after step") == 1, "the message appears exactly once"
    (saved,) = (run_directory(tmp_path) / "checkpoints").glob("step-*")
    assert saved.name == "step-00000008"
    again = harm({}, *seldom, before=launched(2))
    assert again.returncode == 0, again.stderr
    assert "goes on after step 8" in again.stdout
    assert outcome(tmp_path) == whole_in_two


def test_two_processes_want_one_directory(
    harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    plan = {"signal": 19, "at": ["training_step", 5]}
    with started(plan, command("ner"), tmp_path, stdout=subprocess.DEVNULL) as first:
        os.waitpid(first.pid, os.WUNTRACED)  # wait until the run has stopped itself during training
        try:
            second = harm({}, *command("ner"))
        finally:
            first.send_signal(signal.SIGCONT)
        assert second.returncode == 2
        assert "is in use: another process" in second.stderr
        assert first.wait(timeout=120) == 0
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_two_processes_choose_the_same_way(command: Command, tmp_path: Path) -> None:
    chosen = ("hparams=small_data", "hparams.choose_by_folds=2", "hparams.epochs=1", "hparams.keep=null")
    done = subprocess.run(
        [*launched(2), "-m", "recipes.run", *command("ner", *chosen)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("chosen      ") == 1
    assert "LOAD REPORT" not in done.stderr
    assert outcome(tmp_path)
    assert not list(tmp_path.rglob("folds"))
