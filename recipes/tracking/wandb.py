"""Weights & Biases: online after `wandb login`, otherwise offline, in `wandb/` in the working directory."""

import os
import secrets
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.tracking.client import Client, Ended, Point, Results, TrackedRun
from recipes.tracking.isolation import set_defaults

SETTINGS = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
OFFLINE = ("offline", "dryrun")

LONGEST_WAIT = 30.0
"Seconds to wait for the service when a run begins and when it ends."


class WeightsAndBiases(Client):
    """A run of a project of Weights & Biases.

    Args:
        run: the run.
        earlier: what `run_id` was when the run began, or None if it begins now.
    """

    def __init__(self, run: TrackedRun, earlier: str | None) -> None:
        set_defaults(SETTINGS)
        import wandb

        self.run_id = earlier or secrets.token_hex(4)
        mode = _mode(wandb)
        settings = wandb.Settings(
            mode=mode,
            silent=True,
            console="off",
            init_timeout=LONGEST_WAIT,
            finish_timeout=LONGEST_WAIT,
            finish_timeout_raises=True,
            disable_git=True,
            disable_code=True,
            x_disable_stats=True,
            x_disable_meta=True,
            x_save_requirements=False,
        )
        self._run = wandb.init(
            project=run.project,
            id=self.run_id,
            name=run.name,
            resume="allow",
            config=run.parameters_and_tags,
            tags=[run.tags[name][:64] for name in ("task", "data", "model")],
            settings=settings,
        )
        self._artifact = wandb.Artifact
        self._first_step = 0
        self.shown = f"{mode} (WANDB_MODE)"
        if mode in OFFLINE:
            folder = Path(self._run.settings.sync_dir)
            _remove_unfinished(folder)
            self.shown = f"kept offline; to send it: wandb sync {shlex.quote(os.path.relpath(folder))}"
        elif mode == "online":
            self._first_step = int(self._run.step) if earlier is not None else 0
            self.shown = str(self._run.url)

    def has(self, name: str, step: int) -> bool:
        """Tell whether the service had a row of this step before this process began."""
        del name
        return step < self._first_step

    def log(self, points: Sequence[Point]) -> None:
        """Hand points to the client's own process, which sends them."""
        for point in points:
            self._run.log(point.values, step=point.step)

    def finish(self, results: Results) -> None:
        """Set the summary to the scores, and keep the files as one artifact."""
        self._run.summary.update(dict(results.scores))
        artifact = self._artifact(f"run-{self.run_id}", type="report")
        for name, path in results.files.items():
            artifact.add_file(str(path), name=name)
        self._run.log_artifact(artifact)

    def close(self, ended: Ended) -> None:
        """Wait until everything is sent or written."""
        self._run.finish(exit_code=0 if ended == "finished" else 1)


def _mode(wandb: Any) -> str:
    """Return where the run goes: what `WANDB_MODE` says, or online if there is a login.

    Raises:
        ValueError: online is asked for, and there is no login. Otherwise the client would ask for one at the terminal.
    """
    mode = os.environ.get("WANDB_MODE", "")
    if mode and mode != "online":
        return mode
    if wandb.login(prompt=False, verify=False):
        return "online"
    if mode:
        raise ValueError("WANDB_MODE=online, but there is no login (wandb login)")
    return "offline"


def _remove_unfinished(folder: Path) -> None:
    """Remove what earlier processes have left of an offline run, unless it was sent.

    An offline run can't be added to. Its curves are written from their beginning instead, from the checkpoint.
    """
    for path in folder.parent.glob(f"offline-run-*-{folder.name.rpartition('-')[2]}"):
        if path != folder and not any(path.glob("*.synced")):
            shutil.rmtree(path, ignore_errors=True)
