"""Compare `hparams=stock`, `hparams=plain` and the default, in turn on the same rows, each in its own process."""

import os
from argparse import Namespace
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import TypeAlias

from recipes.bench.child import Measured, run
from recipes.bench.table import write
from recipes.system.console import say

METHODS = ("stock", "plain", "default")

DATA_SHEET_TFLOPS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L4": 121.0}
"Dense bf16 peak from the data sheet of each GPU, for model FLOPs utilisation."

Round: TypeAlias = dict[str, Measured]
"A run of every method, one after the other."


@dataclass(frozen=True)
class Case:
    """What is measured for a task."""

    data: str
    sample: str
    "Taken where the public data are not at hand."
    batch_size: int
    rows: int
    options: tuple[str, ...] = ()


CASES = {
    "classification": Case("sst2", "classification_sample", 16, 1600, ("task.max_length=128",)),
    "ner": Case("wnut17", "ner_sample", 16, 1600),
    "qa": Case("squad_slice", "qa_sample", 12, 480, ("task.max_length=384", "task.stride=128")),
}


def measure(given: Namespace) -> list[Path]:
    """Measure every case in turn, print the table and write it."""
    rows = [
        [
            "task, data, batch",
            "method",
            "rows/s",
            "useful tokens/s",
            "useful GFLOP/s",
            "of bf16 peak",
            "padding",
            "peak MB",
            "objective",
            "whole run s",
        ]
    ]
    notes: list[str] = []
    reports: dict[str, list[Round]] = {}
    for task in given.task or CASES:
        case = CASES[task]
        data = given.data or (case.data if os.environ.get("RECIPES_DATA") else case.sample)
        case = replace(case, data=data, rows=given.rows or case.rows, batch_size=given.batch_size or case.batch_size)
        rounds = measure_case(task, case, given)
        reports[task] = rounds
        name = f"{task}, {case.data}, {case.batch_size}"
        rows += [_row(name, method, [measured[method] for measured in rounds]) for method in METHODS]
        notes += [_ratios(task, rounds, yardstick) for yardstick in METHODS[:-1]]
    notes += [_peaks(reports), f"Medians of {given.repetitions}; ratios are medians over rounds measured in turn."]
    content = {
        task: [{method: asdict(measured) for method, measured in each.items()} for each in rounds]
        for task, rounds in reports.items()
    }
    return write(given.output, "compare", rows, notes, {"reports": content})


def measure_case(task: str, case: Case, given: Namespace) -> list[Round]:
    """Return one run of every method for each repetition."""
    limit = f"data.limit={{train:{case.rows},validation:100,test:100}}"
    common = [f"task={task}", f"data={case.data}", f"model={given.model}", limit, "hparams.epochs=1"]
    common += [f"hparams.batch_size={case.batch_size}", *case.options, *given.overrides]
    rounds = []
    for repetition in range(given.repetitions):
        measured: Round = {}
        for method in METHODS:
            measured[method] = run([*common, f"hparams={method}"])
            speed = measured[method].report.training.rows_per_second
            say(f"{task} on {case.data}, {repetition + 1}/{given.repetitions}, {method}: {speed:.1f} rows/s")
        rounds.append(measured)
    return rounds


def _row(name: str, method: str, runs: list[Measured]) -> list[str]:
    trainings = [measured.report.training for measured in runs]
    return [
        name,
        method,
        f"{median(training.rows_per_second for training in trainings):.1f}",
        f"{median(training.tokens_per_second for training in trainings):.0f}",
        f"{median(training.gflops_per_second for training in trainings):.0f}",
        f"{median(measured.share_of_peak for measured in runs):.0%}",
        f"{median(training.padding_share for training in trainings):.1%}",
        f"{median(training.peak_memory_mb for training in trainings):.0f}",
        f"{median(measured.report.objective.value for measured in runs):.3f}",
        f"{median(training.total_seconds for training in trainings):.0f}",
    ]


def _ratios(task: str, rounds: list[Round], yardstick: str) -> str:
    pairs = [(each["default"].report.training, each[yardstick].report.training) for each in rounds]
    speed = median(ours.rows_per_second / theirs.rows_per_second for ours, theirs in pairs)
    memory = median(ours.peak_memory_mb / theirs.peak_memory_mb for ours, theirs in pairs)
    whole = median(ours.total_seconds / theirs.total_seconds for ours, theirs in pairs)
    return (
        f"{task}: {speed:.1f} times the rows/s of {yardstick}, {memory:.2f} times its memory, {whole:.2f} times its "
        "whole run."
    )


def _peaks(reports: dict[str, list[Round]]) -> str:
    every = [measured for rounds in reports.values() for each in rounds for measured in each.values()]
    names = sorted({name for measured in every for name in measured.gemm_peak_gflops})
    peaks = [f"{name} {median(one.gemm_peak_gflops[name] for one in every):.0f} GFLOP/s" for name in names]
    line = "Peak of a 2048-square product (8192 on a GPU), measured in the same processes: " + ", ".join(peaks) + "."
    gpu = every[0].report.environment.device_name
    sheet = next((tflops for name, tflops in DATA_SHEET_TFLOPS.items() if name in gpu), None)
    if sheet is not None:
        ours = [each["default"].report.training.gflops_per_second for rounds in reports.values() for each in rounds]
        used = median(ours)
        line += f" Model FLOPs utilisation of the default: {used / 1000 / sheet:.0%} of {sheet:.0f} TFLOP/s."
    return line
