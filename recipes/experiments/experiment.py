"""One run from its config to its directory: read, train, evaluate, write."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from recipes.checkpoints import sealed
from recipes.checkpoints.sealed import Checkpoint
from recipes.choosing.choice import Chosen, choose, rows_to_choose_on
from recipes.choosing.hint import hint_at_small_data
from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config
from recipes.inference.evaluation import Evaluation, evaluate, require_usable_objective
from recipes.inference.judging import judge
from recipes.levers.low_rank import has_low_rank, save_low_rank
from recipes.machine import out_of_memory
from recipes.machine.devices import place
from recipes.machine.facts import numerical_environment
from recipes.model.locating import locate
from recipes.model.stored_task import StoredTask
from recipes.reporting.run_page import run_page
from recipes.results.model_card import data_name, model_card
from recipes.results.report import Report
from recipes.results.run_directory import RunDirectory
from recipes.results.verdict import Verdict
from recipes.results.watching import Pruned, Watch
from recipes.speed import apply as speed
from recipes.system.console import complain, is_main_process, say_field
from recipes.system.files import flush_to_disk, write_json_lines, write_text
from recipes.system.signals import Interruption
from recipes.tracking.registry import require_tracker
from recipes.tracking.tracking import track
from recipes.training.assembly import Prepared, assemble, prepare
from recipes.training.clock import Laps
from recipes.training.console_lines import show_model, show_plan, show_result, show_rows
from recipes.training.fitting import finish
from recipes.training.progress import close_progress
from recipes.training.reporting import build_report, history
from recipes.training.stages import train_before_steps
from recipes.training.trainer import RecipeTrainer
from recipes.training.watching import Watched
from tasks.analysis.parts import Line
from tasks.data.read import read_label_names
from tasks.errors import InputError
from tasks.inspecting.quick import quick_findings
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.task import AnyTask


def run_experiment(
    config: Config,
    command: str,
    directory: RunDirectory,
    interruption: Interruption,
    started: float,
    watch: Watch | None = None,
) -> Report:
    """Train and evaluate one model, leave everything in `directory`, and return the report.

    Nothing is written before the data and the model have been read and checked. The report is written last: a run
    counts as finished once it has one. An interrupted run resumes from its newest intact checkpoint.

    Args:
        config: the config of the run.
        command: the command line, for the report.
        directory: where all results are written.
        interruption: tells whether a signal has asked this process to end.
        started: a reading of `time.perf_counter`; the time to the first step counts from it.
        watch: is told of each evaluation, and may end the training.

    Raises:
        InputError: the data, the model or a choice can't be used.
        Interrupted: a signal asked the run to end.
        Pruned: the watch ended the training; of the run, its config is left.
    """
    laps = Laps()
    require_tracker(config.tracker)
    rows = load(config.task, config.data, config.seed)
    if config.hparams.choose_by_folds:
        rows = rows_to_choose_on(rows, config)
    if is_main_process():
        found = [f"{one.message} ({one.kind}: python -m recipes.check)" for one in quick_findings(rows)]
        rows = replace(rows, notes=[*rows.notes, *found])
    show_rows(rows, config)
    _require_possible_objective(rows)
    laps.lap("reading")
    placement = place(config.runtime, config.hparams.method)
    prepared = prepare(config, rows, placement, laps)
    show_model(prepared)
    with directory.lock() if is_main_process() else nullcontext(), out_of_memory.explaining(), ExitStack() as tracked:
        chosen = None
        if config.hparams.choose_by_folds:
            chosen = choose(prepared, config, rows, command, directory, interruption)
            laps.lap("choosing")
            prepared = prepare(chosen.config, rows, placement, laps)
        else:
            hint_at_small_data(prepared)
        trainer = assemble(prepared, directory, interruption, started)
        show_plan(trainer, prepared)
        tracking = tracked.enter_context(track(config, rows.fingerprint(), directory, _identity(prepared)))
        start = _starting_point(directory, config, prepared, trainer)
        tracking.start(trainer)
        laps.lap("assembling")
        if start is None:
            train_before_steps(prepared)
        if watch is not None:
            trainer.add_callback(Watched(watch, prepared.task.objective_score()))
        try:
            trainer.train_from(start)
        except Pruned:
            close_progress(trainer.callback_handler.callbacks)
            directory.tidy()
            raise
        laps.lap("training")
        _save_adapter(prepared, trainer, directory)
        finish(trainer)
        evaluation = evaluate(
            trainer.predictor(), rows, prepared.windows, None if chosen is None else chosen.out_of_fold
        )
        trainer.model.config.update({**evaluation.calibration, **_stored_task(config, prepared.rows).to_config()})
        try:
            report = _write_results(prepared, trainer, evaluation, command, laps, directory, config, chosen)
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"The results can't be written to {directory}: {error}. Make room and run the same command again: it "
                "goes on from what is saved"
            ) from error
        tracking.finish(report)
    show_result(prepared.task, report, directory, laps.total())
    return report


def _require_possible_objective(rows: AnyRows) -> None:
    """Refuse an objective that the task does not score, before any training."""
    if rows.task.objective is not None:
        validation = rows.splits["validation"]
        require_usable_objective(
            rows.task, rows.task.score(validation, list(map(rows.task.gold_prediction, validation)), rows.head)
        )


def _stored_task(config: Config, rows: AnyRows) -> StoredTask:
    form = rows.task.form(rows.splits["train"][0])
    return StoredTask.of(rows.task, form, config.data.columns, read_label_names(config.data.label_names))


def _save_adapter(prepared: Prepared, trainer: RecipeTrainer, directory: RunDirectory) -> None:
    """Write low-rank changes, if there are any, before they are added to the matrices."""
    speed.restore(trainer.model)
    if not has_low_rank(trainer.model):
        return
    if prepared.config.hparams.pooling == "mean":
        say_field("", "no adapter: the layer that pools the mean is none of the pretrained model's")
        return
    if is_main_process():
        try:
            save_low_rank(trainer.model, directory.adapter, _base_name(prepared.config))
        except (OSError, SafetensorError) as error:
            raise InputError(f"{directory.adapter} can't be written to: {error}") from error


def _base_name(config: Config) -> str:
    """Return where an adapter's base model is found: its folder, if it is one, or its name on the hub."""
    local = Path(config.model.path).expanduser().exists()
    return str(locate(config.model).absolute()) if local else config.model.path


