"""Faster parts put into a model before training, and taken out before the model is saved.

The result of training is the same but for rounding and for the random numbers of dropout. The one exception is named in
`recipes.speed.embedding_table`.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recipes.machine.devices import Placement
from recipes.machine.memory import keep_few_kernels
from recipes.model.layers import ATTENTION_DROPOUT
from recipes.model.loading import Loaded
from recipes.speed import cpu_attention, unpadded_attention
from recipes.speed.dropout import use_cheap_dropout
from recipes.speed.embedding_table import restore_table, train_used_rows
from recipes.speed.norms import use_narrow_norms
from recipes.windows.columns import Windows
from tasks.data.options import Split

SHORT = 128
"Tokens in the longest window up to which lengths recur so often that compiled kernels are worth keeping."
LONGEST_WITH_ALL_SCORES = 512
"Tokens in a window up to which all attention scores of a layer may stand in memory."
NARROW_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"The types that the attention kernel without padding computes in."


def apply(loaded: Loaded, windows: Mapping[Split, Windows], placement: Placement) -> None:
    """Change a model in place so that it trains faster; `restore` takes the changes back.

    The attention for CPUs is the fastest for windows of the usual length. As its memory grows with the square of the
    length, longer ones go through torch's fused kernel.
    """
    model = loaded.model
    if not _is_sharded():
        train_used_rows(model, np.union1d(windows["train"].token_ids, [loaded.tokenizer.pad_token_id]))
    longest = max(int(split.lengths.max()) for split in windows.values())
    if placement.device == "cuda":
        _leave_padding_out(model, longest, placement)
    if placement.device != "cpu":
        return
    use_cheap_dropout(model)
    use_narrow_norms(model)
    if longest > SHORT:
        keep_few_kernels()
    if longest <= LONGEST_WITH_ALL_SCORES and model._can_set_attn_implementation():
        cpu_attention.register()
        model.set_attn_implementation(cpu_attention.NAME)


def restore(model: Any) -> None:
    """Give a trained model its plain embedding table and torch's attention back, for predicting and saving.

    The attention for CPUs, the norms and the dropout stay: without gradients and autocast they compute what the plain
    ones compute, and none of them has weights of its own.
    """
    restore_table(model)
    if model.config._attn_implementation == unpadded_attention.NAME:
        # Its kernel has no fp32, in which final predictions are made.
        model.set_attn_implementation("sdpa")


def _leave_padding_out(model: Any, longest: int, placement: Placement) -> None:
    """Use attention without padding on a GPU where windows are long and the kernel can do what the model needs."""
    config = model.config
    dropout = max((float(getattr(config, name, 0.0)) for name in ATTENTION_DROPOUT), default=0.0)
    if longest <= LONGEST_WITH_ALL_SCORES or dropout or placement.precision not in NARROW_TYPES:
        return
    size = config.hidden_size // config.num_attention_heads
    if model._can_set_attn_implementation() and unpadded_attention.is_available(
        size, NARROW_TYPES[placement.precision]
    ):
        unpadded_attention.register()
        model.set_attn_implementation(unpadded_attention.NAME)


def _is_sharded() -> bool:
    """Tell whether FSDP is going to cut the model in its own way."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")
