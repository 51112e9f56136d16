"""What trackers are told about a run: its parameters and tags before training, its scores and files after it."""

import math
from collections.abc import Mapping
from typing import Any

from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config
from recipes.machine.facts import git_commit
from recipes.results.model_card import data_name
from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import TIMING_ENTRIES
from recipes.tracking.client import Results, TrackedRun

PROJECT = "finetune-recipes"
"The project of runs whose config names none."

FILES = ("report.json", "report.html", "model/README.md", "config.yaml")
"The files of a run directory that trackers keep, if they exist."


def tracked_run(config: Config, fingerprint: str, directory: RunDirectory) -> TrackedRun:
    """Return what a tracker files a run under.

    Args:
        config: the config of the run.
        fingerprint: a hash of the content of all rows.
        directory: the run directory.
    """
    parameters = flatten(to_dict(config))
    tags = {
        "task": config.task.name,
        "model": config.model.path,
        "data": data_name(parameters),
        "data_fingerprint": fingerprint,
        "seed": str(config.seed),
        "git_commit": git_commit() or "none",
        "run_directory": str(directory.path.absolute()),
    }
    name = "/".join(directory.path.parts[-4:])
    return TrackedRun(config.tracker.project or PROJECT, name, directory.path, parameters, tags)


def evaluation_curves(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the loss and the overall scores of an evaluation, under the names that transformers gives to trackers.

    >>> evaluation_curves({"eval_loss": 0.5, "eval_f1": 0.25, "eval_f1/place": 1.0, "eval_runtime": 3.0, "epoch": 1.0})
    {'eval/loss': 0.5, 'eval/f1': 0.25}
    """
    return {
        f"eval/{key.removeprefix('eval_')}": float(value)
        for key, value in metrics.items()
        if key.startswith("eval_") and key not in TIMING_ENTRIES and "/" not in key and math.isfinite(value)
    }


def results(report: Report, directory: RunDirectory) -> Results:
    """Return the overall scores of each split, with the ends of their intervals, and the files that exist."""
    scores: dict[str, float] = {}
    for split, values in report.metrics.items():
        for name, value in values.items():
            if "/" in name or not math.isfinite(value):
                continue
            scores[f"{split}/{name}"] = value
            bounds = report.verdict.interval(split, name)
            if bounds is not None:
                scores[f"{split}/{name}_low"], scores[f"{split}/{name}_high"] = bounds
    files = {name: directory.path / name for name in FILES if (directory.path / name).is_file()}
    return Results(report.training.steps, scores, files)
