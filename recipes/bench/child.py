"""One run of the real command in a process of its own, with the machine's peak measured in that same process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.system.console import complain


def run(overrides: Sequence[str]) -> dict[str, Any]:
    """Do a run as a user would and return its report, with `gemm_peak_gflops` added.

    Raises:
        SystemExit: the run failed; what it said has been printed.
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
        report: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return report


def main() -> int:
    """Run, measure the peak in the precision of the run and in the fastest one, and leave the report."""
    from recipes.bench.gemm import gemm_peak
    from recipes.command import dispatch as command
    from recipes.machine.processor import bf16_units
    from recipes.results.run_directory import REPORT
    from recipes.run import run as one_run
    from recipes.system.files import write_json

    result, *overrides = sys.argv[1:]
    folders: list[Path] = []

    def remembered(config: Any, invocation: Any) -> Any:
        outcome = one_run(config, invocation)
        folders.append(outcome.directory)
        return outcome

    status = command.main(remembered, overrides)
    if folders:
        report = json.loads((folders[-1] / REPORT).read_text(encoding="utf-8"))
        device = report["environment"]["device"]
        fastest = "bf16" if device == "cuda" or bf16_units() else "fp32"
        report["gemm_peak_gflops"] = {
            precision: gemm_peak(precision, device) / 1e9 for precision in dict.fromkeys(("fp32", fastest))
        }
        write_json(Path(result), report)
    return status


if __name__ == "__main__":
    sys.exit(main())
