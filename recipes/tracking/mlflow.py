"""MLflow: a server if `MLFLOW_TRACKING_URI` names one, otherwise `mlflow.db` and `mlruns/` in the working directory."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from recipes.tracking.client import Client, Ended, Point, Results, TrackedRun
from recipes.tracking.isolation import set_defaults, without_credentials

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # By default a server that is down is waited for for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

LONGEST_NAME = 250
LONGEST_PARAMETER = 6000
LONGEST_TAG = 8000
PARAMETERS_AT_ONCE = 100
METRICS_AT_ONCE = 1000
"MLflow's limits (`mlflow/utils/validation.py`), in characters and entries."

STATES: Mapping[Ended, str] = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


class Mlflow(Client):
    """A run of an MLflow experiment.

    Args:
        run: the run.
        earlier: what `run_id` was when the run began, or None if it begins now.
    """

    def __init__(self, run: TrackedRun, earlier: str | None) -> None:
        set_defaults(SETTINGS)
        from mlflow import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd()}/mlflow.db"
        self._client = MlflowClient(uri)
        if uri.startswith(("http://", "https://")):
            self.shown = without_credentials(uri)
        else:
            shown = without_credentials(os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db")
            self.shown = f"mlflow ui --backend-store-uri {shlex.quote(shown)}"
        known = None if earlier is None else self._found(earlier)
        self.run_id = self._begun(run) if known is None else known
        self.last_steps = {} if known is None else self._steps()

    def _found(self, run_id: str) -> str | None:
        """Return the run's id after marking it as running again. None: it has been deleted, or was elsewhere."""
        from mlflow.exceptions import MlflowException

        try:
            if self._client.get_run(run_id).info.lifecycle_stage == "deleted":
                return None
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        self._client.update_run(run_id, status="RUNNING")
        return run_id

    def _begun(self, run: TrackedRun) -> str:
        from mlflow.entities import Param

        tags = {name: value[:LONGEST_TAG] for name, value in run.tags.items()}
        begun = self._client.create_run(self._experiment(run.project), tags=tags, run_name=run.name)
        parameters = iter([Param(name, value) for name, value in parameters_of(run.parameters).items()])
        while some := list(islice(parameters, PARAMETERS_AT_ONCE)):
            self._client.log_batch(begun.info.run_id, params=some)
        return str(begun.info.run_id)

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:
                # Another job of a sweep may have made it in the meantime.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _steps(self) -> dict[str, int]:
        """Return the last step of each curve that is stored."""
        names = self._client.get_run(self.run_id).data.metrics
        return {name: max(value.step for value in self._client.get_metric_history(self.run_id, name)) for name in names}

    def log(self, points: Sequence[Point]) -> None:
        """Store points. The same ones again, after a failure, are stored once: each keeps its time."""
        self._log_all(
            [(name, value, point.milliseconds, point.step) for point in points for name, value in point.values.items()]
        )

    def finish(self, results: Results) -> None:
        """Store the scores as metrics, and the files as artifacts."""
        now = _milliseconds()
        self._log_all([(name, value, now, results.step) for name, value in results.scores.items()])
        for name, path in results.files.items():
            folder = str(Path(name).parent)
            self._client.log_artifact(self.run_id, str(path), None if folder == "." else folder)

    def close(self, ended: Ended) -> None:
        """Set the run's status."""
        self._client.set_terminated(self.run_id, STATES[ended])

    def _log_all(self, values: Sequence[tuple[str, float, int, int]]) -> None:
        from mlflow.entities import Metric

        left = iter([Metric(*value) for value in values])
        while some := list(islice(left, METRICS_AT_ONCE)):
            self._client.log_batch(self.run_id, metrics=some)


def parameters_of(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters in names and lengths that MLflow takes. A label may be part of a name.

    >>> parameters_of({"hparams.class_weights.a/b?": 3})
    {'hparams.class_weights.a_b_': '3'}
    """
    return {
        re.sub(r"[^\w.\- ]", "_", name)[:LONGEST_NAME]: str(value)[:LONGEST_PARAMETER]
        for name, value in parameters.items()
    }


def _milliseconds() -> int:
    import time

    return int(time.time() * 1000)
