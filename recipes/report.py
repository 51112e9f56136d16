"""What is said of a finished run: report.json, the predictions, and the last lines on the console."""

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from recipes.devices import Placement
from recipes.files import fingerprint
from recipes.timing import Laps, TrainingClock
from recipes.trainer import RecipeTrainer
from recipes.work import training_flops
from tasks.load import Rows
from tasks.task import Prediction, Row, Task

PACKAGES = ("finetune-recipes", "torch", "transformers", "accelerate", "datasets", "tokenizers", "numpy")


def prediction_lines(task: Task, rows: Sequence[Row], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return one object a row: who it is, its input, its gold answer, and the prediction."""
    lines = []
    for row, prediction in zip(rows, predictions, strict=True):
        content = asdict(row)
        identity = {"id": row.id, "file": row.origin.file, row.origin.unit: row.origin.number}
        given = {name: content[name] for name in task.inputs() if content[name] is not None}
        lines.append({**identity, **given, "gold": task.gold(row), "prediction": prediction})
    return lines


NOT_SCORES = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")


def training_section(trainer: RecipeTrainer, rows: Rows, laps: Laps) -> dict[str, Any]:
    """Return speed and size of the training: seconds are those of its epochs, without evaluations and saving.

    Tokens are those of the inputs, padding not counted; so are operations (`recipes.work`).
    """
    clock = next(callback for callback in trainer.callback_handler.callbacks if isinstance(callback, TrainingClock))
    epochs = float(trainer.state.epoch or 0)
    sizes = trainer.train_dataset.lengths
    passes_per_second = epochs / max(clock.seconds, 1e-9)
    return {
        "seconds": round(clock.seconds, 3),
        "total_seconds": round(laps.total(), 3),
        "seconds_by_phase": laps.seconds,
        "seconds_to_first_step": None if clock.first_step is None else round(clock.first_step, 3),
        "rows_per_second": round(len(rows.splits["train"]) * passes_per_second, 2),
        "tokens_per_second": round(int(sizes.sum()) * passes_per_second, 1),
        "gflops_per_second": round(training_flops(trainer.model, sizes) * passes_per_second / 1e9, 2),
        "steps": trainer.state.global_step,
        "epochs": epochs,
        "batch_size": trainer.args.train_batch_size
        * trainer.args.gradient_accumulation_steps
        * trainer.args.world_size,
        "learning_rate": trainer.args.learning_rate,
        "tokens_at_once": trainer.tokens_at_once,
        "windows": len(trainer.train_dataset),
        "padding_share": round(trainer.padding.share, 4),
        "best_epoch": best_epoch(trainer),
        "peak_memory_mb": peak_memory_mb(),
    }


def history(trainer: RecipeTrainer) -> list[dict[str, float]]:
    """Return a line for each evaluation: its epoch and step, the training loss since the last one, and its scores."""
    lines, loss = [], None
    for entry in trainer.state.log_history:
        loss = entry.get("loss", loss)
        if "eval_loss" in entry:
            scores = {
                name.removeprefix("eval_"): value
                for name, value in entry.items()
                if name.startswith("eval_") and name not in NOT_SCORES
            }
            validation = {"validation_loss": scores.pop("loss"), **scores}
            lines.append({"epoch": entry["epoch"], "step": entry["step"], "loss": loss, **validation})
    return lines


def best_epoch(trainer: RecipeTrainer) -> float | None:
    """Return the epoch whose weights were kept."""
    step = trainer.state.best_global_step
    per_epoch = trainer.state.global_step / max(float(trainer.state.epoch or 1), 1e-9)
    return None if step is None else round(step / per_epoch, 2)


def peak_memory_mb() -> float:
    """Return the most memory the process has held, in MB: the GPU's where there is one, or else its resident set."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return round(float(torch.cuda.max_memory_allocated()) / 2**20, 1)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # kilobytes on Linux, bytes on macOS
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def environment(placement: Placement) -> dict[str, Any]:
    """Return what the numbers depend on besides the config: versions, device, threads, precision, commit."""
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "device": placement.device,
        "device_name": _device_name(placement),
        "cores": os.cpu_count(),
        "threads": placement.threads,
        "processes": placement.processes,
        "precision": placement.precision,
        "git_commit": git_commit(),
    }


def computed_by(placement: Placement) -> dict[str, Any]:
    """Return what the last bits of a sum depend on: where it is equal, the same rows and seed give the same weights."""
    versions = {name: _version(name) for name in ("torch", "transformers")}
    return {
        "device": _device_name(placement),
        "precision": placement.precision,
        "threads": placement.threads,
        **versions,
    }


def _device_name(placement: Placement) -> str:
    return str(torch.cuda.get_device_name()) if placement.device == "cuda" else processor()


def data_section(rows: Rows, sources: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the rows come from, how many there are, and what was skipped and repaired."""
    return {
        "source": dict(sources),
        "rows": {split: len(split_rows) for split, split_rows in rows.splits.items()},
        "fingerprint": rows.fingerprint(),
        "files": data_files(rows),
        "labels": list(rows.head.labels),
        "skipped": rows.report.skipped,
        "repaired": rows.report.repaired,
        "examples": rows.report.examples,
        "notes": rows.notes,
    }


def data_files(rows: Rows) -> dict[str, str]:
    """Return every file that a row came from, with what tells whether it has changed since."""
    names = sorted({row.origin.file for split_rows in rows.splits.values() for row in split_rows})
    return {name: fingerprint(Path(name)) for name in names if Path(name).is_file()}


def git_commit() -> str | None:
    """Return the commit of the checkout that this code runs from, with `+` if files differ; None outside of one."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603, S607
        return run.stdout.strip()

    try:
        if "site-packages" in here.parts:
            return None
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """Return the name that the processor gives itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
