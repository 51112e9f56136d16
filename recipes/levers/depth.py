"""How deep in a model each of its weights is."""

from typing import Any

from recipes.model.layers import encoder_layers
from tasks.errors import InputError


def depths(model: Any) -> dict[str, int]:
    """Return the depth of each named parameter: 0 for embeddings, then 1 for the lowest layer, and so on.

    What comes after the top layer, such as a pooler, has the depth after it, and so has the head.

    Raises:
        InputError: no layers are found in a model of this type.
    """
    layers = encoder_layers(model)
    if not layers:
        raise InputError(f"no layers were found in a model of the type {model.config.model_type}")
    of_weight = {id(weight): number for number, layer in enumerate(layers, 1) for weight in layer.parameters()}
    above = len(layers) + 1
    for name, weight in model.base_model.named_parameters():
        # Some have a projection beside their embeddings, or embeddings of relative positions beside their layers.
        of_weight.setdefault(id(weight), 0 if "embedding" in name else above)
    return {name: of_weight.get(id(weight), above) for name, weight in model.named_parameters()}


def head_names(model: Any) -> set[str]:
    """Return the names of the parameters that are no part of the encoder."""
    inside = {id(weight) for weight in model.base_model.parameters()}
    return {name for name, weight in model.named_parameters() if id(weight) not in inside}
