"""TensorBoard: event files in the run directory, with curves, hyperparameters and a table of scores."""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.tracking.client import Client, Ended, Point, Results, TrackedRun

FOLDER = "tensorboard"


class TensorBoard(Client):
    """Event files in the folder `tensorboard/` of the run directory. A run that goes on adds one to them.

    Args:
        run: the run.
        earlier: what `run_id` was when the run began, or None if it begins now; then older event files are removed.
    """

    def __init__(self, run: TrackedRun, earlier: str | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run.directory / FOLDER
        if earlier is None:
            shutil.rmtree(folder, ignore_errors=True)
        self.run_id = FOLDER
        # Four folders up are all runs that this one is compared with: those of its task.
        self.shown = f"tensorboard --logdir {shlex.quote(os.path.relpath(run.directory.parents[3]))}"
        self._parameters = run.parameters
        self.last_steps = _last_steps(folder) if folder.is_dir() else {}
        self._writer = SummaryWriter(str(folder))
        if earlier is None:
            self._writer.add_text("run", _table(run.tags))
            self._writer.add_text("config", _table(run.parameters))
            self._writer.flush()

    def log(self, points: Sequence[Point]) -> None:
        """Write points, and hand them to the system at once."""
        for point in points:
            for name, value in point.values.items():
                self._writer.add_scalar(name, value, point.step, walltime=point.milliseconds / 1000)
        self._writer.flush()

    def finish(self, results: Results) -> None:
        """Write the scores as curves of one point, as a table, and beside the hyperparameters."""
        from torch.utils.tensorboard.summary import hparams

        for name, value in results.scores.items():
            self._writer.add_scalar(name, value, results.step)
        self._writer.add_text("scores", _table(results.scores), results.step)
        for summary in hparams(_plain(self._parameters), dict(results.scores)):
            self._writer.file_writer.add_summary(summary)
        self._writer.flush()

    def close(self, ended: Ended) -> None:
        """Close the event file."""
        del ended
        self._writer.close()


def _last_steps(folder: Path) -> dict[str, int]:
    """Return the last step of each curve that is written."""
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={SCALARS: 1})  # of each curve, the last point is kept
    events.Reload()
    return {name: events.Scalars(name)[-1].step for name in events.Tags()[SCALARS]}


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as the types that hyperparameters can have."""
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in parameters.items()
    }


def _table(values: Mapping[str, Any]) -> str:
    r"""Return a table in Markdown.

    >>> _table({"seed": 1})
    '| | |\n|---|---|\n| seed | 1 |'
    """
    rows = (f"| {name} | {str(value).replace('|', '&#124;')} |" for name, value in values.items())
    return "\n".join(["| | |", "|---|---|", *rows])
