"""From rows to a Trainer: the steps that are the same for every task."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, set_seed

from recipes.config.interval import parse_interval
from recipes.config.schema import Config, Hparams
from recipes.heads.recipe import Recipe
from recipes.heads.registry import recipe_for
from recipes.levers.low_rank import add_low_rank
from recipes.levers.pretrained_pull import PretrainedPull
from recipes.levers.unfreezing import GradualUnfreezing
from recipes.machine.devices import Placement
from recipes.model.head import OutputLayer
from recipes.model.loading import Loaded, load
from recipes.model.locating import locate
from recipes.results.run_directory import RunDirectory
from recipes.speed import apply as speed
from recipes.system.signals import Interruption
from recipes.training.arguments import training_arguments
from recipes.training.clock import Laps, TrainingClock
from recipes.training.evaluations import EvenEvaluations
from recipes.training.progress import Progress
from recipes.training.trainer import RecipeTrainer
from recipes.training.trial import limit_note, require_fitting_windows, try_out
from recipes.training.yardsticks import PlainTrainer, StockTrainer, padded_length, stock_recipe, stock_rows
from recipes.windows.columns import Windows
from recipes.windows.encoder import Encoder
from recipes.windows.judging import judge_windows
from tasks.data.options import Split
from tasks.errors import InputError
from tasks.loading.rows import AnyRows
from tasks.task import AnyTask

TRAINERS = {"recipe": RecipeTrainer, "plain": PlainTrainer, "stock": StockTrainer}


@dataclass(frozen=True)
class Prepared:
    """Everything that a Trainer is made of: rows, the model with its head, the windows of each split, the recipe."""

    config: Config
    placement: Placement
    rows: AnyRows
    recipe: Recipe
    loaded: Loaded
    windows: dict[Split, Windows]
    notes_on_windows: tuple[str, ...] = ()
    "Sentences for the user about the rows as the model reads them: what is cut off, unknown or spread over windows."
    notes: tuple[str, ...] = ()
    "Sentences for the user about the model: its padding, its head, and which faster parts it can't have."

    @property
    def task(self) -> AnyTask:
        """The task, with every `auto` option decided."""
        return self.rows.task


def prepare(config: Config, rows: AnyRows, placement: Placement, laps: Laps) -> Prepared:
    """Load the model and encode every split, taking the time of both.

    Raises:
        InputError: the model can't be found, loaded or run on these rows, or the hyperparameters don't go with the
            labels.
    """
    recipe = recipe_for(rows, config.hparams)
    if config.hparams.contrastive_steps and rows.head.problem_type == "regression":
        raise InputError("hparams.contrastive_steps: the labels are numbers, by which no texts belong together")
    if config.hparams.method == "stock":
        recipe, rows = stock_recipe(recipe, rows.task), stock_rows(rows)
    folder = locate(config.model)
    set_seed(config.seed)
    loaded = load(config.model, rows.head, config.hparams, folder)
    loaded = replace(loaded, tokenizer=rows.task.adapt(loaded.tokenizer))
    if config.hparams.linear_head and (loaded.head.known or loaded.head.taken):
        notes_of_model = [note for note in loaded.notes if note != loaded.head.note]
        fitted = "head: fitted anew to these rows (hparams.linear_head), and not taken over"
        loaded = replace(loaded, head=OutputLayer(), notes=(*notes_of_model, fitted))
    if config.hparams.lora_rank:
        add_low_rank(loaded.model, config.hparams, loaded.new_weights)
        trained = sum(weight.numel() for weight in loaded.model.parameters() if weight.requires_grad)
        loaded = replace(loaded, trained_parameters=trained)
    laps.lap("model")
    ours = config.hparams.method == "recipe"
    encoder = Encoder.of(rows, loaded, keep=config.runtime.cache)
    windows = {
        split: encoder.windows(split, longest_first=split != "train" and ours)
        for split, split_rows in rows.splits.items()
        if split_rows
    }
    notes = judge_windows(rows, windows, loaded.tokenizer, config.data.accept)
    rows = replace(rows, notes=[*rows.notes, *notes])
    laps.lap("encoding")
    require_fitting_windows(rows, loaded, windows, config.model.path)
    with loaded.head.kept(loaded.model):
        recipe.initialise(loaded.model)
    proof, padding_notes = try_out(config, rows, loaded, windows["train"])
    faster_notes = speed.apply(loaded, windows, placement, proof) if ours else ()
    said = (*loaded.notes, *limit_note(config, loaded), *padding_notes, *faster_notes)
    laps.lap("trying out")
    return Prepared(config, placement, rows, recipe, loaded, windows, tuple(notes), said)


def levers(hparams: Hparams, loaded: Loaded) -> Iterator[TrainerCallback]:
    """Yield the callbacks of the levers that were chosen."""
    if hparams.unfreeze_over:
        yield GradualUnfreezing(loaded.model, hparams.unfreeze_over)
    if hparams.pretrained_pull:
        yield PretrainedPull(loaded.model, frozenset(loaded.new_weights), hparams.pretrained_pull)


def assemble(
    prepared: Prepared, directory: RunDirectory, interruption: Interruption, started: float, what: str = ""
) -> RecipeTrainer:
    """Build the Trainer.

    Args:
        prepared: the parts it is built from.
        directory: where its checkpoints go.
        interruption: tells whether a signal has asked this process to end.
        started: a reading of `time.perf_counter`; the time to the first step counts from it.
        what: what is trained, where it is a part of something larger.
    """
    config, task, tokenizer = prepared.config, prepared.task, prepared.loaded.tokenizer
    objective = task.objective_score()
    windows = prepared.windows
    validation_rows = len(prepared.rows.splits["validation"])
    arguments = training_arguments(
        config, prepared.placement, len(windows["train"]), validation_rows, objective, directory.checkpoints
    )
    pad_to = None
    if config.hparams.method == "stock":
        pad_to = padded_length(task, task.window_length(prepared.loaded.limit))
    trainer = TRAINERS[config.hparams.method](
        task=task,
        head=prepared.rows.head,
        recipe=prepared.recipe,
        hparams=config.hparams,
        new_weights=prepared.loaded.new_weights,
        tokens_at_once=prepared.placement.tokens_at_once,
        rows=prepared.rows.splits,
        checkpoint_every=parse_interval(config.runtime.checkpoint_every),
        interruption=interruption,
        model=prepared.loaded.model,
        args=arguments,
        data_collator=task.collator(tokenizer, pad_to),
        train_dataset=windows["train"],
        eval_dataset=windows["validation"],
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(TrainingClock(started))
    if config.hparams.evaluations is not None:
        trainer.add_callback(EvenEvaluations(config.hparams.evaluations))
    trainer.add_callback(Progress(task.headline(), trainer.keeper, what))
    for lever in levers(config.hparams, prepared.loaded):
        trainer.add_callback(lever)
    if config.hparams.early_stopping is not None:
        trainer.add_callback(EarlyStoppingCallback(config.hparams.early_stopping))
    return trainer
