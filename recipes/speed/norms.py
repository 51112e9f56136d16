"""Layer norms on a CPU whose outputs have the precision of the matrix products around them.

Under autocast, torch keeps norms in fp32, and with them the whole residual stream. Each product then first casts its
input to bf16, separately for queries, keys and values, and each residual sum reads twice the memory. Here the norms
inside the encoder's layers take and return bf16, and calculate in fp32 internally. In pre-norm models such as
ModernBERT, the residual stream keeps the embeddings' fp32, and only the norms' outputs are bf16, to which the products
would cast them anyway.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.model.layers import encoder_layers
from recipes.speed.module_replacement import replace_modules


class NarrowLayerNorm(nn.LayerNorm):  # type: ignore[misc]
    """`nn.LayerNorm` that takes and returns autocast's type under CPU autocast; its weights keep their own type."""

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalise `hidden` [..., width]."""
        if torch.is_autocast_enabled("cpu"):
            hidden = hidden.to(torch.get_autocast_dtype("cpu"))
        return functional.layer_norm(hidden, self.normalized_shape, self.weight, self.bias, self.eps)


def use_narrow_norms(model: Any) -> Callable[[], None]:
    """Replace the `nn.LayerNorm` inside a model's encoder layers in place, keeping their weights.

    Returns a function that takes them out again.
    """
    layers = nn.ModuleList(encoder_layers(model))
    return replace_modules(layers, lambda module: _narrow(module) if type(module) is nn.LayerNorm else None)


def _narrow(norm: nn.LayerNorm) -> NarrowLayerNorm:
    narrow = NarrowLayerNorm(norm.normalized_shape, norm.eps, norm.elementwise_affine, norm.bias is not None)
    narrow.weight, narrow.bias = norm.weight, norm.bias
    return narrow
