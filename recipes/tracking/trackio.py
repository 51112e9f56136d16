"""Trackio: its own folder, or the Space or server that `TRACKIO_SPACE_ID` or `TRACKIO_SERVER_URL` names."""

import os
import shlex
from collections.abc import Sequence

from recipes.tracking.client import Client, Ended, Point, Results, TrackedRun
from recipes.tracking.isolation import set_defaults

ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


class Trackio(Client):
    """A run of a Trackio project. Trackio finds runs by name, so that the name has to be new when a run begins.

    Args:
        run: the run.
        earlier: what `run_id` was when the run began, or None if it begins now.
    """

    def __init__(self, run: TrackedRun, earlier: str | None) -> None:
        set_defaults({"GRADIO_ANALYTICS_ENABLED": "False"})
        import trackio
        from trackio.run import Run

        where = next((os.environ[name] for name in ELSEWHERE if os.environ.get(name)), None)
        if where is None:
            # It would ask the hub who the user is, to note it beside the config.
            Run._get_username = lambda _: None
        self._trackio = trackio
        self._project = run.project
        self.run_id = earlier or _new_name(run)
        self._run = trackio.init(
            project=run.project,
            name=self.run_id,
            resume="never" if earlier is None else "allow",
            config=run.parameters_and_tags,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        self.last_steps = {} if earlier is None else self._steps()
        self.shown = where or f"trackio show --project {shlex.quote(run.project)}"

    def _steps(self) -> dict[str, int]:
        """Return the last step of each curve that is stored on this machine."""
        from trackio.sqlite_storage import SQLiteStorage

        steps: dict[str, int] = {}
        for row in SQLiteStorage.get_logs(self._project, self.run_id, run_id=self._run.id):
            for name in row:
                steps[name] = max(steps.get(name, -1), int(row["step"]))
        return steps

    def log(self, points: Sequence[Point]) -> None:
        """Hand points to the client's thread, which writes or sends them twice a second."""
        for point in points:
            self._run.log(point.values, step=point.step)

    def finish(self, results: Results) -> None:
        """Log the scores at the last step, and keep the files as one artifact."""
        self._run.log(dict(results.scores), step=results.step)
        artifact = self._trackio.Artifact(f"run-{self._run.id}", type="report")
        for name, path in results.files.items():
            artifact.add_file(str(path), name=name)
        self._run.log_artifact(artifact)

    def close(self, ended: Ended) -> None:
        """Wait until everything is written or sent. Trackio knows no states of runs."""
        del ended
        self._trackio.finish()


def _new_name(run: TrackedRun) -> str:
    """Return the run's name, with a number if the project has such a run."""
    from trackio.sqlite_storage import SQLiteStorage

    taken = SQLiteStorage.get_runs(run.project)
    name, number = run.name, 1
    while name in taken:
        number += 1
        name = f"{run.name} ({number})"
    return name
