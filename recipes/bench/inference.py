"""Predicting with a loaded model, against pipelines and loops of transformers on the same model and items."""

import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from recipes.bench.mixed_texts import (
    Asked,
    asked_passages,
    describe_lengths,
    describe_passages,
    mixed_texts,
    padded_over_plain,
    source_questions,
    source_texts,
)
from recipes.bench.predictors import Pass, Way, predict
from recipes.bench.table import write
from recipes.system.console import complain, say
from tasks.scoring.squad import squad_scores

TEXTS, TEXTS_PER_QUESTION = 2000, 4
"A question on a long passage takes far longer than a text."
TRIED_PART, WARM_UP_PART = 5, 32
"One item in so many is enough to choose a batch size by, or to warm up."
BATCH_SIZES = {"classification": (1, 8, 32, 128), "ner": (1, 8, 32, 128), "qa": (1,)}
"Pipelines leave the choice to their users."
SEED = 1

TRAINING = {
    "classification": ("hparams.max_steps=100",),
    "ner": ("hparams.max_steps=100",),
    "qa": ("hparams.epochs=3",),
}
"Enough that predictions differ from row to row."
NAMES = {
    "classification": "text-classification pipeline",
    "ner": "token-classification pipeline",
    "qa": "loop of the example script",
}


@dataclass(frozen=True)
class Compared:
    """The passes of both ways over the same items, in turn."""

    task: str
    ours: list[Pass]
    theirs: list[Pass]
    tried: dict[int, float]
    "Rows/s of theirs on a part of the items, by batch size."

    @property
    def ratio(self) -> float:
        """How many times as fast ours is: the median over pairs of passes."""
        ratios = [their.seconds / our.seconds for our, their in zip(self.ours, self.theirs, strict=True)]
        return float(median(ratios))

    @property
    def equal(self) -> float:
        """The share of items for which both predict the same."""
        pairs = zip(self.ours[-1].answers, self.theirs[-1].answers, strict=True)
        return float(sum(our == their for our, their in pairs) / len(self.ours[-1].answers))


