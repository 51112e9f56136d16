"""Learning rates that differ within a model.

Layer-wise decay: each layer learns more slowly than the one above, as in ELECTRA (Clark et al. 2020), which Zhang et
al. 2021 ("Revisiting Few-sample BERT Fine-tuning") find to help on few rows. The head, which begins at random, may
learn faster than all.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from recipes.config.schema import Hparams
from recipes.levers.depth import depths, head_names


def differ(hparams: Hparams) -> bool:
    """Tell whether weights have learning rates of their own."""
    return hparams.layer_decay < 1 or hparams.head_learning_rate is not None


def parameter_groups(model: Any, decayed: Collection[str], hparams: Hparams) -> list[dict[str, Any]]:
    """Return groups of parameters for an optimizer, each with its learning rate and weight decay; the highest first.

    Args:
        model: the model, with frozen weights marked as such.
        decayed: the names of the parameters that weight decay applies to.
        hparams: what was chosen.
    """
    rates = _rates(model, hparams)
    groups: dict[tuple[float, float], list[Any]] = defaultdict(list)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            decay = hparams.weight_decay if name in decayed else 0.0
            groups[rates[name], decay].append(weight)
    ordered = sorted(groups.items(), key=lambda item: (-item[0][0], -item[0][1]))
    return [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in ordered]


def _rates(model: Any, hparams: Hparams) -> dict[str, float]:
    head = head_names(model)
    of_head = hparams.learning_rate if hparams.head_learning_rate is None else hparams.head_learning_rate
    if hparams.layer_decay == 1:
        return {name: of_head if name in head else hparams.learning_rate for name, _ in model.named_parameters()}
    depth = depths(model)
    top = max(depth.values())
    return {
        name: of_head if name in head else hparams.learning_rate * hparams.layer_decay ** (top - place)
        for name, place in depth.items()
    }
