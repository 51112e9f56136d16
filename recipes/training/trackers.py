"""Experiment trackers: whether a tracker's package is installed, and where it files a run."""

import importlib.util
import os

from recipes.config.schema import Tracker
from recipes.results.run_directory import RunDirectory
from tasks.errors import InputError


def require_tracker(tracker: Tracker) -> None:
    """Refuse a tracker whose package is missing.

    Raises:
        InputError: it says what to install.
    """
    name = tracker.name
    if name != "none" and importlib.util.find_spec(name) is None:
        raise InputError(
            f"tracker={name} needs a package that is not installed: pip install 'finetune-recipes[{name}]'"
        )


def configure_tracker(tracker: Tracker, directory: RunDirectory) -> None:
    """Set the environment variables by which the tracker's client learns where to file this run."""
    if tracker.name == "tensorboard":
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(directory.path / "tensorboard")
    if tracker.name == "wandb":
        os.environ.setdefault("WANDB_DIR", str(directory))
    if tracker.project is not None:
        os.environ["WANDB_PROJECT"] = os.environ["MLFLOW_EXPERIMENT_NAME"] = tracker.project
