"""From rows to a Trainer: the steps that are the same in every recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from recipes import attention, unpadding
from recipes.arguments import greater_is_better, training_arguments
from recipes.config import Config
from recipes.console import label
from recipes.devices import Placement, keep_few_kernels
from recipes.dropout import use_cheap_dropout
from recipes.features import Encoder, Windows
from recipes.loss import Loss
from recipes.models import ATTENTION_DROPOUT, Loaded, load, locate
from recipes.norms import use_narrow_norms
from recipes.progress import Progress
from recipes.stock import StockTrainer, padded_length
from recipes.timing import Laps, TrainingClock
from recipes.trainer import RecipeTrainer, Reduce
from recipes.vocabulary import train_used_rows
from tasks.load import Rows
from tasks.task import Task

SHORT = 128
"Tokens in the longest window up to which lengths recur so often that compiled kernels are worth keeping."
MOST_TOKENS_FOR_PLAIN = 512
"Tokens in a window up to which all scores of a layer may stand in memory."
KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


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


def speed_up(loaded: Loaded, features: Mapping[str, Windows], placement: Placement) -> None:
    """Change the model in place so that it trains faster to the same end; what is saved stays the same.

    The attention for CPUs is the fastest for windows of the usual length; as its memory grows with the square of the
    length, longer ones go through torch's fused kernel.
    """
    used = np.union1d(features["train"].token_ids, [loaded.tokenizer.pad_token_id])
    train_used_rows(loaded.model, used)
    longest = max(int(windows.lengths.max()) for windows in features.values())
    if placement.device == "cuda":
        leave_padding_out(loaded.model, longest, placement)
    if placement.device != "cpu":
        return
    use_cheap_dropout(loaded.model)
    use_narrow_norms(loaded.model)
    if longest > SHORT:
        keep_few_kernels()
    if longest <= MOST_TOKENS_FOR_PLAIN and loaded.model._can_set_attn_implementation():
        attention.register()
        loaded.model.set_attn_implementation(attention.NAME)


def leave_padding_out(model: Any, longest: int, placement: Placement) -> None:
    """Take attention without padding on a GPU where windows are long and the kernel can do what the model asks for."""
    config = model.config
    dropout = max((float(getattr(config, name, 0.0)) for name in ATTENTION_DROPOUT), default=0.0)
    if longest <= MOST_TOKENS_FOR_PLAIN or dropout or placement.precision not in KINDS:
        return
    size = config.hidden_size // config.num_attention_heads
    if model._can_set_attn_implementation() and unpadding.is_available(size, KINDS[placement.precision]):
        unpadding.register()
        model.set_attn_implementation(unpadding.NAME)


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
