"""How good a model is on unseen rows: each training row is predicted by a model that was trained without it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from recipes.comparing.stored_runs import StoredRun
from recipes.results.scores import format_score, format_score_in
from recipes.statistics.bootstrap import intervals
from recipes.studies.answer import Answer, Line, Runs, Table, bounds, collapsed, score_of
from recipes.studies.question import Question, Setting, fold_of
from recipes.system.files import write_json_lines
from tasks.loading.load import load
from tasks.task import Head

FOLDER = "out_of_fold"


def settings(question: Question) -> list[Setting]:
    """Return a setting for each fold."""
    folds = question.study.folds
    kept = tuple(f"task.{option}" for option in question.config.task.audit_options)
    return [
        Setting(f"fold {fold}", (f"data.folds={folds}", f"data.fold={fold}", "data.limit.test=null", *kept))
        for fold in range(1, folds + 1)
    ]


def answer(question: Question, runs: Runs) -> Answer:
    """Return the score on all rows together and on each fold, and write what was predicted for each row."""
    lines, sentences, pooled = [], [], []
    for seed in question.seeds:
        found = {name: run for (name, of_seed), run in runs.items() if of_seed == seed}
        if not found:
            continue
        among = f", seed {seed}" if len(question.seeds) > 1 else ""
        for name, run in found.items():
            value, interval = score_of(run), run.report.verdict.interval(run.split, run.report.objective.name)
            lines.append(_line(f"{name}{among}", len(run.lines), value, interval))
        value, interval = _together(list(found.values()))
        single = list(map(score_of, found.values()))
        rows = sum(len(run.lines) for run in found.values())
        lines.append(_line(f"mean of folds{among}", rows, fmean(single), None, single))
        lines.append(_line(f"all together{among}", rows, value, interval))
        pooled.append(value)
        if len(found) == question.study.folds:
            path = _write_predictions(question, seed, list(found.values()))
            sentences.append(f"Predictions of all rows{among}: {path}")
    run = next(iter(runs.values()))
    name = run.report.objective.name
    if len(pooled) > 1:
        said = f"mean {format_score(fmean(pooled))} over {len(pooled)} divisions into folds, deviation "
        sentences.insert(0, f"{name}: {said}{format_score(stdev(pooled))}")
    else:
        scores = list(map(score_of, runs.values()))
        spread = f"; mean of {len(scores)} folds {format_score(fmean(scores))}, deviation " if len(scores) > 1 else ""
        sentences.insert(
            0,
            f"{name} {format_score_in(value, interval)} on {rows:,} rows, each predicted by a model that has not seen "
            f"it{spread}{format_score(stdev(scores)) if spread else ''}",
        )
    columns = ["", "rows", name, "95% interval"]
    return Answer([*sentences, *collapsed(runs)], [Table(f"{question.study.folds} folds", columns, lines)])


def _line(name: str, rows: int, value: float, interval: list[float] | None, single: Sequence[float] = ()) -> Line:
    return Line([name, f"{rows:,}", format_score(value), bounds(interval)], value, interval, list(single))


def _together(runs: Sequence[StoredRun]) -> tuple[float, list[float] | None]:
    """Return the score of the rows of all folds together, with its interval over rows."""
    first = runs[0]
    units: list[int] = []
    for run in runs:
        begin = max(units, default=-1) + 1
        units += [begin + unit for unit in run.units]
    labels = tuple(dict.fromkeys(label for run in runs for label in run.head.labels))
    rescore = first.task.rescore(
        [row for run in runs for row in run.rows],
        [prediction for run in runs for prediction in run.predictions],
        Head("", labels),
        units,
    )
    name, count = first.report.objective.name, max(units) + 1
    value = float(rescore(np.ones((1, count)))[name][0])
    found = intervals(rescore, count)[name]
    return value, None if found is None else [found.low, found.high]


def _write_predictions(question: Question, seed: int, runs: Sequence[StoredRun]) -> Path:
    """Write the lines of all folds in the order of the training rows, each with its place and its fold."""
    config = question.config
    lines: list[tuple[int, int, dict[str, Any]]] = []
    files = {str(row.origin.file): place for place, row in reversed([*enumerate(question.rows.splits["train"])])}
    for fold, run in enumerate(runs, 1):
        of_fold = replace(fold_of(config.data, question.study.folds, fold), deduplicate=None, balance=None)
        held = load(config.task, of_fold, seed).splits["test"]  # the same as with what acts on training rows alone
        for row, line in zip(held, run.lines, strict=True):
            name, number = str(row.origin.file), row.origin.number
            place = {"file": name, "line": number, "numbered": row.origin.unit, "fold": fold}
            texts = {part: getattr(row, part) for part in config.task.texts if part not in line}
            more = {part: value for part, value in texts.items() if isinstance(value, str)}  # such as the passage
            lines.append((files.get(name, len(files)), number, {**line, **more, **place}))
    path = question.folder / FOLDER / f"seed={seed}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_lines(path, [line for _, _, line in sorted(lines, key=lambda one: one[:2])])
    return path
