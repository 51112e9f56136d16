"""The lines that a run prints before and after its epochs."""

from collections.abc import Mapping, Sequence
from operator import itemgetter

from recipes.config.schema import Config, Hparams
from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_bounds, format_score, format_score_in
from recipes.results.verdict import WHAT_HELPS, Baseline
from recipes.system.console import counted, duration, say, say_field
from recipes.training.assembly import Prepared
from recipes.training.trainer import RecipeTrainer
from tasks.data.options import Split
from tasks.loading.rows import AnyRows
from tasks.task import AnyTask


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
    for what, told in rows.report.told():
        say_field("", f"{what}: {told}")


def show_model(prepared: Prepared) -> None:
    """Print what the model makes of the rows, how much of it is frozen and of its head new, and what was settled."""
    for note in prepared.notes_on_windows:
        say_field("", note)
    total, trained = prepared.loaded.parameters, prepared.loaded.trained_parameters
    frozen = f", {(total - trained) / 1e6:.1f}M of them frozen" if trained < total else ""
    labels = prepared.rows.head.labels
    outputs = counted(len(labels), "output") if labels else "span start and end"
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
    method = prepared.config.hparams.method
    trained_as = "" if method == "recipe" else f"; as in hparams={method}, to compare with"
    say_field("training", f"{_length(trainer, prepared.config.hparams)}, {prepared.placement.describe()}{trained_as}")
    for note in prepared.placement.notes:
        say_field("", note)
    if trainer.evaluates and not trainer.chooses_weights:
        few = f"{counted(len(trainer.validation_rows), 'validation row')}: too few to choose an epoch by"
        say_field("", f"{few}, so that the last weights are kept (hparams.keep=best chooses)")


def _length(trainer: RecipeTrainer, hparams: Hparams) -> str:
    """Return what is trained for how long, and how fast."""
    arguments = trainer.args
    rate = f"learning rate {arguments.learning_rate:g}"
    parts = []
    if hparams.contrastive_steps:
        parts.append(f"{hparams.contrastive_steps} contrastive steps")
    if hparams.linear_head:
        parts.append("a linear head, fitted to the encoder's outputs")
    if arguments.num_train_epochs:
        steps = len(trainer.get_train_dataloader()) // arguments.gradient_accumulation_steps
        epochs = f"{arguments.num_train_epochs:.3g} epochs of {counted(max(steps, 1), 'step')}"
        parts.append(f"{epochs}, batch {trainer.rows_per_step}, {rate}")
    return "; then ".join(parts)


def show_result(task: AnyTask, report: Report, directory: RunDirectory, seconds: float) -> None:
    """Print the scores with their intervals, what baselines reach, whether training failed, and the run directory."""
    verdict = report.verdict
    if report.training.averaged_steps:
        say_field(
            "soup", f"the weights after steps {', '.join(map(str, report.training.averaged_steps))} were averaged"
        )
    other = report.passed_over()
    if other is not None:
        better = f"{report.objective.name} {format_score(other[report.objective.name])} after epoch {other['epoch']:g}"
        say_field("kept", f"epoch {report.training.kept_epoch:g}: {better} is better by no more than chance")
    for split, scores in report.metrics.items():
        shown = (
            f"{name} {format_score_in(scores[name], verdict.interval(split, name))}"
            for name in task.headline()
            if name in scores
        )
        say_field(split, "  ".join(shown))
    if report.worth_of_test():
        say_field("", report.worth_of_test())
    judged = report.judged
    _show_baselines(verdict.baselines.get(judged, {}), judged, task.headline())
    if verdict.collapsed:
        say_field("collapsed", "; ".join(verdict.collapsed))
        say_field("", WHAT_HELPS)
    if directory.page.exists():  # if it could not be made, that has been said
        say_field("report", str(directory.page))
    say(f"Done in {duration(seconds)}: {directory}")


def _show_baselines(baselines: Mapping[str, Baseline], split: Split, names: Sequence[str]) -> None:
    """Print the scores of all baselines, and what the model gains over the best one."""
    known = [name for name in names if any(one.gains.get(name) for one in baselines.values())]
    scored = [
        (gain.value, gain.interval, who)
        for name in known[:1]
        for who, one in baselines.items()
        if (gain := one.gains[name]).value is not None
    ]
    if not scored:
        return
    shown = ", ".join(f"{who} {format_score(one.scores[known[0]])}" for who, one in baselines.items())
    value, bounds, who = min(scored, key=itemgetter(0))
    sign, way = (1, "over") if value >= 0 else (-1, "below")
    sure = "" if bounds is None else f" ({format_bounds(sorted(sign * end for end in bounds))})"
    say_field("baselines", f"{split} {known[0]}: {shown}; the model is {format_score(abs(value))}{sure} {way} {who}")
