"""A training that is killed, told to end, or finds its checkpoints damaged comes to the very same weights."""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import ROOT, Harm, Outcome, outcome, run_directory

Command = Callable[..., list[str]]
Undisturbed = Callable[[str], tuple[Outcome, dict[str, int]]]

KILLS = 20


def interrupted(harm: Harm, command: list[str], at: tuple[str, int] = ("training_step", 21)) -> None:
    """Kill a run after some steps, so that two training states lie there."""
    killed = harm({"signal": 9, "at": at}, *command)
    assert killed.returncode == -9, killed.stderr


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(
    number: int, harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    task = ("ner", "classification", "qa")[number % 3]
    expected, counts = undisturbed(task)
    generator = random.Random(number)  # noqa: S311
    # Half of them while something is being written.
    kind = generator.choice(["training_step", "evaluate", "predict"] if number % 2 else ["fsync", "rename"])
    moment = (kind, generator.randint(1, counts[kind]))
    interrupted(harm, command(task), moment)
    assert not list(tmp_path.rglob("report.json")), "a run that was killed is no finished one"
    again = harm({}, *command(task))
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == expected, moment
    assert not list(tmp_path.rglob("*.partial"))
    assert not (run_directory(tmp_path) / "checkpoints").exists()


@pytest.mark.parametrize("moment", [("training_step", 11), ("training_step", 21), ("evaluate", 1), ("evaluate", 2)])
def test_killed_right_after_an_epoch(
    moment: tuple[str, int], harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """The last step of an epoch is saved with its evaluation, or not at all."""
    often = command("ner", "runtime.checkpoint_every=1steps")
    interrupted(harm, often, moment)
    again = harm({}, *often)
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path) == undisturbed("ner")[0]


@pytest.mark.parametrize(
    "settings",
    [
        ("hparams.early_stopping=1",),
        ("hparams.r_drop=1",),
        ("hparams.label_smoothing=0.1", "hparams.schedule=cosine"),
        ("hparams.class_weights=balanced", "hparams.freeze_layers=1", "hparams.freeze_embeddings=true"),
        ("hparams.epochs=null", "hparams.max_steps=13"),
        ("runtime.precision=bf16",),
        ("runtime.tokens_at_once=24",),
        ("hparams.stock=true",),
        ("hparams.batch_size=1", "hparams.accumulation=1"),
        ("hparams.batch_size=6", "hparams.accumulation=3"),
    ],
    ids=" ".join,
)
def test_killed_with_other_settings(settings: tuple[str, ...], harm: Harm, command: Command, tmp_path: Path) -> None:
    assert harm({}, *command("ner", *settings, "output_root=whole")).returncode == 0
    interrupted(harm, command("ner", *settings), ("training_step", 15))
    again = harm({}, *command("ner", *settings))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert outcome(tmp_path / "outputs") == outcome(tmp_path / "whole")
    reports = [json.loads(next((tmp_path / name).rglob("report.json")).read_text()) for name in ("outputs", "whole")]
    assert reports[0]["metrics"] == reports[1]["metrics"]
    padding = [report["training"]["padding_share"] for report in reports]
    assert padding[0] == pytest.approx(padding[1], abs=0.02), "counted on from where it was"


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
    assert names == {"config.yaml", "model", "predictions", "report.json"}


def test_killed_when_all_is_written(harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path) -> None:
    expected, counts = undisturbed("ner")
    interrupted(harm, command("ner"), ("rmtree", counts["rmtree"]))
    assert (run_directory(tmp_path) / "checkpoints").exists()
    again = harm({}, *command("ner"))
    assert "Already done" in again.stdout
    assert outcome(tmp_path) == expected
    # The lock stays: the process that held it is gone, and the next one will take it.
    names = {path.name for path in run_directory(tmp_path).iterdir()} - {".lock"}
    assert names == {"config.yaml", "model", "predictions", "report.json"}


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


def started(plan: dict[str, object], arguments: list[str], folder: Path, *before: str, **how: Any) -> Any:
    """Start a run without waiting for it."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.faults.saboteur", json.dumps(plan), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        **how,
    )


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
    take_terminal = lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0))  # noqa: E731
    with started(plan, command("ner"), tmp_path, *before, **ends, preexec_fn=take_terminal) as process:
        os.close(follower)
        os.waitpid(process.pid, os.WUNTRACED)  # it has stopped itself in the midst of training
        os.close(leader)  # the system tells it that the terminal is gone, and lets it go on
        assert process.wait(timeout=120) == (0 if before else 129)
    if not before:
        again = harm({}, *command("ner"))
        assert "goes on after step" in again.stdout
    assert outcome(tmp_path) == undisturbed("ner")[0]


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


def test_each_row_once_in_an_epoch_that_was_cut(harm: Harm, command: Command, tmp_path: Path) -> None:
    """Killed in the midst of the second of three epochs, with rows grouped by length."""
    kept, seen = tmp_path / "kept.jsonl", tmp_path / "seen.jsonl"
    plan = {"signal": 9, "at": ["training_step", 17], "rows": str(seen)}
    assert harm(plan, *command("ner")).returncode == -9
    first = [json.loads(line) for line in seen.read_text().splitlines()]
    again = harm({"rows": str(kept)}, *command("ner"))
    start = int(re.findall(r"goes on after step (\d+)", again.stdout)[0])
    second = [json.loads(line) for line in kept.read_text().splitlines()]
    batches = [batch for batch in first if batch[0] < start] + second
    assert 5 < start < 10, "within the second epoch of five steps"
    epochs = [[row for step, rows in batches if step // 5 == epoch for row in rows] for epoch in range(3)]
    assert [len(rows) for rows in epochs] == [20, 20, 20]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(epochs[2])
    assert len({tuple(row) for row in epochs[1]}) == 20
    assert epochs[0] != epochs[1], "each epoch in an order of its own"


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


@pytest.fixture(scope="module")
def _small_disks() -> None:
    """Some systems let no ordinary user mount anything; `test_one_write_finds_no_room` runs there all the same."""
    mounts = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(mounts, capture_output=True, check=False).returncode:
        pytest.skip("this system lets an ordinary user mount no small disk (unshare -rm)")


def on_a_disk_of(size: str, then: str = "true") -> tuple[str, ...]:
    """Mount a small file system at ./small in a namespace of its own, run Python with the arguments there, then `then`.

    `then` sees the arguments, too, and may copy out of ./small what is to be looked at: it is gone afterwards.
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
    assert list((place / "checkpoints").glob("step-*")), "nothing of the other run is lost"


def launched(processes: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes))


