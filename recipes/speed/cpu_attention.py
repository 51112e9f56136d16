"""Attention on a CPU: the plain formula, a few rows at a time, with its backward pass by hand.

transformers' plain attention adds a float mask of fp32 to scores of bf16, which makes them fp32 from there on, and
autograd keeps most steps on the way. torch's fused kernel pays for long texts only, and takes a slow path where there
is dropout. Here scores stay in their own type and are masked in place, a batch is computed in portions that stay in the
processor's cache, and the only large tensor kept for the backward pass are the weights. Without gradients nothing is
kept. Measured in docs/performance.md.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from recipes.speed.dropout import draw_dropped

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
    kind = value.dtype
    bias = None if attention_mask is None else _bias(attention_mask, kind)
    attended = _Attention.apply(query.to(kind), key.to(kind), value, bias, factor, probability)
    return attended.transpose(1, 2).contiguous(), None


class _Attention(torch.autograd.Function):  # type: ignore[misc]
    """softmax(factor Q Kᵀ) V, its gradient as in Dao et al. 2022, appendix B.4, over portions of the batch.

    Weights are never negative, so their sign is free to say which of them dropout took: one tensor is kept, not two.
    """

    @staticmethod
    def forward(
        context: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        factor: float,
        dropout: float,
    ) -> Tensor:
        attended = _like_layers(query)
        weights_of_portions = []
        for rows in _portions(query):
            scores = (query[rows] * factor) @ key[rows].transpose(2, 3)
            if bias is not None:
                scores.add_(bias[rows] if len(bias) > 1 else bias)
            weights = scores.softmax(-1)
            if dropout:
                weights.mul_(draw_dropped(weights.shape, dropout).bitwise_or_(1).to(weights.dtype))
                attended[rows] = (weights.clamp(min=0) @ value[rows]).mul_(1 / (1 - dropout))
            else:
                attended[rows] = weights @ value[rows]
            if any(context.needs_input_grad):
                weights_of_portions.append(weights)
        context.save_for_backward(query, key, value, attended, *weights_of_portions)
        context.factor, context.dropout = factor, dropout
        return attended

    @staticmethod
    def backward(context: Any, by_attended: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, attended, *weights_of_portions = context.saved_tensors
        by_query, by_key, by_value = _like_layers(query), _like_layers(key), _like_layers(value)
        for rows, weights in zip(_portions(query), weights_of_portions, strict=True):
            incoming = by_attended[rows]
            # What a row's weights share, as they always sum to one: [rows, heads, length, 1].
            shared = (incoming * attended[rows]).sum(-1, keepdim=True)
            if context.dropout:
                incoming = incoming * (1 / (1 - context.dropout))
                used = weights.clamp(min=0)
                by_value[rows] = used.transpose(2, 3) @ incoming
                by_scores = (incoming @ value[rows].transpose(2, 3)).mul_(used)
                by_scores.addcmul_(weights.abs(), shared, value=-1)
            else:
                by_value[rows] = weights.transpose(2, 3) @ incoming
                by_scores = (incoming @ value[rows].transpose(2, 3)).sub_(shared).mul_(weights)
            by_query[rows] = (by_scores @ key[rows]).mul_(context.factor)
            by_key[rows] = by_scores.transpose(2, 3) @ (query[rows] * context.factor)
        return by_query, by_key, by_value, None, None, None


def _bias(seen: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what to add to scores so that hidden keys weigh nothing, in the shape of the mask but no wider than it is.

    Finite, so that a query that sees nothing gets even weights and not NaN.
    """
    if seen.stride(2) == 0:
        seen = seen[:, :, :1]
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, torch.finfo(dtype).min)


def _portions(query: Tensor) -> Iterator[slice]:
    """Yield the slices of a batch whose scores are computed together."""
    rows, heads, length, _ = query.shape
    together = max(SCORES_AT_ONCE // (heads * length * length), 1)
    for first in range(0, rows, together):
        yield slice(first, min(first + together, rows))


def _like_layers(heads: Tensor) -> Tensor:
    """Return an empty tensor [batch, heads, length, size] that lies in memory as layers want it, token by token."""
    rows, count, length, size = heads.shape
    return heads.new_empty(rows, length, count, size).transpose(1, 2)