def _starting_point(
    directory: RunDirectory, config: Config, prepared: Prepared, trainer: RecipeTrainer
) -> Checkpoint | None:
    """Return the checkpoint to resume from, or clear the directory and record which run begins in it.

    Raises:
        InputError: the interrupted run in this directory had other rows, model, seed or processes.
    """
    identity = _identity(prepared)
    machine = numerical_environment(prepared.placement)
    start = None
    if not config.overwrite:
        directory.require_same_identity(identity)
        start, complaints = sealed.newest(directory.checkpoints)
        for complaint in complaints:
            say_field("", complaint)
    trainer.accelerator.wait_for_everyone()
    if start is not None:
        say_field("", f"goes on after step {start.step}, where it was interrupted")
        changes = ", ".join(directory.differences(machine))
        if changes:
            say_field("", f"the last digits may come out otherwise than without the interruption: {changes}")
    elif is_main_process():
        try:
            directory.begin(config, {**identity, **machine})
        except OSError as error:
            raise InputError(f"{directory} can't be written to: {error}") from error
    trainer.accelerator.wait_for_everyone()
    return start


def _identity(prepared: Prepared) -> dict[str, Any]:
    """Return everything besides the config that decides the result of training."""
    rows = prepared.rows
    of_rows = {
        f"{split} rows": f"{len(split_rows)} with fingerprint {rows.fingerprint(split)}"
        for split, split_rows in rows.splits.items()
    }
    return {
        **of_rows,
        "seed": prepared.config.seed,
        "model": prepared.loaded.fingerprint,
        "processes": prepared.placement.processes,
    }


def _write_results(
    prepared: Prepared,
    trainer: RecipeTrainer,
    evaluation: Evaluation,
    command: str,
    laps: Laps,
    directory: RunDirectory,
    config: Config,
    chosen: Chosen | None,
) -> Report:
    save_model(trainer, directory)
    laps.lap("judging and saving")
    # With a head that was fitted first, the loss begins where it would otherwise end.
    losses = [] if prepared.config.hparams.linear_head else history(trainer)
    verdict = judge(prepared.rows, evaluation, losses) if is_main_process() else Verdict()
    report = build_report(prepared, trainer, evaluation, verdict, command, laps)
    if chosen is not None:
        report = replace(report, choice=chosen.choice)
    if is_main_process():
        for split, lines in evaluation.predictions.items():
            write_json_lines(directory.predictions_of(split), lines)
        choices = flatten(to_dict(config))
        write_text(directory.model_card, model_card(report, prepared.task, data_name(choices)))
        report.save(directory.report)
        directory.tidy()
        _write_page(report, choices, prepared.task, evaluation.predictions[report.judged], directory)
    return report


def _write_page(
    report: Report, choices: Mapping[str, Any], task: AnyTask, lines: Sequence[Line], directory: RunDirectory
) -> None:
    """Write the report as a page. The run is finished without it, so that no fault of it may end the run."""
    try:
        write_text(directory.page, run_page(report, choices, task, lines, data_name(choices)))
    except Exception as error:
        complain(
            f"{directory.page} could not be made ({type(error).__name__}: {error}). Everything else is there; to try "
            f"again: python -m recipes.report {directory}"
        )


def save_model(trainer: RecipeTrainer, directory: RunDirectory) -> None:
    """Write the model and its tokenizer in the standard format, all or nothing. Every process must call this.

    It replaces a model that a killed run left there.
    """
    partial = directory.partial_model
    if is_main_process():
        shutil.rmtree(partial, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(partial))
    if is_main_process():
        (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle, which nobody should have to trust
        flush_to_disk(partial)
        shutil.rmtree(directory.model, ignore_errors=True)
        partial.rename(directory.model)