@pytest.fixture(scope="module")
def whole_in_two(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What two undisturbed processes come to."""
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


@pytest.mark.parametrize(("number", "receiver"), [(15, "each"), (15, 1), (15, "launcher"), (2, "launcher")])
def test_told_to_end_in_two_processes(
    number: int, receiver: str | int, whole_in_two: Outcome, harm: Harm, command: Command, tmp_path: Path
) -> None:
    """Whichever process hears of it, both end after the same step, and nothing hangs."""
    seldom = command("ner", "runtime.checkpoint_every=2h")
    told = harm({"signal": number, "at": ["training_step", 12], "to": receiver}, *seldom, before=launched(2))
    assert told.returncode != 0
    assert "broadcast_buffers" not in told.stderr
    assert "Interrupted after step 8. To go on from there, run the same command again." in told.stderr
    assert told.stderr.count("Interrupted after step") == 1, "it is said once"
    (saved,) = (run_directory(tmp_path) / "checkpoints").glob("step-*")
    assert saved.name == "step-00000008"
    again = harm({}, *seldom, before=launched(2))
    assert again.returncode == 0, again.stderr
    assert "goes on after step 8" in again.stdout
    assert outcome(tmp_path) == whole_in_two


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


def test_two_processes_want_one_directory(
    harm: Harm, command: Command, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    plan = {"signal": 19, "at": ["training_step", 5]}
    with started(plan, command("ner"), tmp_path, stdout=subprocess.DEVNULL) as first:
        os.waitpid(first.pid, os.WUNTRACED)  # it has stopped itself in the midst of training
        try:
            second = harm({}, *command("ner"))
        finally:
            first.send_signal(signal.SIGCONT)
        assert second.returncode == 2
        assert "is in use: another process" in second.stderr
        assert first.wait(timeout=120) == 0
    assert outcome(tmp_path) == undisturbed("ner")[0]
