"""Single parts of a run, each against the plain way to do the same."""

import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from recipes.bench.child import run
from recipes.bench.table import write
from tasks.columns import CANDIDATES, LABELS

SST2 = ("task=classification", "data=sst2", "task.max_length=128")
SAMPLE = ("task=classification",)


def data_choice() -> tuple[str, ...]:
    """Return SST-2 where the public data are at hand, or else the built-in sample."""
    return SST2 if os.environ.get("RECIPES_DATA") else SAMPLE


def overhead(given: Namespace) -> list[Path]:
    """Time the Trainer's epoch and a bare loop over the very same batches, in turn."""
    rows, size = given.rows or 1200, given.batch_size or 16
    overrides = [*data_choice(), f"data.limit.train={rows}", f"hparams.batch_size={size}", "hparams.epochs=1"]
    times: dict[str, list[float]] = {"trainer": [], "bare loop": []}
    for _ in range(given.repetitions + 1):
        for name, method in (("trainer", train_with_trainer), ("bare loop", train_bare)):
            times[name].append(method([*overrides, f"model={given.model}", *given.overrides]))
    # Leave out the first run of each: in it, the library also chooses a kernel for every new shape.
    ratios = [ours / bare for ours, bare in list(zip(times["trainer"], times["bare loop"], strict=True))[1:]]
    table = [["way", "seconds for one epoch"]]
    table += [[name, f"{median(seconds[1:]):.2f}"] for name, seconds in times.items()]
    notes = [f"Trainer over bare loop: {median(ratios):.3f} (median of {given.repetitions} pairs)."]
    return write(given.output, "overhead", table, notes, {"seconds": times, "ratios": ratios})


def assembled(overrides: list[str]) -> Any:
    """Return a trainer as the command builds it, and its device and precision."""
    from recipes.system.quiet_libraries import quiet_libraries

    quiet_libraries()
    from recipes.command import composing
    from recipes.machine.devices import place
    from recipes.results.run_directory import RunDirectory
    from recipes.system.signals import Interruption
    from recipes.training.assembly import assemble, prepare
    from recipes.training.clock import Laps
    from tasks.loading.load import load

    config = composing.compose(overrides)
    rows = load(config.task, config.data, config.seed)
    placement = place(config.runtime, config.hparams.method)
    prepared = prepare(config, rows, placement, Laps())
    directory = RunDirectory(Path(tempfile.mkdtemp(prefix="bench-")))
    return assemble(prepared, directory, Interruption(), time.perf_counter()), placement


def train_with_trainer(overrides: list[str]) -> float:
    """Return the seconds of one epoch under the Trainer, without evaluating and saving."""
    from recipes.training.clock import TrainingClock

    trainer, _ = assembled(overrides)
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.args.load_best_model_at_end = False
    trainer.train()
    clock = next(callback for callback in trainer.callback_handler.callbacks if isinstance(callback, TrainingClock))
    return float(clock.seconds)


def train_bare(overrides: list[str]) -> float:
    """Return the seconds of a loop without the Trainer: the same model, batches, loss, optimizer and schedule."""
    import torch
    from transformers import get_linear_schedule_with_warmup

    from recipes.inference.predicting import forward

    trainer, placement = assembled(overrides)
    batches = [dict(batch) for batch in trainer.get_train_dataloader()]
    model = trainer.model.to(trainer.args.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=trainer.args.learning_rate, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, len(batches) // 10, len(batches))
    started = time.perf_counter()
    for batch in batches:
        with torch.autocast(placement.device, dtype=torch.bfloat16, enabled=placement.precision == "bf16"):
            outputs = forward(model, batch)
            loss = trainer.recipe.loss(outputs, batch) / len(batch[LABELS])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), trainer.args.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    if placement.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def decoding(given: Namespace) -> list[Path]:
    """Time the search for the best span of many windows, by a loop over every pair and as evaluation does it."""
    import torch

    from recipes.heads.qa import best_spans

    windows, length, most_tokens = given.rows or 10_000, 384, 30
    generator = torch.Generator().manual_seed(0)
    start, end = (torch.randn(windows, length, generator=generator) for _ in range(2))
    candidates = torch.zeros(windows, length, dtype=torch.int64)
    candidates[:, 0] = 2
    for window, last in enumerate(torch.randint(100, length, (windows,), generator=generator).tolist()):
        candidates[window, 20:last] = 1

    def searched() -> list[tuple[int, int]]:
        reduce = best_spans(most_tokens)
        found = []
        for first in range(0, windows, 64):
            part = slice(first, first + 64)
            kept = reduce({"start_logits": start[part], "end_logits": end[part]}, {CANDIDATES: candidates[part]})
            found += list(zip(kept["start"].tolist(), kept["end"].tolist(), strict=True))
        return found

    def looped() -> list[tuple[int, int]]:
        return [
            plain_best_span(*window, most_tokens)
            for window in zip(start.tolist(), end.tolist(), candidates.tolist(), strict=True)
        ]

    ours = [_timed(searched) for _ in range(given.repetitions)]
    plain = _timed(looped)
    if ours[0][1] != plain[1]:
        raise SystemExit("The search and the loop disagree.")
    seconds = median(taken for taken, _ in ours)
    table = [
        ["way", "seconds"],
        ["loop over every pair", f"{plain[0]:.2f}"],
        ["search", f"{seconds:.3f}"],
    ]
    notes = [f"{windows} windows of {length} tokens, the same spans: {plain[0] / seconds:.0f} times faster."]
    return write(given.output, "decoding", table, notes, {"loop": plain[0], "search": [taken for taken, _ in ours]})


