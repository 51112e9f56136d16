"""Attention on a CPU: the plain formula, a few rows at a time, with a hand-written backward pass.

transformers' plain attention adds an fp32 mask to bf16 scores, which turns them into fp32 from there on, and autograd
keeps most intermediate results. torch's fused kernel is faster for long texts only, and takes a slow path with dropout.
Here scores keep their type and are masked in place, a batch is computed in portions that fit into the processor's
cache, and the attention weights are the only large tensor kept for the backward pass. Without gradients nothing is
kept. Measured in docs/performance.md.

Causal and sliding masks and keys that several heads share are computed as transformers does. A model that asks for
something else, such as a bias by relative position, gets other numbers; `recipes.speed.proof` finds that out.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from recipes.speed.dropout import draw_dropout_mask

NAME = "recipes_cpu"
"The name of this implementation in transformers' registry."

SCORES_AT_ONCE = 1 << 20
"Entries in the score matrices of one portion: two megabytes in bf16, about the size of a core's cache."


def register() -> None:
    """Make the implementation known to transformers, for `model.set_attn_implementation(NAME)`."""
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, mask)


def mask(*arguments: Any, allow_is_causal_skip: bool = True, **named: Any) -> Tensor | None:
    """Return the mask of torch's attention, or None where every token sees all others.

    For torch's own kernel, transformers leaves a causal mask out if a batch has no padding, and has the kernel make it.
    Here it is always made, so that None has one meaning.
    """
    del allow_is_causal_skip
    made: Tensor | None = sdpa_mask(*arguments, allow_is_causal_skip=False, **named)
    return made


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
        module: the attention layer; only its training mode is read.
        query: [batch, heads, length, size].
        key: [batch, heads, length, size], or with fewer heads, each of which serves several neighbouring query heads.
        value: like `key`.
        attention_mask: true where a key may be seen, broadcastable to [batch, heads, length, length]; None: everywhere.
        scaling: factor of the scores. None: 1 / sqrt(size).
        dropout: probability with which a weight is dropped in training.

    Returns:
        The attended values [batch, length, heads, size], and None for the weights.
    """
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    probability = dropout if module.training else 0.0
    dtype = value.dtype
    heads = query.shape[1]
    key, value = _for_each_head(key, heads), _for_each_head(value, heads)
    bias = None if attention_mask is None else _additive_mask(attention_mask, dtype)
    attended = _Attention.apply(query.to(dtype), key.to(dtype), value, bias, factor, probability)
    return attended.transpose(1, 2).contiguous(), None


class _Attention(torch.autograd.Function):  # type: ignore[misc]
    """Compute softmax(factor Q Kᵀ) V in portions of the batch, with the gradient of Dao et al. 2022, appendix B.4.

    Attention weights are never negative, so a negative sign can mark those that dropout removed: one kept tensor
    holds both the weights and the mask.
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
        attended = _empty_token_major(query)
        weights_of_portions = []
        for rows in _portions(query):
            scores = (query[rows] * factor) @ key[rows].transpose(2, 3)
            if bias is not None:
                scores.add_(bias[rows] if len(bias) > 1 else bias)
            weights = scores.softmax(-1)
            if dropout:
                weights.mul_(draw_dropout_mask(weights.shape, dropout).bitwise_or_(1).to(weights.dtype))
                attended[rows] = (weights.clamp(min=0) @ value[rows]).mul_(1 / (1 - dropout))
            else:
                attended[rows] = weights @ value[rows]
            if any(context.needs_input_grad):
                weights_of_portions.append(weights)
        context.save_for_backward(query, key, value, attended, *weights_of_portions)
        context.factor, context.dropout = factor, dropout
        return attended

    @staticmethod
    def backward(context: Any, grad_attended: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, attended, *weights_of_portions = context.saved_tensors
        grad_query, grad_key, grad_value = _empty_token_major(query), _empty_token_major(key), _empty_token_major(value)
        for rows, weights in zip(_portions(query), weights_of_portions, strict=True):
            incoming = grad_attended[rows]
            # As a query's weights sum to one, softmax's gradient subtracts this from each: [rows, heads, length, 1].
            shared = (incoming * attended[rows]).sum(-1, keepdim=True)
            if context.dropout:
                incoming = incoming * (1 / (1 - context.dropout))
                used = weights.clamp(min=0)
                grad_value[rows] = used.transpose(2, 3) @ incoming
                grad_scores = (incoming @ value[rows].transpose(2, 3)).mul_(used)
                grad_scores.addcmul_(weights.abs(), shared, value=-1)
            else:
                grad_value[rows] = weights.transpose(2, 3) @ incoming
                grad_scores = (incoming @ value[rows].transpose(2, 3)).sub_(shared).mul_(weights)
            grad_query[rows] = (grad_scores @ key[rows]).mul_(context.factor)
            grad_key[rows] = grad_scores.transpose(2, 3) @ (query[rows] * context.factor)
        return grad_query, grad_key, grad_value, None, None, None


def _for_each_head(shared: Tensor, heads: int) -> Tensor:
    """Repeat keys or values [batch, fewer heads, length, size] so that each of `heads` query heads has its own."""
    return shared if shared.shape[1] == heads else shared.repeat_interleave(heads // shared.shape[1], dim=1)


def _additive_mask(seen: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the mask to add to scores: 0 where a key may be seen, the type's lowest finite number elsewhere.

    It is finite so that a query that sees no key gets equal weights, not NaN. If all queries see the same keys, its
    query axis has length 1.
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


def _empty_token_major(heads: Tensor) -> Tensor:
    """Return an empty tensor [batch, heads, length, size] in the memory order that layers need: token by token."""
    rows, count, length, size = heads.shape
    return heads.new_empty(rows, length, count, size).transpose(1, 2)
