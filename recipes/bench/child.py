"""Run the real command in a process of its own, and measure the machine's peak FLOP/s in that same process."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recipes.results.report import Report, load_report
from recipes.results.run_directory import RunDirectory
from recipes.system.console import complain
from recipes.system.files import write_json


@dataclass(frozen=True)
class Measured:
    """The report of a run, and the peak speed of matrix products in its process."""

    report: Report
    gemm_peak_gflops: dict[str, float]
    "Peak GFLOP/s by precision."

    @property
    def share_of_peak(self) -> float:
        """The run's GFLOP/s as a share of the highest peak, whatever precision the run was in."""
        return self.report.training.gflops_per_second / max(self.gemm_peak_gflops.values())


def run(overrides: Sequence[str]) -> Measured:
    """Do a run as a user would, measure the peak, and return both.

    Raises:
        SystemExit: the run failed; its output has been printed.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        result = Path(folder, "result.json")
        command = [
            sys.executable,
            "-m",
            "recipes.bench.child",
            str(result),
            *overrides,
            f"output_root={folder}/outputs",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603
        if not result.is_file():
            complain(done.stdout + done.stderr)
            raise SystemExit(1)
        values = json.loads(result.read_text(encoding="utf-8"))
        return Measured(Report.from_dict(values["report"]), values["gemm_peak_gflops"])


def main() -> int:
    """Run, measure the peak in fp32 and in the fastest precision, and write the report and the peaks to a file."""
    started = time.perf_counter()
    from recipes.bench.gemm import gemm_peak
    from recipes.command import dispatch
    from recipes.machine.processor import bf16_units
    from recipes.run import run as one_run

    result, *overrides = sys.argv[1:]
    directories: list[RunDirectory] = []

    def remembered(config: Any, invocation: Any) -> Any:
        outcome = one_run(config, invocation)
        directories.append(RunDirectory(Path(outcome.directory)))
        return outcome

    status = dispatch.main(remembered, overrides, started)
    report = load_report(directories[-1].report) if directories else None
    if report is not None:
        device = report.environment.device
        fastest = "bf16" if device == "cuda" or bf16_units() else "fp32"
        peaks = {precision: gemm_peak(precision, device) / 1e9 for precision in dict.fromkeys(("fp32", fastest))}
        write_json(Path(result), asdict(Measured(report, peaks)))
    return status


if __name__ == "__main__":
    sys.exit(main())
