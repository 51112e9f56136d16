"""The results of a sweep's jobs, and the table that ranks them, best first."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score_in
from recipes.system.console import complain, escape_control_characters, is_main_process, say, table
from recipes.system.files import write_json, write_text
from tasks.scoring.score import Score

OUT_OF_FOLD = "out-of-fold"
OTHER_ROWS = (
    "Not all jobs are ranked on the same rows: out-of-fold scores are those of the training rows, the others those "
    "of the validation rows. Compare their test scores, with python -m recipes.compare"
)


@dataclass(frozen=True)
class Outcome:
    """The result of one run, as a sweep ranks it."""

    directory: str
    objective_name: str
    "Split and score, such as `validation f1`. Of `hparams=small_data` it is `out-of-fold f1`."
    objective: float | None
    "None: the score is not a number."
    test: float | None
    "The same score on the test split, if there is one."
    greater_is_better: bool = True
    objective_interval: list[float] | None = None
    test_interval: list[float] | None = None

    @classmethod
    def of(cls, report: Report, directory: RunDirectory) -> Self:
        """Return the outcome of a finished run."""
        objective = report.objective
        held_out = report.choice is not None and report.choice.stands_for_validation
        return cls(
            directory=str(directory),
            objective_name=f"{OUT_OF_FOLD if held_out else objective.split} {objective.name}",
            objective=objective.value,
            test=report.metrics.get("test", {}).get(objective.name),
            greater_is_better=objective.greater_is_better,
            objective_interval=report.verdict.interval(objective.split, objective.name),
            test_interval=report.verdict.interval("test", objective.name),
        )


@dataclass(frozen=True)
class Job:
    """A job of a sweep, after it has ended."""

    number: int
    overrides: list[str]
    outcome: Outcome | None
    "None: the job failed."
    error: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the job that `save_job` wrote to a file."""
        values = json.loads(path.read_text(encoding="utf-8"))
        outcome = values.pop("outcome")
        return cls(**values, outcome=None if outcome is None else Outcome(**outcome))


def sweep_directory(output_root: Path, arguments: Sequence[str]) -> Path:
    """Return the sweep's folder. Its path is made from the arguments, so that the same command finds it again."""
    digest = hashlib.sha256("\n".join(sorted(arguments)).encode()).hexdigest()[:8]
    return output_root / "sweeps" / digest


def save_job(folder: Path, job: Job) -> None:
    """Write a job's result to a file, from which the sweep's own process reads it, perhaps on another machine."""
    if is_main_process():
        write_json(path_of_job(folder, job.number), asdict(job))


def path_of_job(folder: Path, number: int) -> Path:
    """Return the file that holds a job's result."""
    return folder / "jobs" / f"{number}.json"


def forget_jobs(folder: Path) -> None:
    """Remove the records of an earlier start of the same sweep. The runs themselves stay and are found again."""
    for path in (folder / "jobs").glob("*.json"):
        path.unlink()


def jobs_of(folder: Path) -> list[Job]:
    """Return the jobs of a sweep that have ended, best first."""
    return sorted((Job.load(path) for path in (folder / "jobs").glob("*.json")), key=_rank)


def print_table(folder: Path) -> bool:
    """Print the table of all jobs, best first, write it to the sweep's folder, and tell whether all jobs succeeded."""
    jobs = jobs_of(folder)
    if not jobs:
        complain(f"No job of this sweep left a result in {folder}")
        return False
    failed = sum(job.outcome is None for job in jobs)
    text = escape_control_characters(table(_rows(jobs)))
    if on_other_rows(jobs):
        text += f"\n{OTHER_ROWS}"
    say(f"\nSweep of {len(jobs)} jobs, best first" + (f", {failed} failed" if failed else ""))
    say(text)
    write_text(folder / "sweep.txt", text + "\n")
    say(f"Table: {folder / 'sweep.txt'}")
    return not failed


def on_other_rows(jobs: Sequence[Job]) -> bool:
    """Tell whether some jobs are ranked by out-of-fold scores, and others by those of validation rows."""
    return len({job.outcome.objective_name for job in jobs if job.outcome is not None}) > 1


def _rank(job: Job) -> tuple[bool, bool, float, int]:
    """Sort key: best objective first, then jobs whose objective is not a number, then failed ones; ties by number."""
    outcome = job.outcome
    if outcome is None:
        return True, True, 0.0, job.number
    if outcome.objective is None or math.isnan(outcome.objective):
        return False, True, 0.0, job.number
    sign = Score(outcome.objective_name, outcome.greater_is_better).sign
    return False, False, -sign * outcome.objective, job.number


def shared_overrides(jobs: Sequence[Job]) -> list[str]:
    """Return the overrides that all of several jobs have, in their order."""
    return [item for item in jobs[0].overrides if all(item in job.overrides for job in jobs)] if len(jobs) > 1 else []


def swept_keys(jobs: Sequence[Job]) -> list[str]:
    """Return the keys whose values differ between jobs."""
    shared = {*shared_overrides(jobs)}
    return list(dict.fromkeys(item.partition("=")[0] for job in jobs for item in job.overrides if item not in shared))


def values_of(job: Job) -> dict[str, str]:
    """Return the overrides of a job by their keys."""
    return dict(item.partition("=")[::2] for item in job.overrides)


def _rows(jobs: Sequence[Job]) -> list[list[str]]:
    """Return the table's cells, with a column for each key whose value differs between jobs."""
    swept = swept_keys(jobs)
    objective = next((job.outcome.objective_name for job in jobs if job.outcome is not None), "objective")
    rows = [[*swept, objective, "test", "run directory"]]
    for job in jobs:
        values, outcome = values_of(job), job.outcome
        scores = ("-", "-") if outcome is None else _scores(outcome)
        place = f"failed: {job.error.strip().splitlines()[0]}" if outcome is None else outcome.directory
        rows.append([*(values.get(key, "-") for key in swept), *scores, place])
    return rows


def _scores(outcome: Outcome) -> tuple[str, str]:
    """Return the cells of the objective and of the test score."""
    return (
        format_score_in(outcome.objective, outcome.objective_interval),
        format_score_in(outcome.test, outcome.test_interval),
    )
