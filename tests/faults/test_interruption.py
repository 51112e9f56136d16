"""A run that is killed or told to end at any moment gives exactly the same model when the command is repeated."""

import fcntl
import json
import os
import random
import re
import signal
import subprocess
import termios
from pathlib import Path

import pytest

from tests.faults.conftest import Command, Harm, Undisturbed, interrupted, outcome, run_directory, started

KILLS = 20


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(
    number: int, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    task = ("ner", "classification", "qa")[number % 3]
    expected, counts = undisturbed(task)
    generator = random.Random(number)  # noqa: S311
    # Half of the runs are killed while they write a file.
    kind = generator.choice(["training_step", "evaluate", "predict"] if number % 2 else ["fsync", "rename"])
    moment = (kind, generator.randint(1, counts[kind]))
    interrupted(harm, command(task), moment)
    assert not list(tmp_path.rglob("report.json")), "a killed run has no report"
    again = harm({}, *command(task))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == expected, moment
    assert not list(tmp_path.rglob("*.partial"))
    assert not (run_directory(tmp_path) / "checkpoints").exists()


@pytest.mark.parametrize("moment", [("training_step", 11), ("training_step", 21), ("evaluate", 1), ("evaluate", 2)])
def test_killed_right_after_an_epoch(
    moment: tuple[str, int], harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """The checkpoint at the end of an epoch includes the epoch's evaluation, or is not written."""
    often = command("ner", "runtime.checkpoint_every=1steps")
    interrupted(harm, often, moment)
    again = harm({}, *often)
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == undisturbed("ner")[0]


@pytest.mark.parametrize(("micro_step", "state"), [(14, 4), (19, 8), (23, 8), (27, 12)])
def test_killed_with_weights_in_memory_that_are_kept(
    micro_step: int, state: int, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Epochs end after steps 5, 10 and 15, so each state is written a few steps after the weights that it refers to."""
    rarely = command("ner", "runtime.checkpoint_every=4steps")
    interrupted(harm, rarely, ("training_step", micro_step))
    again = harm({}, *rarely)
    assert again.returncode == 0, again.stderr
    assert f"goes on after step {state}," in again.stdout
    assert "damaged" not in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


@pytest.mark.parametrize(
    "settings",
    [
        ("hparams.early_stopping=1",),
        ("hparams.keep=null",),
        ("hparams.keep=null", "hparams.evaluations=5"),
        ("hparams.r_drop=1",),
        ("hparams.label_smoothing=0.1", "hparams.schedule=cosine"),
        ("hparams.class_weights=balanced", "hparams.freeze_layers=1", "hparams.freeze_embeddings=true"),
        ("hparams.epochs=null", "hparams.max_steps=13"),
        ("runtime.precision=bf16",),
        ("runtime.tokens_at_once=24",),
        ("hparams.stock=true",),
        (
            "hparams.layer_decay=0.9",
            "hparams.reinit_layers=1",
            "hparams.unfreeze_over=0.6",
            "hparams.average_weights=0.9",
        ),
        (
            "hparams.adversarial=1",
            "hparams.accumulation=1",
            "hparams.pretrained_pull=5",
            "hparams.focal=2",
            "runtime.gradient_checkpointing=true",
        ),
        ("hparams.batch_size=1", "hparams.accumulation=1"),
        ("hparams.batch_size=6", "hparams.accumulation=3"),
    ],
    ids=" ".join,
)
def test_killed_with_other_settings(settings: tuple[str, ...], harm: Harm, command: Command, tmp_path: Path) -> None:
    assert harm({}, *command("ner", *settings, "output_root=whole"), PYTHONHASHSEED="1").returncode == 0
    interrupted(harm, command("ner", *settings), ("training_step", 15))
    again = harm({}, *command("ner", *settings))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert outcome(tmp_path / "outputs") == outcome(tmp_path / "whole")
    reports = [json.loads(next((tmp_path / name).rglob("report.json")).read_text()) for name in ("outputs", "whole")]
    assert reports[0]["metrics"] == reports[1]["metrics"]
    padding = [report["training"]["padding_share"] for report in reports]
    assert padding[0] == pytest.approx(padding[1], abs=0.02), "the resumed run continues the count of padding"


@pytest.mark.parametrize("before_the_end", range(6))
def test_killed_while_the_results_are_written(
    before_the_end: int, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    expected, counts = undisturbed("ner")
    interrupted(harm, command("ner"), ("fsync", counts["fsync"] - before_the_end))
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == expected
    names = {path.name for path in run_directory(tmp_path).iterdir()}
    assert names == {"config.yaml", "model", "predictions", "report.html", "report.json"}


def test_killed_when_all_is_written(harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    expected, counts = undisturbed("ner")
    interrupted(harm, command("ner"), ("rmtree", counts["rmtree"]))
    assert (run_directory(tmp_path) / "checkpoints").exists()
    again = harm({}, *command("ner"))
    assert "Already done" in again.stdout
    assert outcome(tmp_path) == expected
    # The lock file stays. It locks nothing, since the process that held the lock is gone.
    names = {path.name for path in run_directory(tmp_path).iterdir()} - {".lock"}
    assert names == {"config.yaml", "model", "predictions", "report.html", "report.json"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_told_to_end(
    number: int, status: int, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    told = harm({"signal": int(number), "at": ["training_step", 12]}, *command("ner", "runtime.checkpoint_every=2h"))
    assert told.returncode == status
    assert "Traceback" not in told.stderr
    assert "Interrupted after step 6" in told.stderr
    assert "run the same command again" in told.stderr
    (saved,) = (run_directory(tmp_path) / "checkpoints").glob("step-*")
    assert saved.name == "step-00000006"
    again = harm({}, *command("ner", "runtime.checkpoint_every=2h"))
    assert "goes on after step 6" in again.stdout
    assert "last digits" not in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


@pytest.mark.parametrize("moment", [("encode", 2), ("predict", 1)])
def test_told_to_end_outside_of_training(
    moment: tuple[str, int], harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    told = harm({"signal": 2, "at": moment}, *command("ner"))
    assert told.returncode == 130
    assert "Traceback" not in told.stderr
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert ("goes on after step" in again.stdout) == (moment[0] == "predict")
    assert outcome(tmp_path) == undisturbed("ner")[0]
    training = json.loads(next(tmp_path.rglob("report.json")).read_text())["training"]
    assert training["padding_share"] > 0
    assert training["seconds"] > 0
    assert (training["seconds_to_first_step"] is None) == (moment[0] == "predict")


def test_whoever_read_along_has_gone(command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started({}, command("ner"), tmp_path, **pipes) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=120) == 0
    assert outcome(tmp_path) == undisturbed("ner")[0]


@pytest.mark.parametrize("before", [(), ("nohup",)])
def test_the_terminal_closes(
    before: tuple[str, ...], harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    leader, follower = os.openpty()
    plan = {"signal": 19, "at": ["training_step", 12]}
    ends = dict.fromkeys(("stdin", "stdout", "stderr"), follower)

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with started(plan, command("ner"), tmp_path, *before, **ends, preexec_fn=take_terminal) as process:
        os.close(follower)
        os.waitpid(process.pid, os.WUNTRACED)  # wait until the run has stopped itself during training
        os.close(leader)  # the system sends the run SIGHUP, then SIGCONT
        assert process.wait(timeout=120) == (0 if before else 129)
    if not before:
        again = harm({}, *command("ner"))
        assert "goes on after step" in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


def test_each_row_once_in_an_epoch_that_was_cut(harm: Harm, command: Command, tmp_path: Path) -> None:
    """The run is killed within the second of three epochs, with rows grouped by length."""
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen.jsonl"
    plan = {"signal": 9, "at": ["training_step", 17], "rows": str(seen)}
    assert harm(plan, *command("ner")).returncode == -9
    first = [json.loads(line) for line in seen.read_text().splitlines()]
    again = harm({"rows": str(kept)}, *command("ner"))
    start = int(re.findall(r"goes on after step (\d+)", again.stdout)[0])
    second = [json.loads(line) for line in kept.read_text().splitlines()]
    batches = [batch for batch in first if batch[0] < start] + second
    assert 5 < start < 10, "the run resumes within the second epoch; an epoch has five steps"
    epochs = [[row for step, rows in batches if step // 5 == epoch for row in rows] for epoch in range(3)]
    assert [len(rows) for rows in epochs] == [20, 20, 20]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(epochs[2])
    assert len({tuple(row) for row in epochs[1]}) == 20
    assert epochs[0] != epochs[1], "each epoch has its own order"
