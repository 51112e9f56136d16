"""The report of a sweep as a page: its jobs, best first, and settings over their seeds."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from statistics import fmean, stdev
from urllib.parse import quote

from recipes.reporting.measured import Measured
from recipes.reporting.pages import render
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import (
    OTHER_ROWS,
    Job,
    jobs_of,
    on_other_rows,
    shared_overrides,
    swept_keys,
    values_of,
)
from recipes.system.files import write_text

OBJECTIVE, TEST = "objective", "test"


@dataclass(frozen=True)
class ShownJob:
    """A job with what is shown of it."""

    job: Job
    values: dict[str, str]
    scores: dict[str, Measured]
    link: str | None
    "The page of its run, from the page of the sweep. None: there is none."


@dataclass(frozen=True)
class Setting:
    """Jobs that differ in their seed only."""

    name: str
    seeds: int
    scores: dict[str, Measured]
    "The mean scores, without intervals."
    deviations: dict[str, float]
    single: dict[str, list[float]]


def sweep_path(folder: Path) -> Path:
    """Return the file that the report of a sweep is written to."""
    return folder / "report.html"


def write_sweep_page(folder: Path) -> Path:
    """Write the report of a sweep into its folder, and return the file."""
    path = sweep_path(folder)
    write_text(path, sweep_page(jobs_of(folder), folder))
    return path


def sweep_page(jobs: Sequence[Job], folder: Path) -> str:
    """Return the report of a sweep as HTML.

    Args:
        jobs: its jobs, best first.
        folder: that of the sweep, which links start from.
    """
    swept = swept_keys(jobs)
    shown = [ShownJob(job, values_of(job), _scores(job), _link(job, folder)) for job in jobs]
    return render(
        "sweep",
        title=f"Sweep of {len(jobs)} jobs" + (f" over {', '.join(swept)}" if swept else ""),
        folder=str(folder),
        jobs=shown,
        failed=sum(job.outcome is None for job in jobs),
        swept=swept,
        shared=shared_overrides(jobs),
        objective=next((job.outcome.objective_name for job in jobs if job.outcome is not None), OBJECTIVE),
        other_rows=OTHER_ROWS if on_other_rows(jobs) else "",
        names=[name for name in (OBJECTIVE, TEST) if any(name in one.scores for one in shown)],
        settings=list(_settings(shown, swept)),
    )


def _scores(job: Job) -> dict[str, Measured]:
    outcome = job.outcome
    if outcome is None:
        return {}
    found = {}
    for name, value, bounds in (
        (OBJECTIVE, outcome.objective, outcome.objective_interval),
        (TEST, outcome.test, outcome.test_interval),
    ):
        if value is not None and not isnan(value):
            found[name] = Measured(value, None if bounds is None else (bounds[0], bounds[1]))
    return found


def _link(job: Job, folder: Path) -> str | None:
    if job.outcome is None:
        return None
    page = RunDirectory(Path(job.outcome.directory)).page
    return quote(Path(os.path.relpath(page, folder)).as_posix()) if page.is_file() else None


def _settings(jobs: Sequence[ShownJob], swept: Sequence[str]) -> Iterator[Setting]:
    """Yield the mean and the deviation of jobs that differ in their seed, if there are such jobs; best first."""
    if "seed" not in swept:
        return
    alike: dict[str, list[ShownJob]] = defaultdict(list)
    for one in jobs:
        if one.scores:
            name = ", ".join(f"{key}={one.values[key]}" for key in swept if key != "seed" and key in one.values)
            alike[name or "all"].append(one)
    for name, some in alike.items():
        single = {
            score: [one.scores[score].value or 0.0 for one in some if score in one.scores]
            for score in (OBJECTIVE, TEST)
        }
        single = {score: values for score, values in single.items() if values}
        yield Setting(
            name,
            len(some),
            {score: Measured(fmean(values), None) for score, values in single.items()},
            {score: stdev(values) for score, values in single.items() if len(values) > 1},
            single,
        )
