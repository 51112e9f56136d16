"""The report of a search as a page, from what the search has left in its folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

from recipes.reporting.measured import Measured
from recipes.reporting.pages import render
from recipes.reporting.pictures import axis_ticks
from recipes.reporting.records import read_record
from recipes.reporting.search_pictures import Axis, Point, history_chart, parallel_chart
from recipes.reporting.sweep_page import sweep_path
from recipes.results.run_directory import RunDirectory
from recipes.system.files import write_text

RECORD = "trials.json"
"The file in a search's folder that says all of its trials."
OBJECTIVE, TEST = "objective", "test"


@dataclass(frozen=True)
class ShownTrial:
    """A trial with what is shown of it."""

    number: int
    state: str
    values: dict[str, str]
    scores: dict[str, Measured]
    evaluations: int
    error: str
    link: str | None
    "The page of its run, from the page of the search. None: there is none."


def is_search(folder: Path) -> bool:
    """Tell whether a folder is that of a search."""
    return (folder / RECORD).is_file()


def directories_of(folder: Path) -> list[str]:
    """Return the run directories of a search's completed trials, best first, each once.

    Raises:
        InputError: what the search has left is damaged.
    """
    with _record(folder) as record:
        outcomes = [trial["outcome"] for trial in record["trials"]]
        return list(dict.fromkeys(outcome["directory"] for outcome in outcomes if outcome is not None))


def write_search_page(folder: Path) -> Path:
    """Write the report of a search into its folder, and return the file.

    Raises:
        InputError: what the search has left is damaged.
    """
    with _record(folder) as record:
        page = search_page(record, folder)
    write_text(sweep_path(folder), page)
    return sweep_path(folder)


def _record(folder: Path) -> AbstractContextManager[dict[str, Any]]:
    return read_record(folder / RECORD, "The search itself makes it anew")


def search_page(record: Mapping[str, Any], folder: Path) -> str:
    """Return the report of a search as HTML.

    Args:
        record: the content of its `trials.json`.
        folder: that of the search, which links start from.
    """
    shown = [_shown(trial, record["greater is better"], folder) for trial in record["trials"]]
    greater = bool(record["greater is better"])
    complete = [one for one in shown if one.state == "complete"]
    return render(
        "search",
        title=f"Search over {', '.join(record['space'])}",
        folder=str(folder),
        search=record["search"],
        objective=record["objective"],
        trials=shown,
        complete=len(complete),
        pruned=sum(one.state == "pruned" for one in shown),
        failed=[one for one in shown if one.state == "fail"],
        keys=list(record["space"]),
        names=[name for name in (OBJECTIVE, TEST) if any(name in one.scores for one in complete)],
        history=_history(shown, greater),
        parallel=_parallel(complete, record, greater),
        importance=sorted(record["importance"].items(), key=lambda pair: -pair[1]),
        confirmed=list(_confirmed(record)),
        best=record["best"],
        command=record["command"],
    )


def _shown(trial: Mapping[str, Any], greater_is_better: bool, folder: Path) -> ShownTrial:
    outcome = trial["outcome"]
    scores = {}
    if outcome is not None:
        for name, key in ((OBJECTIVE, "objective"), (TEST, "test")):
            if outcome[key] is not None and isfinite(outcome[key]):
                scores[name] = Measured(outcome[key], outcome[f"{key}_interval"])
    elif trial["value"] is not None:
        scores[OBJECTIVE] = Measured(trial["value"] if greater_is_better else -trial["value"], None)
    page = RunDirectory(Path(outcome["directory"])).page if outcome is not None else None
    return ShownTrial(
        number=trial["number"],
        state=trial["state"],
        values={key: str(value) for key, value in trial["values"].items()},
        scores=scores,
        evaluations=len(trial["evaluations"]),
        error=trial["error"] or "",
        link=quote(Path(os.path.relpath(page, folder)).as_posix()) if page is not None and page.is_file() else None,
    )


def _history(trials: list[ShownTrial], greater_is_better: bool) -> Any:
    points = [
        Point(one.number, one.scores[OBJECTIVE].value or 0.0, one.state == "complete")
        for one in trials
        if OBJECTIVE in one.scores
    ]
    return history_chart(points, greater_is_better, "The objective of each trial, and the best so far.")


def _parallel(trials: list[ShownTrial], record: Mapping[str, Any], greater_is_better: bool) -> Any:
    space, best = record["space"], record["best"]
    scores = [one.scores[OBJECTIVE].value or 0.0 for one in trials]
    if best is None:
        return ""
    ticks = axis_ticks(min(scores), max(scores))
    axes = [
        Axis(key.rpartition(".")[2], choices=tuple(values["choices"]))
        if "choices" in values
        else Axis(key.rpartition(".")[2], values["low"], values["high"], values["log"])
        for key, values in space.items()
    ]
    lines: list[list[float | str]] = [
        [*(one.values[key] for key in space), score] for one, score in zip(trials, scores, strict=True)
    ]
    axes.append(Axis(record["objective"], ticks[0], ticks[-1]))
    winner = [one.number for one in trials].index(best["number"])
    description = "The values of each trial, and the objective they gave."
    return parallel_chart(axes, lines, winner, greater_is_better, description)


def _confirmed(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is shown of each trial that was run again, best first."""
    for one in record["confirmed"]:
        yield {
            **one,
            "measured": {OBJECTIVE: Measured(one["mean"], one["interval"])},
        }
