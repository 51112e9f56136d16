"""What is said of a finished run: report.json, the predictions, and the last lines on the console."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.machine.memory import peak_memory_mb
from recipes.system.files import fingerprint
from recipes.training.clock import Laps, TrainingClock
from recipes.training.flops import training_flops
from recipes.training.trainer import RecipeTrainer
from tasks.load import Rows

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
