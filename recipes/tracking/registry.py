"""The table of trackers."""

import importlib.util
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from recipes.config.schema import Tracker
from recipes.tracking.client import Client, TrackedRun
from recipes.tracking.mlflow import Mlflow
from recipes.tracking.tensorboard import TensorBoard
from recipes.tracking.trackio import Trackio
from recipes.tracking.wandb import WeightsAndBiases
from tasks.errors import InputError

Begin: TypeAlias = Callable[[TrackedRun, str | None], Client]

CLIENTS: Mapping[str, Begin] = MappingProxyType(
    {"tensorboard": TensorBoard, "mlflow": Mlflow, "wandb": WeightsAndBiases, "trackio": Trackio}
)
"For each choice of `tracker` what begins a run, or goes on with one. The package has the same name."


def require_tracker(tracker: Tracker) -> None:
    """Refuse a tracker whose package is missing.

    Raises:
        InputError: it says what to install.
    """
    name = tracker.name
    if name == "none":
        return
    found = importlib.util.find_spec(name)
    # A folder `wandb/` in the working directory looks like a package, but has no origin.
    if found is None or found.origin is None:
        raise InputError(
            f"tracker={name} needs a package that is not installed: pip install -c constraints.txt -e '.[{name}]'"
        )
