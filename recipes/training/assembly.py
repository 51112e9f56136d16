"""From rows to a Trainer: the steps that are the same in every recipe."""

from dataclasses import dataclass, replace
from pathlib import Path

from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from recipes.config.schema import Config
from recipes.heads.loss import Loss
from recipes.machine.devices import Placement
from recipes.model.loading import Loaded, load
from recipes.model.locating import locate
from recipes.speed.apply import speed_up
from recipes.system.console import label
from recipes.training.arguments import greater_is_better, training_arguments
from recipes.training.clock import Laps, TrainingClock
from recipes.training.progress import Progress
from recipes.training.stock import StockTrainer, padded_length
from recipes.training.trainer import RecipeTrainer, Reduce
from recipes.windows.columns import Windows
from recipes.windows.encoder import Encoder
from tasks.load import Rows
from tasks.task import Task


@dataclass(frozen=True)
class Prepared:
    """Everything a recipe starts from: settled rows, the model with its head, and features of each split."""

    config: Config
    placement: Placement
    rows: Rows
    loaded: Loaded
    features: dict[str, Windows]

    @property
    def task(self) -> Task:
        """The task, with every `auto` option settled."""
        return self.rows.task


def prepare(config: Config, rows: Rows, placement: Placement, laps: Laps) -> Prepared:
    """Load the model and encode every split, taking the time of both.

    Raises:
        InputError: the model can't be found or loaded.
    """
    stock = config.hparams.stock
    folder = locate(config.model)
    set_seed(config.seed)
    loaded = load(config.model, rows.head, config.hparams, folder)
    loaded = replace(loaded, tokenizer=rows.task.adapt(loaded.tokenizer))
    laps.lap("model")
    encoder = Encoder.of(rows, loaded, keep=config.runtime.cache)
    features = {
        split: encoder.windows(split, longest_first=split != "train" and not stock)
        for split, split_rows in rows.splits.items()
        if split_rows
    }
    laps.lap("encoding")
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    trained = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    frozen = f", {(parameters - trained) / 1e6:.1f}M of them frozen" if trained < parameters else ""
    head = f"{len(rows.head.labels)} outputs" if rows.head.labels else "span start and end"
    label("model", f"{config.model.path}, {parameters / 1e6:.1f}M parameters{frozen}, new head: {head}")
    if not stock:
        speed_up(loaded, features, placement)
    return Prepared(config, placement, rows, loaded, features)


def assemble(prepared: Prepared, loss: Loss, reduce: Reduce, folder: Path) -> RecipeTrainer:
    """Return the Trainer of a recipe, with checkpoints in `folder`."""
    config, task = prepared.config, prepared.task
    objective = task.objective_name()
    arguments = training_arguments(config, prepared.placement, len(prepared.features["train"]), objective, folder)
    length = task.window_length(prepared.loaded.limit)
    stock = config.hparams.stock
    kind = StockTrainer if stock else RecipeTrainer
    trainer = kind(
        task=task,
        head=prepared.rows.head,
        loss=loss,
        reduce=reduce,
        r_drop=config.hparams.r_drop,
        tokens_at_once=prepared.placement.tokens_at_once,
        rows=prepared.rows.splits,
        model=prepared.loaded.model,
        args=arguments,
        data_collator=task.collator(prepared.loaded.tokenizer, padded_length(task, length) if stock else None),
        train_dataset=prepared.features["train"],
        eval_dataset=prepared.features["validation"],
        processing_class=prepared.loaded.tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(TrainingClock())
    trainer.add_callback(Progress(task.headline(), objective, greater_is_better(objective)))
    if config.hparams.early_stopping is not None:
        trainer.add_callback(EarlyStoppingCallback(config.hparams.early_stopping))
    return trainer
