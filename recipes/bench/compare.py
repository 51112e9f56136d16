"""Side by side: `hparams=stock` and the default in turn, on the same rows, in processes of their own."""

import os
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from recipes.bench.child import run
from recipes.bench.table import write
from recipes.system.console import say

METHODS = ("stock", "default")

DATA_SHEET_TFLOPS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L4": 121.0}
"Dense bf16 peak that the maker gives, for model FLOPs utilisation."


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
    notes, reports = [], {}
    for task in given.task or CASES:
        case = CASES[task]
        data = given.data or (case.data if os.environ.get("RECIPES_DATA") else case.sample)
        case = replace(case, data=data, rows=given.rows or case.rows, batch_size=given.batch_size or case.batch_size)
        pairs = measure_case(task, case, given)
        reports[task] = pairs
        name = f"{task}, {case.data}, {case.batch_size}"
        rows += [_row(name, method, [pair[method] for pair in pairs]) for method in METHODS]
        notes.append(_ratios(task, pairs))
    notes += [_peaks(reports), f"Medians of {given.repetitions}; ratios are medians over pairs measured in turn."]
    return write(given.output, "compare", rows, notes, {"reports": reports})


def measure_case(task: str, case: Case, given: Namespace) -> list[dict[str, Any]]:
    """Return for each repetition the report of both methods."""
    limit = f"data.limit={{train:{case.rows},validation:100,test:100}}"
    common = [f"task={task}", f"data={case.data}", f"model={given.model}", limit, "hparams.epochs=1"]
    common += [f"hparams.batch_size={case.batch_size}", *case.options, *given.overrides]
    pairs = []
    for repetition in range(given.repetitions):
        pair = {}
        for method in METHODS:
            pair[method] = run([*common, f"hparams={method}"])
            speed = pair[method]["training"]["rows_per_second"]
            say(f"{task} on {case.data}, {repetition + 1}/{given.repetitions}, {method}: {speed:.1f} rows/s")
        pairs.append(pair)
    return pairs


def _row(name: str, method: str, reports: list[dict[str, Any]]) -> list[str]:
    def middle(key: str) -> float:
        return median(float(report["training"][key]) for report in reports)

    share = median(_share_of_peak(report) for report in reports)
    return [
        name,
        method,
        f"{middle('rows_per_second'):.1f}",
        f"{middle('tokens_per_second'):.0f}",
        f"{middle('gflops_per_second'):.0f}",
        f"{share:.0%}",
        f"{middle('padding_share'):.1%}",
        f"{middle('peak_memory_mb'):.0f}",
        f"{median(report['objective']['value'] for report in reports):.3f}",
        f"{middle('total_seconds'):.0f}",
    ]


def _share_of_peak(report: dict[str, Any]) -> float:
    """Return the share of the fastest product this process could do, whatever precision the run was in."""
    return float(report["training"]["gflops_per_second"] / max(report["gemm_peak_gflops"].values()))


def _ratios(task: str, pairs: list[dict[str, Any]]) -> str:
    def ratio(key: str) -> float:
        return median(float(pair["default"]["training"][key] / pair["stock"]["training"][key]) for pair in pairs)

    return (
        f"{task}: {ratio('rows_per_second'):.1f} times the rows/s of stock, {ratio('peak_memory_mb'):.2f} times its "
        f"memory, {ratio('total_seconds'):.2f} times its whole run."
    )


def _peaks(reports: dict[str, list[dict[str, Any]]]) -> str:
    every = [report for pairs in reports.values() for pair in pairs for report in pair.values()]
    names = sorted({name for report in every for name in report["gemm_peak_gflops"]})
    peaks = [f"{name} {median(r['gemm_peak_gflops'][name] for r in every):.0f} GFLOP/s" for name in names]
    line = "Peak of a 2048-square product (8192 on a GPU), measured in the same processes: " + ", ".join(peaks) + "."
    gpu = str(every[0]["environment"]["device_name"])
    sheet = next((tflops for name, tflops in DATA_SHEET_TFLOPS.items() if name in gpu), None)
    if sheet is not None:
        used = median(pair["default"]["training"]["gflops_per_second"] for pairs in reports.values() for pair in pairs)
        line += f" Model FLOPs utilisation of the default: {used / 1000 / sheet:.0%} of {sheet:.0f} TFLOP/s."
    return line
