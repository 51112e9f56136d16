"""Put faster parts into a model before training, and take out before saving what must not be saved.

Training gives the same result except for rounding, the random numbers of dropout, and the weight decay of unused
embeddings (`recipes.speed.embedding_table`).
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
from recipes.speed.dropout import use_fast_dropout
from recipes.speed.embedding_table import restore_table, train_used_rows
from recipes.speed.norms import use_narrow_norms
from recipes.windows.columns import Windows
from tasks.data.options import Split

KEEP_KERNELS_UP_TO = 128
"If the longest window has at most this many tokens, lengths recur often enough to keep all compiled kernels."
FULL_SCORES_UP_TO = 512
"If the longest window has at most this many tokens, all attention scores of a layer may be held in memory."
UNPADDED_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"The types that the unpadded attention kernel supports, by precision."


def apply(loaded: Loaded, windows: Mapping[Split, Windows], placement: Placement) -> None:
    """Change a model in place so that it trains faster; `restore` prepares it for saving.

    Our CPU attention is the fastest for windows of usual length. Its memory grows with the square of the length, so
    longer windows use torch's fused kernel.
    """
    model = loaded.model
    if not _is_sharded():
        train_used_rows(model, np.union1d(windows["train"].token_ids, [loaded.tokenizer.pad_token_id]))
    longest = max(int(split.lengths.max()) for split in windows.values())
    if placement.device == "cuda":
        _leave_padding_out(model, longest, placement)
    if placement.device != "cpu":
        return
    use_fast_dropout(model)
    use_narrow_norms(model)
    if longest > KEEP_KERNELS_UP_TO:
        keep_few_kernels()
    if longest <= FULL_SCORES_UP_TO and model._can_set_attn_implementation():
        cpu_attention.register()
        model.set_attn_implementation(cpu_attention.NAME)


def restore(model: Any) -> None:
    """Give a trained model its plain embedding table and torch's attention back, for predicting and saving.

    Our CPU attention, norms and dropout stay: without gradients and autocast they compute the same as the plain ones,
    and they add no weights.
    """
    restore_table(model)
    if model.config._attn_implementation == unpadded_attention.NAME:
        # Final predictions are made in fp32, which its kernel does not support.
        model.set_attn_implementation("sdpa")


def _leave_padding_out(model: Any, longest: int, placement: Placement) -> None:
    """Use unpadded attention on a GPU if windows are long and the kernel supports the model."""
    config = model.config
    dropout = max((float(getattr(config, name, 0.0)) for name in ATTENTION_DROPOUT), default=0.0)
    if longest <= FULL_SCORES_UP_TO or dropout or placement.precision not in UNPADDED_DTYPES:
        return
    size = config.hidden_size // config.num_attention_heads
    if model._can_set_attn_implementation() and unpadded_attention.is_available(
        size, UNPADDED_DTYPES[placement.precision]
    ):
        unpadded_attention.register()
        model.set_attn_implementation(unpadded_attention.NAME)


def _is_sharded() -> bool:
    """Tell whether FSDP will shard the model."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")
