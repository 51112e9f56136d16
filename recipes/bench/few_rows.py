"""Small labelled sets cut from large ones, and runs on them: what several parts of the bench share."""

import contextlib
import io
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from recipes.command.composing import compose
from recipes.system.console import complain, say
from recipes.system.files import write_json, write_text
from tasks.data.records import ReadReport
from tasks.loading.load import load
from tasks.task import AnyTask
from tasks.writing.writers import choose_writer

J = TypeVar("J")
D = TypeVar("D")

TEST_ROWS = 500
SUFFIXES = {"classification": ".csv", "ner": ".conll", "qa": ".json"}
SEED_OF_TEST = 0
"The test rows are the same for all seeds."


@dataclass(frozen=True)
class Source:
    """A large labelled set."""

    task: str
    data: str
    "A choice of the group data."
    by_label: bool = True
    "Whether sizes count the rows of each label, and not all rows."


SOURCES = {
    "trec6": Source("classification", "trec6"),
    "sst2": Source("classification", "sst2"),
    "sms_spam": Source("classification", "sms_spam"),
    "goemotions": Source("classification", "goemotions", by_label=False),
    "wnut17": Source("ner", "wnut17", by_label=False),
    "ncbi_disease": Source("ner", "ncbi_disease", by_label=False),
    "squad_slice": Source("qa", "squad_slice", by_label=False),
}


@dataclass(frozen=True)
class Job:
    """A run on a small set."""

    source: str
    size: int
    seed: int
    name: str
    "Of what is tried, such as `default`."
    overrides: tuple[str, ...]

    @property
    def set_name(self) -> str:
        """The set and its size."""
        return f"{self.source}, {self.size}" + (" a label" if SOURCES[self.source].by_label else "")


@dataclass(frozen=True)
class Done:
    """What a run gave."""

    score: float
    "The score that the task is judged by, on the test rows."
    seconds: float
    "Of the whole command."
    collapsed: bool
    chosen: str | None
    "By `hparams=small_data`."


