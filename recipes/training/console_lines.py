"""The lines that a run prints before and after its epochs."""

from recipes.config.schema import Config
from recipes.inference.evaluation import Evaluation
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score
from recipes.system.console import duration, say, say_field
from recipes.training.assembly import Prepared
from recipes.training.trainer import RecipeTrainer
from tasks.load import AnyRows


def show_rows(rows: AnyRows, config: Config) -> None:
    """Print how many rows there are, and how many were left out or repaired."""
    counts = ", ".join(f"{len(split_rows)} {split}" for split, split_rows in rows.splits.items() if split_rows)
    variety = rows.task.variety()
    name = config.data.name or config.data.hub or "files"
    for line in rows.report.recognised:
        say_field("read", line)
    say_field("data", f"{name}: {counts} rows" + (f"; {variety}" if variety else ""))
    for note in rows.notes:
        say_field("", note)
    for what, counted in (("left out", rows.report.skipped), ("repaired", rows.report.repaired)):
        for reason, count in counted.items():
            say_field("", f"{what}: {count} x {reason}, e.g. {rows.report.examples[reason][0]}")


def show_model(prepared: Prepared) -> None:
    """Print which model is trained, how much of it is frozen and how much of its head is new, and what was settled."""
    total, trained = prepared.loaded.parameters, prepared.loaded.trained_parameters
    frozen = f", {(total - trained) / 1e6:.1f}M of them frozen" if trained < total else ""
    labels = prepared.rows.head.labels
    outputs = f"{len(labels)} outputs" if labels else "span start and end"
    layer = prepared.loaded.head
    if layer.known:
        head = f"head: {outputs}, as trained before"
    elif layer.taken:
        head = f"head: {outputs}, {len(labels) - len(layer.taken)} of them new"
    else:
        head = f"new head: {outputs}"
    say_field("model", f"{prepared.config.model.path}, {total / 1e6:.1f}M parameters{frozen}, {head}")
    for note in prepared.notes:
        say_field("", note)


def show_plan(trainer: RecipeTrainer, prepared: Prepared) -> None:
    """Print the length and the settings of the training."""
    arguments = trainer.args
    method = prepared.config.hparams.method
    trained_as = "" if method == "recipe" else f"; as in hparams={method}, to compare with"
    steps = len(trainer.get_train_dataloader()) // arguments.gradient_accumulation_steps
    say_field(
        "training",
        f"{arguments.num_train_epochs:.3g} epochs of {max(steps, 1)} steps, batch {trainer.rows_per_step}, "
        f"learning rate {arguments.learning_rate:g}, {prepared.placement.describe()}" + trained_as,
    )
    for note in prepared.placement.notes:
        say_field("", note)


def show_result(trainer: RecipeTrainer, evaluation: Evaluation, directory: RunDirectory, seconds: float) -> None:
    """Print the scores, and the run directory."""
    for split, scores in evaluation.metrics.items():
        shown = "  ".join(f"{name} {format_score(scores[name])}" for name in trainer.task.headline() if name in scores)
        say_field(split, shown)
    say(f"Done in {duration(seconds)}: {directory}")
