"""From rows to a Trainer: the steps that are the same in every recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datasets import Dataset
from tqdm import tqdm
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from recipes.arguments import greater_is_better, training_arguments
from recipes.config import Config
from recipes.console import is_main_process, label
from recipes.devices import Placement
from recipes.loss import Loss
from recipes.models import Loaded, load, locate
from recipes.progress import Progress, TrainingClock
from recipes.trainer import RecipeTrainer, Reduce, dataset
from tasks.load import Rows
from tasks.task import Features, Row, Task

ROWS_AT_ONCE = 1000
MOST_EAGER_TOKENS = 512


@dataclass(frozen=True)
class Prepared:
    """Everything a recipe starts from: settled rows, the model with its head, and features of each split."""

    config: Config
    placement: Placement
    rows: Rows
    loaded: Loaded
    features: dict[str, Dataset]

    @property
    def task(self) -> Task:
        """The task, with every `auto` option settled."""
        return self.rows.task


def prepare(config: Config, rows: Rows, placement: Placement) -> Prepared:
    """Load the model and encode every split.

    Raises:
        InputError: the model can't be found or loaded.
    """
    folder = locate(config.model)
    set_seed(config.seed)
    attention = attention_for(placement.device, rows.task.window_length(MOST_EAGER_TOKENS + 1))
    loaded = load(config.model, rows.head, config.hparams, folder, attention)
    tokenizer = rows.task.adapt(loaded.tokenizer)
    loaded = replace(loaded, tokenizer=tokenizer)
    features = {
        split: dataset(encode(rows, split_rows, loaded, split), longest_first=split != "train")
        for split, split_rows in rows.splits.items()
        if split_rows
    }
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    trained = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    frozen = f", {(parameters - trained) / 1e6:.1f}M of them frozen" if trained < parameters else ""
    head = f"{len(rows.head.labels)} outputs" if rows.head.labels else "span start and end"
    label("model", f"{config.model.path}, {parameters / 1e6:.1f}M parameters{frozen}, new head: {head}")
    return Prepared(config, placement, rows, loaded, features)


def attention_for(device: str, longest: int) -> str | None:
    """Return the attention implementation to use; None leaves it to the model.

    On a CPU the plain one is the fastest for windows of the usual length: the fused kernel falls back to a slow path
    when there is dropout. Its memory grows with the square of the length, so long windows go without it.
    """
    return "eager" if device == "cpu" and longest <= MOST_EAGER_TOKENS else None


def encode(rows: Rows, split_rows: Sequence[Row], loaded: Loaded, split: str) -> Features:
    """Encode rows in portions, with a bar on a terminal if it takes long."""
    length = rows.task.window_length(loaded.limit)
    features: Features = {}
    portions = range(0, len(split_rows), ROWS_AT_ONCE)
    for first in tqdm(
        portions, desc=f"encoding {split}", delay=2, leave=False, disable=None if is_main_process() else True
    ):
        part = rows.task.encode(split_rows[first : first + ROWS_AT_ONCE], loaded.tokenizer, rows.head, length)
        part["row"] = [first + row for row in part["row"]]
        for name, values in part.items():
            features.setdefault(name, []).extend(values)
    return features


def assemble(prepared: Prepared, loss: Loss, reduce: Reduce, folder: Path) -> RecipeTrainer:
    """Return the Trainer of a recipe, with checkpoints in `folder`."""
    config, task = prepared.config, prepared.task
    objective = task.objective_name()
    arguments = training_arguments(config, prepared.placement, len(prepared.features["train"]), objective, folder)
    trainer = RecipeTrainer(
        task=task,
        head=prepared.rows.head,
        loss=loss,
        reduce=reduce,
        r_drop=config.hparams.r_drop,
        validation=prepared.rows.splits["validation"],
        model=prepared.loaded.model,
        args=arguments,
        data_collator=task.collator(prepared.loaded.tokenizer),
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