def small_files(source: str, size: int, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write some training rows, drawn with the seed, and the test rows. Return both files."""
    large = SOURCES[source]
    suffix = SUFFIXES[large.task]
    train, test = folder / f"{source}-{size}-{seed}{suffix}", folder / f"{source}-test{suffix}"
    if train.exists() and test.exists():
        return train, test
    config = compose([f"task={large.task}", f"data={large.data}"])
    rows = load(config.task, config.data, SEED_OF_TEST)
    few = drawn(rows.task, rows.splits["train"], size, seed, large.by_label)
    some = random.Random(SEED_OF_TEST).sample(  # noqa: S311
        rows.splits["test"], min(TEST_ROWS, len(rows.splits["test"]))
    )
    writer = choose_writer(large.task, suffix, None)
    for path, chosen in ((train, few), (test, some)):
        write_text(path, writer.write(chosen, True, ReadReport(on_bad_row="error")).text)
    return train, test


def drawn(task: AnyTask, rows: Sequence[Any], size: int, seed: int, by_label: bool) -> list[Any]:
    """Return so many rows, or so many of each label, without duplicates, in random order."""
    unique = list({task.identity(row): row for row in rows}.values())
    random.Random(seed).shuffle(unique)  # noqa: S311
    if not by_label:
        return unique[:size]
    counts: dict[Any, int] = defaultdict(int)
    drawn = []
    for row in unique:
        counts[task.stratum(row)] += 1
        if counts[task.stratum(row)] <= size:
            drawn.append(row)
    return drawn


def run_all(jobs: Sequence[Job], folder: Path, processes: int, apart: bool) -> dict[Job, Done]:
    """Do all runs, so many at a time with a thread each, and return what they gave.

    What a run gave is kept in a file of its own, so that a bench that was stopped goes on where it was.

    Args:
        jobs: the runs.
        folder: where rows, runs and results are kept.
        processes: how many are done at a time.
        apart: whether each run is a command of its own, whose time counts from its start; otherwise a process does one
            run after another, without importing everything anew.

    Raises:
        SystemExit: a run failed; its output has been printed.
    """
    for source, size, seed in {(job.source, job.size, job.seed): None for job in jobs}:
        small_files(source, size, seed, folder / "data")
    done = mapped(partial(_run, folder=folder, apart=apart), jobs, processes, threads=apart)
    return dict(zip(jobs, _told(jobs, done), strict=True))


def mapped(function: Callable[[J], D], jobs: Sequence[J], processes: int, threads: bool = False) -> Iterator[D]:
    """Yield what a function gives for each job, so many at a time, in processes of their own or in threads."""
    pool: Executor = (
        ThreadPoolExecutor(processes)
        if threads
        else ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    )
    with pool:
        yield from pool.map(function, jobs)


def keep_known(known: Path | None, folder: Path) -> None:
    """Take over results of runs that were done before, perhaps on another machine, so that they are not done again.

    Args:
        known: a file with results by the names of runs, as in `docs/measurements`. None: there are none.
        folder: that of `run_all`.
    """
    if known is None:
        return
    runs = json.loads(known.read_text(encoding="utf-8"))["runs"]
    (folder / "results").mkdir(parents=True, exist_ok=True)
    for name, result in runs.items():
        kept = folder / "results" / f"{name}.json"
        if not kept.exists():
            write_json(kept, result)
    say(f"{len(runs)} runs are known from {known}")


def _told(jobs: Sequence[Job], done: Iterable[Done]) -> Iterator[Done]:
    for number, (job, one) in enumerate(zip(jobs, done, strict=True), 1):
        what = f"{job.name} ({one.chosen})" if one.chosen else job.name
        collapsed = ", collapsed" if one.collapsed else ""
        say(
            f"{number}/{len(jobs)}  {job.set_name}, seed {job.seed}: {what} {one.score:.4f} in {one.seconds:.0f} s"
            + collapsed
        )
        yield one


def _run(job: Job, folder: Path, apart: bool) -> Done:
    name = f"{job.source}-{job.size}-{job.seed}-{job.name}"
    kept, root = folder / "results" / f"{name}.json", folder / "runs" / name
    if kept.exists():
        return Done(**json.loads(kept.read_text(encoding="utf-8")))
    train, test = small_files(job.source, job.size, job.seed, folder / "data")
    words = [
        *(f"task={SOURCES[job.source].task}", "data=files", f"data.train={train}", f"data.test={test}"),
        *(f"seed={job.seed}", "runtime.threads=1", f"output_root={root}", *job.overrides),
    ]
    seconds = _command(words) if apart else call_run(words)
    (path,) = root.rglob("report.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    choice = report["choice"]
    done = Done(
        score=report["metrics"]["test"][report["objective"]["name"]],
        seconds=seconds,
        collapsed=bool(report["verdict"]["collapsed"]),
        chosen=None if choice is None else choice["chosen"],
    )
    write_json(kept, vars(done))
    shutil.rmtree(root)  # the models of hundreds of runs would fill the disk
    return done


def _command(words: Sequence[str]) -> float:
    """Do a run as a command of its own. Return its seconds."""
    started = time.perf_counter()
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "recipes.run", *words], capture_output=True, text=True, check=False, env=os.environ
    )
    seconds = time.perf_counter() - started
    if ended.returncode:
        complain(ended.stdout + ended.stderr)
        raise SystemExit(1)
    return seconds


def call_run(words: Sequence[str]) -> float:
    """Do a run, or several, in this process, and print only what goes wrong. Return the seconds.

    Raises:
        SystemExit: it failed.
    """
    from recipes.run import main

    return call(main, words)


def call(main: Callable[[Sequence[str]], int], words: Sequence[str]) -> float:
    """Do what a command does, in this process, and print only what goes wrong. Return the seconds.

    Raises:
        SystemExit: it failed.
    """
    started, said = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(said):
        status = main(words)
    if status:
        complain(said.getvalue())
        raise SystemExit(1)
    return time.perf_counter() - started
