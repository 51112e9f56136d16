"""Re-initialising the top of an encoder, whose last layers are made for predicting words (Zhang et al. 2021)."""

from typing import Any

import torch
from torch import nn

from recipes.model.layers import encoder_layers
from tasks.errors import InputError

USUAL_DEVIATION = 0.02
"Of initial weights, where a model's config names none."
NORMS = ("LayerNorm", "RMSNorm")
"How the class names of norms end."


def reinitialise_top(model: Any, layers: int) -> list[nn.Module]:
    """Draw the weights of the pooler and of the top layers anew, as those of a model that was never trained.

    Set the seed before the call.

    Args:
        model: a model with pretrained weights.
        layers: how many layers; 0 changes nothing.

    Returns:
        The parts that are new.

    Raises:
        InputError: the model has fewer layers.
    """
    if not layers:
        return []
    found = encoder_layers(model)
    if layers > len(found):
        raise InputError(f"hparams.reinit_layers={layers}: the model has {len(found)} layers")
    pooler = getattr(model.base_model, "pooler", None)
    deviation = float(getattr(model.config, "initializer_range", USUAL_DEVIATION))
    parts = [*found[-layers:], *([] if pooler is None else [pooler])]
    for part in parts:
        for module in part.modules():
            _draw(module, deviation)
    return parts


def _draw(module: Any, deviation: float) -> None:
    with torch.no_grad():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(0.0, deviation)
        elif type(module).__name__.endswith(NORMS):
            module.weight.fill_(1.0)
        else:
            return
        if getattr(module, "bias", None) is not None:
            module.bias.zero_()
