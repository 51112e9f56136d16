"""Fixtures that run the real command with injected faults, and functions that read the results."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.nursery import Nursery, starter

Outcome = tuple[str, list[dict[str, float]]]
Harm = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]
Undisturbed = Callable[[str], tuple[Outcome, dict[str, int]]]
ROOT = Path(__file__).resolve().parents[2]

SETTINGS = (
    "hparams.epochs=3",
    "hparams.batch_size=4",
    "hparams.accumulation=2",
    "hparams.learning_rate=0.01",
    "hparams.keep=best",
    "runtime.device=cpu",
    "runtime.precision=fp32",
    "runtime.threads=1",
    "runtime.checkpoint_every=2steps",
)


@pytest.fixture
def harm(tmp_path: Path, nursery: Nursery | None) -> Harm:
    """Run the command with the faults of a plan: `harm(plan, *arguments)`. An empty plan injects no fault."""

    def command(
        plan: dict[str, Any],
        *arguments: str,
        before: tuple[str, ...] = (sys.executable,),
        typed: str | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        paths = {"PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
        return subprocess.run(
            [*starter(nursery, before, environment), "-m", "tests.faults.saboteur", json.dumps(plan), *arguments],
            cwd=tmp_path,
            env={**os.environ, **paths, **environment},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return command


@pytest.fixture(scope="session")
def command(data: dict[str, Path], models: dict[str, Path]) -> Command:
    """The arguments of a small run that is hard to resume: `command(task, *more)`.

    Dropout is on, rows are grouped by length, batches are accumulated, and checkpoints are saved within epochs.
    """

    def arguments(task: str, *more: str) -> list[str]:
        return [
            f"task={task}",
            "data=files",
            f"data.train={data[task]}",
            f"model.path={models['bert']}",
            *SETTINGS,
            *more,
        ]

    return arguments


@pytest.fixture(scope="session")
def undisturbed(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The result of a run without faults, and how often it made each counted call: `undisturbed(task)`."""
    known: dict[str, tuple[Outcome, dict[str, int]]] = {}

    def of(task: str) -> tuple[Outcome, dict[str, int]]:
        if task not in known:
            folder = tmp_path_factory.mktemp(task)
            done = subprocess.run(
                [sys.executable, "-m", "tests.faults.saboteur", json.dumps({"count": True}), *command(task)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            known[task] = outcome(folder), json.loads(done.stderr.splitlines()[-1])
        return known[task]

    return of


def outcome(root: Path) -> Outcome:
    """Return the result of the one finished run below a folder: the model's hash, and losses and scores by epoch.

    The hash alone is not enough: where the first epoch is the best one, the model shows nothing of later epochs.
    """
    (path,) = root.rglob("model/model.safetensors")
    history = json.loads((path.parent.parent / "report.json").read_text())["history"]
    return hashlib.sha256(path.read_bytes()).hexdigest(), history


def run_directory(root: Path) -> Path:
    """The one run directory below a folder, whether its run has ended or not."""
    (path,) = root.rglob("config.yaml")
    return path.parent


def interrupted(harm: Harm, command: list[str], at: tuple[str, int] = ("training_step", 21)) -> None:
    """Kill a run after some steps, so that it leaves two training states."""
    killed = harm({"signal": 9, "at": at}, *command)
    assert killed.returncode == -9, killed.stderr


def started(plan: dict[str, object], arguments: list[str], folder: Path, *before: str, **how: Any) -> Any:
    """Start a run without waiting for it."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.faults.saboteur", json.dumps(plan), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        **how,
    )
