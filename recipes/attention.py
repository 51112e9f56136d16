"""Attention on a CPU: the plain formula with its backward pass by hand, so that little is copied and kept.

transformers' plain attention adds a float mask of fp32 to scores of bf16, which makes them fp32 from there on, and
autograd keeps most steps on the way. torch's fused kernel pays for long texts only, and takes a slow path where there
is dropout. Here scores stay in their own type, are masked in place, and the only large tensors kept for the backward
pass are the probabilities and, where there is dropout, a mask of single bytes. Measured in docs/performance.md.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from recipes.dropout import draw_kept

NAME = "recipes_cpu"
"What this implementation is called in transformers' register."


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
    """softmax(factor Q Kᵀ) V, its gradient as in Dao et al. 2022, appendix B.4, without the tiles."""

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
        scaled = query * factor
        scores = scaled @ key.transpose(2, 3)
        if seen is not None:
            # Finite, so that a query that sees nothing gets even weights and not NaN.
            scores.masked_fill_(~seen, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)
        kept = draw_kept(weights, dropout) if dropout else None
        context.save_for_backward(scaled, key, value, weights, kept)
        context.factor, context.share_kept = factor, 1 - dropout
        if kept is not None:
            weights = weights.mul(kept).div_(1 - dropout)
        return weights @ value

    @staticmethod
    def backward(context: Any, attended: Tensor) -> tuple[Tensor | None, ...]:
        scaled, key, value, weights, kept = context.saved_tensors
        by_weights = attended @ value.transpose(2, 3)
        used = weights
        if kept is not None:
            by_weights.mul_(kept).div_(context.share_kept)
            used = weights.mul(kept).div_(context.share_kept)
        by_value = used.transpose(2, 3) @ attended
        by_scores = torch._softmax_backward_data(by_weights, weights, -1, weights.dtype)
        by_query = (by_scores @ key).mul_(context.factor)
        by_key = by_scores.transpose(2, 3) @ scaled
        return by_query, by_key, by_value, None, None, None