def measure(given: Namespace) -> list[Path]:
    """Train a model for each task, and time both ways to predict with it."""
    from recipes.machine.threads import threads_per_process

    rows, threads = given.rows or TEXTS, threads_per_process(1)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runs = {task: trained(task, Path(folder), given) for task in TRAINING}
        texts, sizes = _texts(Path(runs["classification"]), rows)
        asked = asked_passages(source_questions(), rows // TEXTS_PER_QUESTION, SEED)
        items: dict[str, Sequence[Any]] = {
            "classification": texts,
            "ner": texts,
            "qa": [(one.question, one.passage) for one in asked],
        }
        notes = [f"Texts: {describe_lengths(sizes)}. Questions: {describe_passages(asked)}."]
        say(notes[0])
        compared = [compare(task, run, threads, items[task], given.repetitions) for task, run in runs.items()]
    notes += [_tried(one, sizes) for one in compared if one.tried]
    notes += [_scores(compared[-1], asked), f"Medians of {given.repetitions} passes each, in turn; {threads} threads."]
    content = {one.task: _numbers(one) for one in compared}
    return write(
        given.output,
        "inference",
        [list(_row(compared[0])), *(list(_row(one).values()) for one in compared)],
        notes,
        content,
    )


def trained(task: str, folder: Path, given: Namespace) -> str:
    """Train on the sample of a task, and return the run directory."""
    say(f"{task}: training")
    root = folder / task
    run([f"task={task}", f"model={given.model}", *TRAINING[task], *given.overrides, f"output_root={root}"])
    (report,) = root.rglob("report.json")
    return str(report.parent)


def run(overrides: Sequence[str]) -> None:
    """Do a run as a user would.

    Raises:
        SystemExit: it failed; its output has been printed.
    """
    command = [sys.executable, "-m", "recipes.run", *overrides]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        complain(done.stdout + done.stderr)
        raise SystemExit(1)


def _texts(run: Path, rows: int) -> tuple[list[str], list[int]]:
    """Return the texts, and the tokens of each to the model of a run."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(run / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count_tokens(texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]

    texts = mixed_texts(source_texts(), count_tokens, rows, SEED)
    return texts, count_tokens(texts)


def compare(task: str, run: str, threads: int, items: Sequence[Any], repetitions: int) -> Compared:
    """Choose the batch size that is best for theirs on a part of the items, and time both ways on all, in turn."""
    ways = [Way(side, task, run, threads) for side in ("ours", "theirs")]
    part, warm_up = items[: len(items) // TRIED_PART + 1], items[: len(items) // WARM_UP_PART + 1]
    batch_size, tried = 1, {}
    if len(BATCH_SIZES[task]) > 1:
        with new_process() as process:
            for batch_size in BATCH_SIZES[task]:
                process.submit(predict, ways[1], warm_up, batch_size).result()
                tried[batch_size] = len(part) / process.submit(predict, ways[1], part, batch_size).result().seconds
        batch_size = max(tried, key=tried.__getitem__)
    passes: tuple[list[Pass], list[Pass]] = ([], [])
    # Each in a process of its own, so that the peak of memory is that of this way, and of this batch size.
    with new_process() as first, new_process() as second:
        sides = list(zip(ways, (first, second), passes, strict=True))
        for way, process, _ in sides:
            process.submit(predict, way, warm_up, batch_size).result()
        for repetition in range(repetitions):
            for way, process, done in sides:
                done.append(process.submit(predict, way, items, batch_size).result())
                speed = len(items) / done[-1].seconds
                say(f"{task}, {repetition + 1}/{repetitions}, {way.side}: {speed:.1f} rows/s")
    return Compared(task, *passes, tried)


def new_process() -> Executor:
    """Return an executor with one new process, in which nothing is loaded yet."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _numbers(one: Compared) -> dict[str, Any]:
    sides = {"ours": one.ours, "theirs": one.theirs}
    return {
        "rows": len(one.ours[0].answers),
        "seconds": {side: [each.seconds for each in passes] for side, passes in sides.items()},
        "peak_memory_mb": {side: passes[-1].peak_memory_mb for side, passes in sides.items()},
        "rows_per_second_by_batch_size": one.tried,
        "ratio": one.ratio,
        "equal": one.equal,
    }


def _row(one: Compared) -> dict[str, str]:
    """Return the cells of a line, by the names of their columns."""
    rows = len(one.ours[0].answers)
    speeds = [rows / median(each.seconds for each in passes) for passes in (one.ours, one.theirs)]
    batch_size = f", batch {max(one.tried, key=one.tried.__getitem__)}" if one.tried else ""
    return {
        "task, rows": f"{one.task}, {rows}",
        "theirs": f"{NAMES[one.task]}{batch_size}",
        "rows/s ours, fp32": f"{speeds[0]:.2f}",
        "rows/s theirs, fp32": f"{speeds[1]:.2f}",
        "ratio": f"{one.ratio:.2f}",
        "peak MB ours": f"{one.ours[-1].peak_memory_mb:.0f}",
        "peak MB theirs": f"{one.theirs[-1].peak_memory_mb:.0f}",
        "same prediction": f"{one.equal:.1%}",
    }


def _tried(one: Compared, sizes: Sequence[int]) -> str:
    """Return the speeds by batch size, and how much of each batch is padding, which the pipeline computes, too."""
    tried = ", ".join(
        f"{size}: {speed:.1f} ({padded_over_plain(sizes, size):.1f})" for size, speed in one.tried.items()
    )
    return (
        f"{one.task}: rows/s of the pipeline on one row in {TRIED_PART} by batch size (and times the tokens that it "
        f"computes with padding, texts in the order given): {tried}."
    )


def _scores(one: Compared, asked: Sequence[Asked]) -> str:
    """Return exact match and F1 of both ways."""
    gold = [{"id": number, "answers": {"text": list(each.answers)}} for number, each in enumerate(asked)]
    found = []
    for side, passes in (("ours", one.ours), ("theirs", one.theirs)):
        predicted = [
            {"id": number, "prediction_text": answer, "no_answer_score": 0.0}
            for number, answer in enumerate(passes[-1].answers)
        ]
        scores = squad_scores(predicted, gold, "v1.1")
        found.append(f"{side} {scores['exact_match']:.2f} and {scores['f1']:.2f}")
    return f"Exact match and F1 of the answers: {', '.join(found)}."
