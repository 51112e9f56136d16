"""Decay towards the pretrained weights instead of towards 0 (Li et al. 2018, L2-SP; Lee et al. 2020 compare it).

It is decoupled, as AdamW's decay: each step moves the weights of the encoder by `learning rate x pull` of the way
back. New weights have nothing to go back to, and keep the plain decay.
"""

from typing import Any

import torch
from transformers import TrainerCallback


class PretrainedPull(TrainerCallback):  # type: ignore[misc]
    """Pulls the encoder's weights back after each step.

    Args:
        model: the model as it was loaded, before any step.
        new: the names of the weights that did not come from the pretrained model.
        pull: the strength.
    """

    def __init__(self, model: Any, new: frozenset[str], pull: float) -> None:
        self._pull = pull
        self._pairs = [
            (weight, weight.detach().clone())
            for name, weight in model.named_parameters()
            if weight.requires_grad and name not in new
        ]

    def on_optimizer_step(self, *_: Any, **kwargs: Any) -> None:
        """Move the weights; the optimizer still has the learning rate of this step."""
        rates = {id(weight): group["lr"] for group in kwargs["optimizer"].param_groups for weight in group["params"]}
        with torch.no_grad():
            for weight, before in self._pairs:
                before = before.to(weight.device)
                weight.lerp_(before, min(self._pull * float(rates[id(weight)]), 1.0))
