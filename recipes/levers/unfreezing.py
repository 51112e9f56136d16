"""Gradual unfreezing: training begins with the head alone, and takes in one layer after the other from the top.

Howard and Ruder 2018 (ULMFiT, section 3.3), who unfreeze a layer an epoch; here the layers share a part of all steps.
"""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from recipes.levers.depth import depths


class GradualUnfreezing(TrainerCallback):  # type: ignore[misc]
    """Freezes what is too deep for a step, and unfreezes it later. What is trained depends on the step alone.

    Args:
        model: the model; what is frozen for good stays so.
        share: of all steps, after which everything is trained.
    """

    def __init__(self, model: Any, share: float) -> None:
        self._share = share
        places = depths(model)
        self._weights = [(weight, places[name]) for name, weight in model.named_parameters() if weight.requires_grad]
        self._top = max(place for _, place in self._weights)

    def on_step_begin(self, _: TrainingArguments, state: TrainerState, __: TrainerControl, **___: Any) -> None:
        """Set which weights this step trains."""
        steps = self._share * state.max_steps
        lowest = self._top - int(self._top * state.global_step / steps) if steps else 0
        for weight, place in self._weights:
            weight.requires_grad_(place >= lowest)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Leave nothing frozen."""
        for weight, _place in self._weights:
            weight.requires_grad_(True)
