"""From rows to a Trainer: the steps that are the same in every recipe."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recipes.machine.devices import Placement
from recipes.machine.memory import keep_few_kernels
from recipes.model.layers import ATTENTION_DROPOUT
from recipes.model.loading import Loaded
from recipes.speed import cpu_attention as attention
from recipes.speed import unpadded_attention as unpadding
from recipes.speed.dropout import use_cheap_dropout
from recipes.speed.embedding_table import train_used_rows
from recipes.speed.norms import use_narrow_norms
from recipes.windows.columns import Windows

SHORT = 128
"Tokens in the longest window up to which lengths recur so often that compiled kernels are worth keeping."
MOST_TOKENS_FOR_PLAIN = 512
"Tokens in a window up to which all scores of a layer may stand in memory."
KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


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
