"""Attention on a GPU without padding: the real tokens of a batch form one row, and each text sees only itself.

With a padding mask, torch's fused attention can't use its flash kernel, and computes padding like text. torch's kernel
for texts of unequal length takes their bounds instead of a mask. It has no dropout, so only models without attention
dropout can use it. It is meant for long texts: ModernBERT reads 8,192 tokens.

Tests compare the code around the kernel with transformers' padded attention, with a plain loop in the kernel's place.
On a GPU, each run compares both before it trains (`recipes.speed.proof`).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "recipes_unpadded"
"The name of this implementation in transformers' registry."


@dataclass(frozen=True)
class Layout:
    """Where the real tokens of a batch [rows, length] are."""

    places: Tensor
    "Their places in the flattened batch, int64 [tokens]."
    bounds: Tensor
    "Text i has the tokens from bounds[i] to bounds[i + 1], int32 [rows + 1]."


def register() -> None:
    """Make the implementation known to transformers, for `model.set_attn_implementation(NAME)`."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, layout)


def layout(batch_size: int, q_length: int, *_: Any, attention_mask: Tensor | None = None, **named: Any) -> Layout:
    """Return the layout that replaces a mask. transformers calls this once per forward pass and layer type."""
    if attention_mask is None:
        attention_mask = torch.ones(batch_size, q_length, dtype=torch.bool, device=named.get("device"))
    sizes = attention_mask.sum(1, dtype=torch.int32)
    bounds = torch.nn.functional.pad(sizes.cumsum(0, dtype=torch.int32), (1, 0))
    return Layout(attention_mask.flatten().nonzero().flatten(), bounds)


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Layout,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' attention functions do; padding gets zeros.

    Args:
        module: the attention layer; unused.
        query: [batch, heads, length, size]; so are `key` and `value`.
        key: see above.
        value: see above.
        attention_mask: what `layout` returned.
        scaling: factor of the scores. None: 1 / sqrt(size).
        sliding_window: tokens that a token sees to each side, itself counted. None: all.

    Returns:
        The attended values [batch, length, heads, size], and None for the weights.
    """
    del module
    rows, heads, length, size = query.shape
    queries, keys, values = (
        part.to(value.dtype).transpose(1, 2).reshape(rows * length, heads, size)[attention_mask.places]
        for part in (query, key, value)
    )
    side = -1 if sliding_window is None else sliding_window - 1
    attended = kernel(queries, keys, values, attention_mask.bounds, length, scaling, side)
    padded = attended.new_zeros(rows * length, heads, size).index_copy(0, attention_mask.places, attended)
    return padded.view(rows, length, heads, size), None


def kernel(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, scaling: float | None, side: int
) -> Tensor:
    """Attend within each of several concatenated texts: query, key, value [tokens, heads, size], bf16 or fp16 only."""
    from torch.nn.attention.varlen import varlen_attn

    attended: Tensor = varlen_attn(
        query, key, value, bounds, bounds, longest, longest, scale=scaling, window_size=(side, side)
    )
    return attended


def is_available(size: int, dtype: torch.dtype) -> bool:
    """Tell whether this GPU has the kernel for heads of this size, by trying a sliding window and a backward pass."""
    try:
        text = torch.randn(8, 1, size, device="cuda", dtype=dtype, requires_grad=True)
        bounds = torch.tensor([0, 8], device="cuda", dtype=torch.int32)
        kernel(text, text, text, bounds, 8, None, 2).sum().backward()
    except (ImportError, AttributeError, RuntimeError, TypeError):  # an older torch: no windows
        return False
    return True
