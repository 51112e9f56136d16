"""A head for whole texts that reads the mean of all tokens, in a model that any program loads as it is.

transformers' heads read the first token. Encoders that were trained to embed texts (sentence-transformers) say most in
the mean of all tokens, and little in the first: on few rows, a head on the first token begins with next to nothing.
ModernBERT can be told to pool the mean. For BERT and its relatives, one more layer is put on top, whose attention is
the same for all tokens: it adds the mean to each token, the first one included, and weighs it so that it outweighs what
was there. The layer is trained like the others; its queries and keys begin at 0, and so do both matrices of its
feed-forward part.
"""

import copy
from typing import Any

import torch
from torch import nn

from recipes.model.layers import encoder_layers
from tasks.errors import InputError
from tasks.task import Head

WEIGHT_OF_MEAN = 20.0
"What the mean is multiplied by before the token's own state is added and both are normed."
SLOPE_OF_POOLER = 0.3
"Of the identity that BERT's pooler becomes: small, so that its tanh is nearly a line where most values are."
WHOLE_TEXT_HEAD = "AutoModelForSequenceClassification"
"The only head with one result for a whole text."
KINDS = ("bert", "roberta", "xlm-roberta", "electra", "camembert")
"Types of models whose layers have the names of BERT's."
TANH_IN_HEAD = ("roberta", "xlm-roberta", "camembert")
"Types of models whose head has the layer that BERT's pooler is, with its tanh."
HAS_MEAN_LAYER = "has_mean_layer"
"The key by which the config of a model that was trained so tells of the layer, so that it gets no second one."
BY_CONFIG = "classifier_pooling"
"The key by which a config can say that the mean is read."


def can_pool_mean(config: Any) -> bool:
    """Tell whether a model with this config can have a head that reads the mean of all tokens."""
    return hasattr(config, BY_CONFIG) or config.model_type in KINDS


def pool_mean(model: Any, head: Head) -> list[nn.Module]:
    """Make the head of a model for whole texts read the mean of all tokens, in place.

    Call it before training, on a model whose layers are as they were pretrained.

    Returns:
        The parts that are new.

    Raises:
        InputError: models of this type can't be changed in this way, or the head is for tokens.
    """
    config = model.config
    if head.auto_class != WHOLE_TEXT_HEAD:
        raise InputError("hparams.pooling=mean: for classification, where one result is read from a whole text")
    if getattr(config, HAS_MEAN_LAYER, False):
        return []
    if hasattr(config, BY_CONFIG):
        setattr(config, BY_CONFIG, "mean")
        return []
    if not can_pool_mean(config):
        raise InputError(
            f"hparams.pooling=mean: not for models of the type {config.model_type}, but for {', '.join(KINDS)} and "
            f"those whose config has {BY_CONFIG}"
        )
    layers = encoder_layers(model)
    read = _layer_of_head(model)
    with torch.no_grad():
        layer = _mean_layer(layers[-1], config.hidden_size)
        _list_of(model, layers).append(layer)
        if read is not None:
            _be_identity(read, SLOPE_OF_POOLER)
    config.num_hidden_layers += 1
    setattr(config, HAS_MEAN_LAYER, True)
    return [layer, *([] if read is None else [read])]


def _layer_of_head(model: Any) -> Any | None:
    """Return the layer whose tanh comes before the output layer: that of BERT's pooler, or of RoBERTa's head."""
    pooler = getattr(model.base_model, "pooler", None)
    if pooler is not None:
        return pooler.dense
    return model.classifier.dense if model.config.model_type in TANH_IN_HEAD else None


def _list_of(model: Any, layers: Any) -> nn.ModuleList:
    return next(
        module
        for module in model.base_model.modules()
        if isinstance(module, nn.ModuleList) and len(module) and module[0] is layers[0]
    )


def _mean_layer(pattern: Any, width: int) -> Any:
    """Return a layer that adds the mean of all tokens to each."""
    layer = copy.deepcopy(pattern)
    attention = layer.attention.self
    for part in (attention.query, attention.key, layer.intermediate.dense, layer.output.dense):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.bias)
    _be_identity(attention.value, WEIGHT_OF_MEAN)
    _be_identity(layer.attention.output.dense, 1.0)
    for norm in (layer.attention.output.LayerNorm, layer.output.LayerNorm):
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
    assert attention.value.weight.shape == (width, width)
    return layer


def _be_identity(linear: Any, factor: float) -> None:
    nn.init.eye_(linear.weight)
    linear.weight.mul_(factor)
    nn.init.zeros_(linear.bias)
