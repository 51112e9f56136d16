"""Finished runs as they lie on the disk: their choices, and the predictions that their scores were made from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from glob import glob
from pathlib import Path
from typing import Any

import yaml

from recipes.config.flat_keys import flatten
from recipes.config.schema import TASKS
from recipes.results.location import affects_results
from recipes.results.model_card import data_name
from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import Job
from recipes.system.console import complain
from tasks.data.options import Split
from tasks.errors import InputError, did_you_mean
from tasks.task import AnyTask, Head, Prediction, Row

CAN_NOT = "Scores on different rows can't be compared"
JOBS = "jobs"
"The folder of a sweep that holds what became of each job."


@dataclass(frozen=True)
class StoredRun:
    """A finished run."""

    directory: Path
    report: Report
    config: Mapping[str, Any]
    "Every key of its config, with its value."
    split: Split
    lines: Sequence[Mapping[str, Any]]
    "The predictions of the split, as its file has them."

    @property
    def choices(self) -> dict[str, Any]:
        """The keys of its config that affect results, the seed excepted, with their values."""
        return {key: value for key, value in self.config.items() if affects_results(key)}

    @property
    def seed(self) -> int:
        """The seed of its training."""
        return self.report.seed

    @cached_property
    def task(self) -> AnyTask:
        """The task, with the options that scores depend on."""
        task = TASKS[self.report.task]().as_scored(self.lines, self.report.metrics[self.split])
        return replace(task, objective=self.report.objective.name)

    @property
    def data_name(self) -> str:
        """What its rows are called."""
        return data_name(self.config)

    @property
    def head(self) -> Head:
        """The labels of the model."""
        return Head("", tuple(self.report.data.labels))

    @cached_property
    def rows(self) -> list[Row]:
        """The rows with their gold, without texts."""
        return [self.task.stored_row(line) for line in self.lines]

    @property
    def predictions(self) -> list[Prediction]:
        """The prediction for each row."""
        return [line["prediction"] for line in self.lines]

    @property
    def units(self) -> list[int]:
        """The number of each row's unit: rows of one article share one."""
        return [int(line.get("unit", place)) for place, line in enumerate(self.lines)]

    @cached_property
    def row_digests(self) -> list[str]:
        """A hash of the input and the gold answer of each row. The names of files do not count."""
        return [
            hashlib.sha256(json.dumps([line.get(name) for name in (*self.task.inputs(), "gold")]).encode()).hexdigest()
            for line in self.lines
        ]


def paths_of(names: Sequence[str]) -> list[Path]:
    """Return the directories of the runs that paths, globs, sweeps, and folders with runs below them name, each once.

    Raises:
        InputError: a name names no finished run.
    """
    found: dict[Path, Path] = {}
    for name in names:
        paths = _matching(name)
        below = [run for path in paths for run in _runs_of(path)]
        if not below:
            raise InputError(_none_there(name, paths))
        for run in below:
            found.setdefault(run.resolve(), run)
    return list(found.values())


def sweeps_of(names: Sequence[str]) -> list[Path]:
    """Return those of the folders that paths and globs name which are folders of sweeps."""
    return [path for name in names for path in _matching(name) if (path / JOBS).is_dir()]


def _matching(name: str) -> list[Path]:
    return [Path(path) for path in sorted(glob(str(Path(name).expanduser())))]  # noqa: PTH207, of absolute patterns, too


def _runs_of(path: Path) -> list[Path]:
    """Return the directories of finished runs that a path leads to, and say how many others are left out."""
    if (path / "report.json").is_file():
        return [path]
    jobs = [Job.load(job) for job in sorted((path / JOBS).glob("*.json"))]
    if jobs:
        outcomes = [job.outcome for job in jobs if job.outcome is not None]
        _tell_left_out(path, len(jobs) - len(outcomes), "jobs that failed")
        return [_there(Path(outcome.directory), path) for outcome in outcomes]
    finished = sorted(report.parent for report in path.rglob("report.json"))
    begun = {config.parent for config in path.rglob("config.yaml")}
    _tell_left_out(path, len(begun - {*finished}), "runs that are not finished")
    return finished


def _there(run: Path, sweep: Path) -> Path:
    if not run.is_dir():
        raise InputError(f"{sweep}: its run {run} is not there. Is this the folder that the sweep was started in?")
    return run


def _tell_left_out(path: Path, count: int, what: str) -> None:
    if count:
        complain(f"{path}: left out: {count} {what}")


def _none_there(name: str, paths: Sequence[Path]) -> str:
    if not paths:
        there = [path.name for path in Path(name).expanduser().parent.glob("*") if path.is_dir()]
        return f"{name}: is not there.{did_you_mean(Path(name).name, there)}"
    unfinished = [path for path in paths if (path / "config.yaml").is_file()]
    if unfinished:
        return f"{unfinished[0]}: this run is not finished. Give its command again, and it goes on"
    return f"{name}: there is no finished run (a folder with report.json) in it"


def load_run(path: Path, split: Split) -> StoredRun:
    """Return a finished run.

    Raises:
        InputError: its report, config or predictions are missing or damaged, or it has no scores on the split.
    """
    directory, report = RunDirectory(path), finished_report(path)
    if split not in report.metrics:
        there = " and ".join(report.metrics)
        raise InputError(f"{path}: has no scores on {split}, but on {there} (--split {next(iter(report.metrics))})")
    try:
        flat = flatten(yaml.safe_load(directory.config.read_text(encoding="utf-8")))
        with directory.predictions_of(split).open(encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        if (
            report.task not in TASKS
            or not lines
            or not all({"prediction", "gold", "id"} <= line.keys() for line in lines)
        ):
            raise ValueError("they are not what a run writes")
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: its config or its predictions can't be read: {error}") from error
    if TASKS[report.task].always_in_units and "unit" not in lines[0]:
        raise InputError(
            f"{path}: was made by an older version, which did not store what belongs to one {TASKS[report.task].unit}. "
            "To do it again: overwrite=true"
        )
    return StoredRun(path, report, flat, split, lines)


def finished_report(path: Path) -> Report:
    """Return the report of a run.

    Raises:
        InputError: it is not finished, or the report is damaged.
    """
    report = RunDirectory(path).finished_report()
    if report is None:
        raise InputError(f"{path}: this run is not finished. Give its command again, and it goes on")
    return report


def require_same_rows(runs: Sequence[StoredRun]) -> None:
    """Refuse runs of several tasks or on several sets of rows.

    Raises:
        InputError: names two runs, and what differs.
    """
    first = runs[0]
    for run in runs[1:]:
        if run.report.task != first.report.task:
            raise InputError(f"{run.directory} is for {run.report.task}, but {first.directory} for {first.report.task}")
        if run.row_digests == first.row_digests:
            continue
        other = f"{run.directory} and {first.directory} have other {run.split} rows"
        if len(run.lines) != len(first.lines):
            raise InputError(
                f"{other}: {len(run.lines)} and {len(first.lines)}. Scores on different rows can't be compared"
            )
        place = next(
            n for n, (one, two) in enumerate(zip(run.row_digests, first.row_digests, strict=True)) if one != two
        )
        raise InputError(f"{other}: row {place + 1} is not the same. Scores on different rows can't be compared")
