"""What a search keeps in memory from trial to trial, and what a trial costs beside its training."""

import json
import os
import re
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from recipes.bench.table import write
from recipes.system.console import say

TRIALS = 50
EARLY = 5
"The trial whose memory the last one's is compared with."
OWN_WORK = ("training", "judging and saving")
"Phases of a run that every run has, in a search or not."


@dataclass(frozen=True)
class Measured:
    """A trial after its end."""

    seconds: float
    "Since the end of the one before."
    memory: int
    "Resident bytes of the process that does all trials."


def measure(given: Namespace) -> list[Path]:
    """Do a search in one process, and look at its memory after each trial."""
    folder = given.output / "trials"
    words = ["-m", "search=random", f"search.trials={TRIALS}", "search.confirm.top=0", "search.keep_models=1"]
    task = (given.task or ["classification"])[0]
    found = _watch([*words, f"task={task}", f"output_root={folder}", *given.overrides])
    reports = [json.loads(path.read_text(encoding="utf-8"))["training"] for path in folder.rglob("report.json")]
    own = [sum(report["seconds_by_phase"][name] for name in OWN_WORK) for report in reports]
    # The first one pays for the imports.
    beside = (sum(one.seconds for one in found[1:]) - sum(own) * (len(own) - 1) / len(own)) / (len(found) - 1)
    early, last = found[EARLY - 1].memory, found[-1].memory
    phases = {name: median(report["seconds_by_phase"][name] for report in reports) for name in ("model", "encoding")}
    rows = [
        ["what", "measured"],
        ["trials", str(len(found))],
        [f"memory after {EARLY} and after {len(found)}", f"{early / 1e9:.2f} and {last / 1e9:.2f} GB"],
        ["ratio of these", f"{last / early:.3f}"],
        ["seconds of a trial beside training and judging", f"{beside:.2f}"],
        ["of these, reading the model and encoding", f"{phases['model']:.2f} and {phases['encoding']:.2f}"],
    ]
    content = {"memory": [one.memory for one in found], "seconds": [one.seconds for one in found], "own": own}
    return write(given.output, "trials", rows, ["A search by chance in one process."], content)


def _watch(words: list[str]) -> list[Measured]:
    """Do a search, and return what was seen at the end of each of its trials.

    Raises:
        SystemExit: it failed.
    """
    started = time.perf_counter()
    found = []
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "recipes.run", *words], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        watched = psutil.Process(process.pid)
        assert process.stdout is not None
        for line in process.stdout:
            if re.match(r"  trial +\d+  ", line):
                now = time.perf_counter()
                found.append(Measured(now - started, watched.memory_info().rss))
                say(f"{line.rstrip()}  {found[-1].memory / 1e9:.2f} GB")
                started = now
    if process.returncode or len(found) < TRIALS:
        raise SystemExit(1)
    return found
