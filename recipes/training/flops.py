"""How many floating-point operations a training takes, counted by formula."""

from typing import Any

import numpy as np

from recipes.model.layers import encoder_layers

FORWARD_AND_BACKWARD = 3
"The backward pass computes two products for each one of the forward pass."


def training_flops(model: Any, lengths: "np.ndarray[Any, Any]") -> float:
    """Return the floating-point operations of one pass over windows, forward and backward, padding not counted.

    The result is 0 for a model whose layers are not found, such as one that runs a single layer many times.

    The formula counts two operations for each token and each weight of the encoder layers' linear maps, and four for
    each pair of tokens and each unit of width, for scores and weighted values (Kaplan et al. 2020, section 2.1); times
    three for both passes. It leaves out embeddings, norms, softmax, the head, and recomputed or repeated work. Layers
    with local attention are counted as if each token saw all others.

    Args:
        model: a transformers encoder with its head.
        lengths: tokens of each window, int [windows].
    """
    from torch import nn

    layers = encoder_layers(model)
    if not layers:
        return 0.0
    weights = sum(
        module.weight.numel() for layer in layers for module in layer.modules() if isinstance(module, nn.Linear)
    )
    sizes = lengths.astype(np.float64)
    products = 2 * weights * sizes.sum() + 4 * len(layers) * model.config.hidden_size * (sizes**2).sum()
    return float(FORWARD_AND_BACKWARD * products)
