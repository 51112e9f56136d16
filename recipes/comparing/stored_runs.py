"""Finished runs as they lie on the disk: their choices, and the predictions that their scores were made from."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from glob import glob
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recipes.config.flat_keys import default_values, flatten
from recipes.config.schema import TASKS
from recipes.reporting.search_page import directories_of, is_search
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
        # A key that is missing was added to the program later, and has its default.
        whole = {**default_values(self.report.task), **self.config}
        return {key: value for key, value in whole.items() if affects_results(key)}

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
    return [path for name in names for path in _matching(name) if (path / JOBS).is_dir() or is_search(path)]


def _matching(name: str) -> list[Path]:
    return [Path(path) for path in sorted(glob(str(Path(name).expanduser())))]  # noqa: PTH207, of absolute patterns, too


def _runs_of(path: Path) -> list[Path]:
    """Return the directories of finished runs that a path leads to, and say how many others are left out."""
    if (path / "report.json").is_file():
        return [path]
    jobs = [Job.load(job) for job in sorted((path / JOBS).glob("*.json"))]
    if jobs:
        outcomes = [job.outcome for job in jobs if job.outcome is not None]
        _tell_left_out(
            path, [" ".join(job.overrides) or f"job {job.number}" for job in jobs if job.outcome is None], "failed"
        )
        return [_there(Path(outcome.directory), path) for outcome in outcomes]
    if is_search(path):  # without runs of its best trials with other seeds, which would be jobs
        return [_there(Path(directory), path) for directory in directories_of(path)]
    finished = sorted(report.parent for report in path.rglob("report.json"))
    begun = {config.parent for config in path.rglob("config.yaml")}
    _tell_left_out(path, [str(run) for run in sorted(begun - {*finished})], "not finished")
    return finished


def _there(run: Path, sweep: Path) -> Path:
    if not run.is_dir():
        raise InputError(f"{sweep}: its run {run} is not there. Is this the folder that the sweep was started in?")
    return run


def _tell_left_out(path: Path, names: Sequence[str], why: str) -> None:
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        complain(f"{path}: left out, {why}: {shown}")


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
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise InputError(f"{directory.config}: can't be read: {error}") from error
    if report.task not in TASKS:
        raise InputError(f"{directory.report}: task '{report.task}' is none of {', '.join(TASKS)}")
    lines = stored_lines(directory.predictions_of(split))
    rows = report.data.rows.get(split)
    if len(lines) != rows:
        raise InputError(
            f"{directory.predictions_of(split)} has {len(lines)} lines, but {rows} rows were predicted: it is damaged. "
            "To do the run again: overwrite=true"
        )
    if TASKS[report.task].always_in_units and "unit" not in lines[0]:
        raise InputError(
            f"{path}: was made by an older version, which did not store what belongs to one {TASKS[report.task].unit}. "
            "To do it again: overwrite=true"
        )
    run = StoredRun(path, report, flat, split, lines)
    _require_the_scores_of_the_report(run)
    return run


def stored_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a predictions file.

    Raises:
        InputError: it is missing, or a line is damaged; names the line.
    """
    lines = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = "it is not there" if isinstance(error, FileNotFoundError) else error
        raise InputError(f"{path}: can't be read: {reason}. To do the run again: overwrite=true") from error
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        try:
            found = json.loads(line)
        except ValueError as error:
            raise InputError(
                f"{path}, line {number}: is damaged ({error}). To do the run again: overwrite=true"
            ) from error
        if not isinstance(found, dict) or not {"prediction", "gold", "id"} <= found.keys():
            raise InputError(f"{path}, line {number}: is not what a run writes")
        lines.append(found)
    return lines


def _require_the_scores_of_the_report(run: StoredRun) -> None:
    """Refuse predictions that have another score than the report has.

    Raises:
        InputError: names both scores, or what is wrong with the predictions.
    """
    name, place = run.report.objective.name, RunDirectory(run.directory).predictions_of(run.split)
    with readable(place):
        found = run.task.rescore(run.rows, run.predictions, run.head, run.units)(np.ones((1, max(run.units) + 1)))
    stored = run.report.metrics[run.split][name]
    if name in found and stored is not None and not isclose(float(found[name][0]), stored, rel_tol=1e-6, abs_tol=1e-9):
        raise InputError(
            f"{place}: gives {name} {float(found[name][0]):.6g}, but the report has {stored:.6g}. To do the run again: "
            "overwrite=true"
        )


@contextmanager
def readable(place: Path) -> Iterator[None]:
    """Turn what goes wrong with values that no run writes into a message.

    Raises:
        InputError: names the file.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise InputError(f"{place}: is damaged: {type(error).__name__}: {error}") from error


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
            if run.units != first.units:
                raise InputError(
                    f"{run.directory} and {first.directory} do not agree on which rows are one {first.task.unit}: one "
                    "of them was made by an older version. To do it again: overwrite=true"
                )
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
