"""An exponential moving average of the weights, which is evaluated and kept in place of the last ones.

Polyak and Juditsky 1992; Tarvainen and Valpola 2017, with whose warm-up the first steps weigh no more than later ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerState, TrainingArguments


class MovingAverage(TrainerCallback):  # type: ignore[misc]
    """Keeps the average of all trained weights over steps.

    Args:
        model: the model, with frozen weights marked as such.
        decay: how much of the average each step keeps.
    """

    def __init__(self, model: Any, decay: float) -> None:
        self._decay = decay
        self._weights: dict[str, Tensor] = {
            name: weight for name, weight in model.named_parameters() if weight.requires_grad
        }
        self.average: dict[str, Tensor] = {}

    def restore(self, average: Mapping[str, Tensor]) -> None:
        """Go on with the average of an earlier process."""
        self.average = {name: average[name].to(weight.device) for name, weight in self._weights.items()}

    def on_step_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Take the weights after a step into the average."""
        if not self.average:
            self.average = {name: weight.detach().clone() for name, weight in self._weights.items()}
            return
        keep = min(self._decay, (1 + state.global_step) / (10 + state.global_step))
        with torch.no_grad():
            for name, weight in self._weights.items():
                self.average[name].lerp_(weight, 1 - keep)

    def settle(self) -> None:
        """Give the model the average for good."""
        with torch.no_grad():
            for name, weight in self._weights.items():
                if name in self.average:
                    weight.copy_(self.average[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average for the time of the context."""
        if not self.average:
            yield
            return
        with torch.no_grad():
            before = {name: weight.detach().clone() for name, weight in self._weights.items()}
            for name, weight in self._weights.items():
                weight.copy_(self.average[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, weight in self._weights.items():
                    weight.copy_(before[name])
