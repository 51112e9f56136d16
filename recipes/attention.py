"""Attention on a CPU: the plain formula, a few rows at a time, with its backward pass by hand.

transformers' plain attention adds a float mask of fp32 to scores of bf16, which makes them fp32 from there on, and
autograd keeps most steps on the way. torch's fused kernel pays for long texts only, and takes a slow path where there
is dropout. Here scores stay in their own type and are masked in place, a batch is computed in portions that stay in the
processor's cache, and the only large tensors kept for the backward pass are the probabilities and, where there is
dropout, a mask of single bytes. Without gradients nothing is kept. Measured in docs/performance.md.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from recipes.dropout import draw_kept

NAME = "recipes_cpu"
"What this implementation is called in transformers' register."

SCORES_AT_ONCE = 1 << 20
"Entries of the score matrices of a portion: two megabytes in bf16, about what a core's cache holds."


def register() -> None:
    """Make the implementation known to transformers, for `model.set_attn_implementation(NAME)`."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' attention functions do.

    Args:
        module: the attention layer; unused but for whether it is in training.
        query: [batch, heads, length, size]; so are `key` and `value`.
        key: see above.
        value: see above.
        attention_mask: true where a key may be seen, broadcastable to [batch, heads, length, length]; None: everywhere.
        scaling: factor of the scores. None: 1 / sqrt(size).
        dropout: probability with which a weight is dropped in training.

    Returns:
        The attended values [batch, length, heads, size], and None for the weights.
    """
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    probability = dropout if module.training else 0.0
    attended = _Attention.apply(query.to(value.dtype), key.to(value.dtype), value, attention_mask, factor, probability)
    return attended.transpose(1, 2).contiguous(), None


class _Attention(torch.autograd.Function):  # type: ignore[misc]
    """softmax(factor Q Kᵀ) V, its gradient as in Dao et al. 2022, appendix B.2, over portions of the batch."""

    @staticmethod
    def forward(
        context: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        seen: Tensor | None,
        factor: float,
        dropout: float,
    ) -> Tensor:
        attended = _like_layers(query)
        weights_of_portions, kept_of_portions = [], []
        for rows in _portions(query):
            scores = (query[rows] * factor) @ key[rows].transpose(2, 3)
            if seen is not None:
                # Finite, so that a query that sees nothing gets even weights and not NaN.
                scores.masked_fill_(~_rows_of(seen, rows), torch.finfo(scores.dtype).min)
            weights = scores.softmax(-1)
            kept = draw_kept(weights, dropout) if dropout else None
            attended[rows] = _dropped(weights, kept, dropout) @ value[rows]
            if any(context.needs_input_grad):
                weights_of_portions.append(weights)
                kept_of_portions.append(kept)
        context.save_for_backward(query, key, value, *weights_of_portions, *kept_of_portions)
        context.factor, context.dropout = factor, dropout
        return attended

    @staticmethod
    def backward(context: Any, by_attended: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *saved = context.saved_tensors
        by_query, by_key, by_value = _like_layers(query), _like_layers(key), _like_layers(value)
        half = len(saved) // 2
        for rows, weights, kept in zip(_portions(query), saved[:half], saved[half:], strict=True):
            by_weights = _dropped(by_attended[rows] @ value[rows].transpose(2, 3), kept, context.dropout)
            by_value[rows] = _dropped(weights, kept, context.dropout).transpose(2, 3) @ by_attended[rows]
            by_scores = torch._softmax_backward_data(by_weights, weights, -1, weights.dtype)
            by_query[rows] = (by_scores @ key[rows]).mul_(context.factor)
            by_key[rows] = by_scores.transpose(2, 3) @ (query[rows] * context.factor)
        return by_query, by_key, by_value, None, None, None


def _portions(query: Tensor) -> Iterator[slice]:
    """Yield the slices of a batch whose scores are computed together."""
    rows, heads, length, _ = query.shape
    together = max(SCORES_AT_ONCE // (heads * length * length), 1)
    for first in range(0, rows, together):
        yield slice(first, min(first + together, rows))


def _rows_of(seen: Tensor, rows: slice) -> Tensor:
    return seen[rows] if seen.shape[0] > 1 else seen


def _dropped(weights: Tensor, kept: Tensor | None, dropout: float) -> Tensor:
    return weights if kept is None else weights.mul(kept).div_(1 - dropout)


def _like_layers(heads: Tensor) -> Tensor:
    """Return an empty tensor [batch, heads, length, size] that lies in memory as layers want it, token by token."""
    rows, count, length, size = heads.shape
    return heads.new_empty(rows, length, count, size).transpose(1, 2)