def plain_best_span(start: list[float], end: list[float], candidates: list[int], most_tokens: int) -> tuple[int, int]:
    """Return the first pair with the highest sum of single-precision logits, by looking at every one."""
    best, span = -float("inf"), (0, 0)
    for first, kind in enumerate(candidates):
        if kind != 1:
            continue
        for last in range(first, min(first + most_tokens, len(candidates))):
            if candidates[last] == 1:
                total = start[first] + end[last]
                if total > best:
                    best, span = total, (first, last)
    return span


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def evaluation(given: Namespace) -> list[Path]:
    """Measure the time and the peak memory of a process that evaluates many rows."""
    rows = given.rows or 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "many.csv")
        words = [f"word{number}" for number in range(50)]
        generator = random.Random(0)  # noqa: S311
        texts = (" ".join(generator.choices(words, k=8)) for _ in range(rows))
        lines = ["text,label", *(f"{row} {text},{'ab'[row % 2]}" for row, text in enumerate(texts))]
        path.write_text("\n".join(lines), encoding="utf-8")
        small = Path(folder, "train.csv")
        small.write_text("\n".join(lines[:101]), encoding="utf-8")
        command = [sys.executable, "-m", "recipes.bench.evaluate", str(small), str(path), f"model={given.model}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)  # noqa: S603
    seconds, megabytes, tokens = map(float, done.stdout.split()[-3:])
    table = [
        ["rows", "tokens", "seconds", "rows/s", "peak memory MB"],
        [str(rows), f"{tokens:.0f}", f"{seconds:.0f}", f"{rows / seconds:.0f}", f"{megabytes:.0f}"],
    ]
    notes = ["Classification, from reading the file to the scores; memory is the peak of the whole process."]
    return write(given.output, "evaluation", table, notes, {"seconds": seconds, "peak_memory_mb": megabytes})


def startup(given: Namespace) -> list[Path]:
    """Time --help, a run up to its first optimizer step, and the second job of a sweep up to its training."""
    helps: list[float] = []
    firsts: list[float] = []
    seconds: list[dict[str, float]] = []
    overrides = [*data_choice(), f"model={given.model}", "data.limit={validation:50,test:50}"]
    run([*overrides, "hparams.max_steps=1"])  # fills the cache
    for _ in range(given.repetitions):
        helps.append(_timed(lambda: _command("--help"))[0])
        firsts.append(run([*overrides, "hparams.max_steps=1"]).report.training.seconds_to_first_step or 0.0)
        phases = run(["-m", *overrides, "hparams.max_steps=1,2"]).report.training.seconds_by_phase
        seconds.append({name: phases[name] for name in ("reading", "model", "encoding", "trying out", "assembling")})
    before = [sum(phases.values()) - phases["model"] for phases in seconds]
    table = [
        ["what", "seconds"],
        ["--help", f"{median(helps):.2f}"],
        ["from the command to the end of the first step, encoded rows cached", f"{median(firsts):.2f}"],
        ["second job of a sweep, before training, without loading the model", f"{median(before):.2f}"],
        ["second job of a sweep, loading the model", f"{median(phases['model'] for phases in seconds):.2f}"],
    ]
    content = {"help": helps, "first_step": firsts, "second_job": seconds}
    return write(given.output, "startup", table, [f"Medians of {given.repetitions}."], content)


def _command(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "recipes.run", *arguments], capture_output=True, check=True)  # noqa: S603
