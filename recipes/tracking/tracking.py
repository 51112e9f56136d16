"""Tells a tracker about a training. Whatever goes wrong in the tracker costs a sentence, and never the training."""

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from recipes.config.schema import Config
from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.system.console import is_main_process, say_field
from recipes.system.files import write_json
from recipes.system.signals import Interrupted
from recipes.tracking.client import Client, Ended, Point, TrackedRun
from recipes.tracking.facts import evaluation_curves, results, tracked_run
from recipes.tracking.isolation import reason, undisturbed
from recipes.tracking.registry import CLIENTS, Begin

POINTS_PER_EPOCH = 20
"How often an epoch's training loss and learning rate are measured; a GPU is waited for each time."


class Tracking(TrainerCallback, ExportableState):  # type: ignore[misc]
    """A run in a tracker, as a context: leaving it early marks the run as failed or interrupted.

    Points of the curves are kept in checkpoints from the first one on. A training that goes on sends those that the
    tracker does not have, so that each is there once, wherever the training was killed. If a call fails, no other
    follows until the end; then all that is missing is sent in one last attempt.

    Args:
        name: the choice of `tracker`.
        begin: begins a run in the tracker, or goes on with one.
        run: the run, as the tracker files it.
        directory: its directory, where an unfinished run keeps what the tracker finds it by.
        identity: what decides the result of the training. The run of an unfinished training goes on only if it had the
            same identity, tracker and project.
        anew: begin a new run in any case.
    """

    def __init__(
        self,
        name: str,
        begin: Begin,
        run: TrackedRun,
        directory: RunDirectory,
        identity: Mapping[str, Any],
        anew: bool,
    ) -> None:
        self._name, self._begin, self._run, self._directory = name, begin, run, directory
        self._identity = {"tracker": name, "project": run.project, **identity}
        self._earlier = None if anew else self._stored()
        self._client: Client | None = None
        self._trainer: Any = None
        self._failed = self._closed = False
        self._sent = 0
        self.points: list[Point] = []
        self.loss_sum = self.rate = 0.0
        self.last_step = 0

    def __enter__(self) -> "Tracking":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if self._client is not None and not self._closed:
            self._close(self._client, "interrupted" if isinstance(error, Interrupted) else "failed")

    def start(self, trainer: Any) -> None:
        """Begin the run in the tracker, or go on with it, and follow the trainer."""
        self._trainer = trainer
        trainer.add_callback(self)
        self._attempt(self._open, "can't be used", "Training goes on; it is tried once more at the end")

    def finish(self, report: Report) -> None:
        """Send what is missing, the scores and the files of a finished run."""
        self._failed = False
        place = f"The scores are in {self._directory.report}"
        self._attempt(lambda: self._complete(report), "failed", place)

    # What happens in training

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: all points so far, and the beginning of the next one."""
        kept = {"loss_sum": self.loss_sum, "last_step": self.last_step}
        return {"args": {}, "attributes": {"points": [list(point) for point in self.points], **kept}}

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Send what the tracker lacks of the points from the checkpoint."""
        self._send()

    def on_optimizer_step(self, *_: Any, **kwargs: Any) -> None:
        """Remember the learning rate of this step; afterwards it is that of the next one."""
        self.rate = float(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Measure the training loss from time to time."""
        if state.global_step % math.ceil(state.max_steps / args.num_train_epochs / POINTS_PER_EPOCH) == 0:
            self._measure(state.global_step)

    def on_epoch_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Measure the training loss before the Trainer sets its sum to zero."""
        self._measure(state.global_step)
        self.loss_sum = 0.0

    def on_evaluate(self, _: TrainingArguments, state: TrainerState, *__: Any, **kwargs: Any) -> None:
        """Send the scores of an evaluation."""
        self._add(state.global_step, evaluation_curves(kwargs["metrics"]))

    def _measure(self, step: int) -> None:
        """Send the mean loss of the steps since the last point. Of several processes, it is the main one's."""
        if step > self.last_step:
            loss_sum = float(self._trainer._tr_loss)
            loss = (loss_sum - self.loss_sum) / (step - self.last_step)
            self.loss_sum, self.last_step = loss_sum, step
            self._add(step, {"train/loss": loss, "train/learning_rate": self.rate})

    def _add(self, step: int, values: dict[str, float]) -> None:
        self.points.append(Point(step, int(time.time() * 1000), values))
        self._send()

    # What is sent

    def _send(self) -> None:
        self._attempt(self._send_missing, "failed", "Training goes on; what is missing is sent at the end")

    def _send_missing(self) -> None:
        client = self._client
        if client is None:
            return
        missing = []
        for values in self.points[self._sent :]:
            point = Point(*values)  # those from a checkpoint are lists
            new = {name: value for name, value in point.values.items() if not client.has(name, point.step)}
            if new:
                missing.append(point._replace(values=new))
        if missing:
            client.log(missing)
        self._sent = len(self.points)

    def _open(self) -> None:
        self._client = client = self._begin(self._run, self._earlier)
        write_json(self._stored_in, {"run": client.run_id, "identity": self._identity})

    def _complete(self, report: Report) -> None:
        if self._client is None:
            self._client = self._begin(self._run, self._earlier)
        self._send_missing()
        self._client.finish(results(report, self._directory))
        self._closed = True
        self._client.close("finished")

    def _close(self, client: Client, ended: Ended) -> None:
        self._failed, self._closed = False, True
        self._attempt(lambda: client.close(ended), "failed", "The run there may look unfinished")

    def _attempt(self, call: Callable[[], None], what: str, then: str) -> None:
        """Make a call of the client, unless one has failed. Say so if this one fails."""
        if self._failed:
            return
        started = self._client is None
        try:
            with undisturbed():
                call()
        except Exception as error:
            self._failed = True
            self._say(f"{self._name} {what}: {reason(error)}. {then}")
        else:
            if started and self._client is not None:
                self._say(f"{self._name}: {self._client.shown}")

    def _say(self, text: str) -> None:
        with tqdm.external_write_mode(file=sys.stdout):  # without tearing the progress bar
            say_field("tracker", text)

    # What an unfinished run keeps

    @property
    def _stored_in(self) -> Path:
        return self._directory.checkpoints / "tracker.json"

    def _stored(self) -> str | None:
        """Return what the tracker finds the unfinished run in this directory by, if it began like this one."""
        try:
            stored = json.loads(self._stored_in.read_text(encoding="utf-8"))
            return str(stored["run"]) if stored["identity"] == self._identity else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


class NoTracking:
    """Nothing that is tracked: no tracker is chosen, or this is not the main process."""

    def __enter__(self) -> "NoTracking":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start(self, trainer: Any) -> None:
        """Do nothing."""

    def finish(self, report: Report) -> None:
        """Do nothing."""


def track(
    config: Config, fingerprint: str, directory: RunDirectory, identity: Mapping[str, Any]
) -> AbstractContextManager[Tracking | NoTracking]:
    """Return what tells the chosen tracker about a run, in the main process only.

    Args:
        config: the config of the run.
        fingerprint: a hash of the content of all rows.
        directory: the run directory, as an earlier process left it.
        identity: everything besides the config that decides the result of training.
    """
    name = config.tracker.name
    if name == "none" or not is_main_process():
        return NoTracking()
    run = tracked_run(config, fingerprint, directory)
    return Tracking(name, CLIENTS[name], run, directory, identity, anew=config.overwrite)
