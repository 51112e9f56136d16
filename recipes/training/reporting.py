"""The report of a finished training: its scores, its speed, and what its result depends on."""

from pathlib import Path
from typing import Any

from recipes.inference.evaluation import Evaluation
from recipes.machine.facts import environment
from recipes.machine.memory import peak_memory_mb
from recipes.results.report import FINISHED, DataFacts, ModelFacts, Objective, Report, TrainingFacts
from recipes.results.scores import TIMING_ENTRIES
from recipes.results.verdict import Verdict
from recipes.system.files import fingerprint
from recipes.training.assembly import Prepared
from recipes.training.clock import Laps, TrainingClock
from recipes.training.flops import training_flops
from recipes.training.trainer import RecipeTrainer
from tasks.data.options import DataOptions
from tasks.loading.reading import sources
from tasks.loading.rows import AnyRows


def build_report(
    prepared: Prepared, trainer: RecipeTrainer, evaluation: Evaluation, verdict: Verdict, command: str, laps: Laps
) -> Report:
    """Return the report of a run whose final weights have been evaluated."""
    config, objective = prepared.config, prepared.task.objective_score()
    return Report(
        status=FINISHED,
        task=prepared.task.name,
        model=ModelFacts(
            path=config.model.path,
            revision=config.model.revision,
            parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
            new_weights=list(prepared.loaded.new_weights),
            notes=list(prepared.notes),
        ),
        data=_data_facts(prepared.rows, config.data),
        metrics=evaluation.metrics,
        objective=Objective(
            name=objective.name,
            split="validation",
            value=evaluation.metrics["validation"][objective.name],
            greater_is_better=objective.greater_is_better,
        ),
        calibration=evaluation.calibration,
        training=_training_facts(trainer, prepared.rows, laps),
        history=history(trainer),
        environment=environment(prepared.placement),
        seed=config.seed,
        command=command,
        verdict=verdict,
    )


def _training_facts(trainer: RecipeTrainer, rows: AnyRows, laps: Laps) -> TrainingFacts:
    clock = next(callback for callback in trainer.callback_handler.callbacks if isinstance(callback, TrainingClock))
    epochs = float(trainer.state.epoch or 0)
    sizes = trainer.train_dataset.lengths
    passes_per_second = epochs / max(clock.seconds, 1e-9)
    return TrainingFacts(
        seconds=round(clock.seconds, 3),
        total_seconds=round(laps.total(), 3),
        seconds_by_phase=laps.seconds,
        seconds_to_first_step=None if clock.first_step is None else round(clock.first_step, 3),
        rows_per_second=round(len(rows.splits["train"]) * passes_per_second, 2),
        tokens_per_second=round(int(sizes.sum()) * passes_per_second, 1),
        gflops_per_second=round(training_flops(trainer.model, sizes) * passes_per_second / 1e9, 2),
        steps=trainer.state.global_step,
        epochs=epochs,
        batch_size=trainer.rows_per_step,
        learning_rate=trainer.args.learning_rate,
        tokens_at_once=trainer.tokens_at_once,
        windows=len(trainer.train_dataset),
        padding_share=round(trainer.padding.share, 4),
        kept_epoch=_kept_epoch(trainer),
        peak_memory_mb=peak_memory_mb(),
        averaged_steps=trainer.soup,
    )


def history(trainer: RecipeTrainer) -> list[dict[str, float]]:
    """Return a line for each evaluation: its epoch and step, the training loss since the last one, and its scores.

    Where nothing is evaluated before the end, there is a line for each epoch with its loss.
    """
    lines: list[dict[str, Any]] = []
    loss = None
    for entry in trainer.state.log_history:
        loss = entry.get("loss", loss)
        if "loss" in entry and not trainer.evaluates:
            lines.append({name: entry[name] for name in ("epoch", "step", "loss")})
        if "eval_loss" in entry:
            scores = {
                name.removeprefix("eval_"): value
                for name, value in entry.items()
                if name.startswith("eval_") and name not in TIMING_ENTRIES
            }
            validation = {"validation_loss": scores.pop("loss"), **scores}
            lines.append({"epoch": entry["epoch"], "step": entry["step"], "loss": loss, **validation})
    return lines


def _kept_epoch(trainer: RecipeTrainer) -> float | None:
    """Return the epoch whose weights were kept, if it was chosen."""
    step = trainer.state.best_global_step
    steps_per_epoch = trainer.state.global_step / max(float(trainer.state.epoch or 1), 1e-9)
    return None if step is None else round(step / steps_per_epoch, 2)


def _data_facts(rows: AnyRows, options: DataOptions) -> DataFacts:
    return DataFacts(
        source=dict(sources(options)),
        rows={split: len(split_rows) for split, split_rows in rows.splits.items()},
        fingerprint=rows.fingerprint(),
        files=data_files(rows),
        labels=list(rows.head.labels),
        skipped=rows.report.skipped,
        repaired=rows.report.repaired,
        examples=rows.report.examples,
        notes=rows.notes,
        label_counts=rows.task.label_counts(rows.splits["train"]),
        recognised=rows.report.recognised,
    )


def data_files(rows: AnyRows) -> dict[str, str]:
    """Return every file that a row came from, with its fingerprint."""
    names = {row.origin.file for split_rows in rows.splits.values() for row in split_rows}
    return {name: fingerprint(Path(name)) for name in sorted(names.union(rows.report.files)) if Path(name).is_file()}
