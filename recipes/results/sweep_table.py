"""A sweep: what each of its jobs came to, and the table of them, best first."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.system.console import complain, harmless, is_main_process, say, table
from recipes.system.files import write_json, write_text


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    directory: Path
    objective_name: str
    "Split and score, such as `validation f1`."
    objective: float
    test: float | None
    "The same score on the test split, if there is one."
    greater_is_better: bool = True


def directory(output_root: Path, arguments: Sequence[str]) -> Path:
    """Return the sweep's folder: a function of its arguments, so that the same sweep finds itself again."""
    digest = hashlib.sha256("\n".join(sorted(arguments)).encode()).hexdigest()[:8]
    return output_root / "sweeps" / digest


def record(
    folder: Path, number: int, overrides: Sequence[str], outcome: Outcome | None = None, error: str = ""
) -> None:
    """Leave a job's result where the sweep's own process, perhaps on another machine, finds it."""
    if not is_main_process():
        return
    content: dict[str, Any] = {"number": number, "overrides": list(overrides), "status": "failed", "error": error}
    if outcome is not None:
        content |= {
            "status": "finished",
            "directory": str(outcome.directory),
            "objective_name": outcome.objective_name,
            "objective": outcome.objective,
            "test": outcome.test,
            "greater_is_better": outcome.greater_is_better,
        }
    write_json(folder / "jobs" / f"{number}.json", content)


def forget_jobs(folder: Path) -> None:
    """Remove the records of an earlier start of the same sweep. The runs themselves stay and are found again."""
    for path in (folder / "jobs").glob("*.json"):
        path.unlink()


def show_table(folder: Path) -> bool:
    """Print the table of all jobs, best first, keep it beside their records, and tell whether none failed."""
    jobs = [json.loads(path.read_text()) for path in (folder / "jobs").glob("*.json")]
    if not jobs:
        complain(f"No job of this sweep left a result in {folder}")
        return False
    finished = [job for job in jobs if job["status"] == "finished"]
    failed = sorted((job for job in jobs if job["status"] != "finished"), key=lambda job: int(job["number"]))
    finished.sort(key=_rank)
    text = harmless(table(_rows(finished, failed)))
    say(f"\nSweep of {len(jobs)} jobs, best first" + (f", {len(failed)} failed" if failed else ""))
    say(text)
    write_text(folder / "sweep.txt", text + "\n")
    say(f"Table: {folder / 'sweep.txt'}")
    return not failed


def _rank(job: dict[str, Any]) -> tuple[bool, float, int]:
    """Sort by objective, best first; those without a number last; ties by job number."""
    value = job["objective"]
    nan = value is None or math.isnan(value)
    return nan, 0.0 if nan else (-value if job["greater_is_better"] else value), int(job["number"])


def _rows(finished: list[dict[str, Any]], failed: list[dict[str, Any]]) -> list[list[str]]:
    every = [*finished, *failed]
    shared = set.intersection(*(set(job["overrides"]) for job in every)) if len(every) > 1 else set()
    swept = list(
        dict.fromkeys(item.partition("=")[0] for job in every for item in job["overrides"] if item not in shared)
    )
    objective = finished[0]["objective_name"] if finished else "objective"
    rows = [[*swept, objective, "test", "run directory"]]
    for job in every:
        values = dict(item.partition("=")[::2] for item in job["overrides"])
        place = job.get("directory") or f"failed: {job['error'].strip().splitlines()[0]}"
        rows.append(
            [*(values.get(key, "-") for key in swept), _number(job.get("objective")), _number(job.get("test")), place]
        )
    return rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"
