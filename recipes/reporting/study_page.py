"""The report of a study as a page, from what the study has left in its folder."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from recipes.reporting.measured import Measured
from recipes.reporting.pages import render
from recipes.reporting.records import read_record
from recipes.reporting.study_pictures import CurvePoint, growth_chart, learning_curve_chart
from recipes.reporting.sweep_page import sweep_path
from recipes.results.run_directory import RunDirectory
from recipes.system.files import write_text

RECORD = "study.json"
"The file in a study's folder that says all it found."
VALUE = "value"


@dataclass(frozen=True)
class ShownLine:
    """A line of a table, with its picture."""

    cells: list[str]
    scores: dict[str, Measured]
    single: list[float]


@dataclass(frozen=True)
class ShownTable:
    """A table with a picture in each line."""

    title: str
    columns: list[str]
    numeric: list[bool]
    "Of each column, whether all its cells are numbers."
    lines: list[ShownLine]


@dataclass(frozen=True)
class ShownRun:
    """A run of the study."""

    name: str
    score: Measured | None
    error: str
    link: str | None
    "The page of the run, from the page of the study. None: there is none."


def is_study(folder: Path) -> bool:
    """Tell whether a folder is that of a study that has ended."""
    return (folder / RECORD).is_file()


def write_study_page(folder: Path) -> Path:
    """Write the report of a study into its folder, and return the file.

    Raises:
        InputError: what the study has left is damaged.
    """
    with read_record(folder / RECORD, "The study's command makes it anew") as record:
        page = study_page(record, folder)
    write_text(sweep_path(folder), page)
    return sweep_path(folder)


def study_page(record: Mapping[str, Any], folder: Path) -> str:
    """Return the report of a study as HTML.

    Args:
        record: the content of its `study.json`.
        folder: that of the study, which links start from.
    """
    runs = [_shown_run(run, folder) for run in record["runs"]]
    return render(
        "study",
        title=record["title"],
        folder=str(folder),
        overrides=record["overrides"],
        score=record["score"],
        sentences=record["sentences"],
        tables=[_shown_table(table) for table in record["tables"]],
        curve=_curve(record["curve"]) if record["curve"] else "",
        lines=_lines(record["lines"]) if record.get("lines") else "",
        runs=runs,
        failed=[run for run in runs if run.score is None],
    )


def _shown_table(table: Mapping[str, Any]) -> ShownTable:
    lines = [
        ShownLine(
            line["cells"],
            {} if line["value"] is None else {VALUE: Measured(line["value"], line["interval"])},
            line["single"],
        )
        for line in table["lines"]
    ]
    numeric = [all(_is_number(line.cells[place]) for line in lines) for place in range(len(table["columns"]))]
    return ShownTable(table["title"], table["columns"], numeric, lines)


def _is_number(cell: str) -> bool:
    return not cell.strip("+-.,0123456789e")


def _shown_run(run: Mapping[str, Any], folder: Path) -> ShownRun:
    outcome = run["outcome"]
    if outcome is None:
        return ShownRun(run["name"], None, run["error"], None)
    page = RunDirectory(Path(outcome["directory"])).page
    link = quote(Path(os.path.relpath(page, folder)).as_posix()) if page.is_file() else None
    which = "objective" if outcome["test"] is None else "test"
    return ShownRun(run["name"], Measured(outcome[which], outcome[f"{which}_interval"]), "", link)


def _curve(curve: Mapping[str, Any]) -> Any:
    return learning_curve_chart(
        [(rows, score) for rows, score in curve["points"]],
        list(_points(curve["line"])),
        list(_points(curve["predicted"])),
        "Scores by the number of training rows, and the curve through them with its 90% interval.",
    )


def _lines(lines: Mapping[str, Sequence[Sequence[float]]]) -> Any:
    return growth_chart(
        [[CurvePoint(*point) for point in points] for points in lines.values()],
        f"Scores by the number of labelled rows, with 95% intervals: {' and '.join(lines)}.",
    )


def _points(predictions: Sequence[Mapping[str, Any]]) -> Iterator[CurvePoint]:
    for one in predictions:
        yield CurvePoint(one["rows"], one["score"], one["interval"][0], one["interval"][1])
