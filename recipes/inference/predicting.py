"""From encoded rows to predictions: a model, a recipe's reduction, and the task's decoding. No Trainer takes part.

Every process of a run calls these functions alike; each gets all results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor

from recipes.heads.recipe import Kept, Recipe
from recipes.machine import out_of_memory
from recipes.system.console import say
from recipes.windows.batching import portions
from recipes.windows.columns import Windows
from tasks.columns import FOR_LOSS
from tasks.task import AnyTask, Collate, Head, Outputs, Prediction, Row


@dataclass(frozen=True)
class Predictor:
    """Everything but the rows: a model that is ready to predict, and how its outputs become predictions."""

    model: Any
    "In the precision to predict with, and on its device."
    task: AnyTask
    head: Head
    recipe: Recipe
    collate: Collate
    batch_size: int
    "Windows in a batch."
    tokens_at_once: int | None
    "Tokens with padding that go through the model at once. None: whole batches."
    processes: int = 1
    process: int = 0

    def predict_rows(self, rows: Sequence[Row], windows: Windows) -> list[Prediction]:
        """Return a prediction for each row, in order; nothing calibrated is applied yet.

        Args:
            rows: the rows, as the task read them.
            windows: the windows of these very rows, in any order.
        """
        return self.task.decode(rows, windows.columns, self.predict_windows(windows), self.head)

    def predict_windows(self, windows: Windows) -> Outputs:
        """Return what the task's `decode` needs of the outputs of every window."""
        batches = [
            range(first, min(first + self.batch_size, len(windows)))
            for first in range(0, len(windows), self.batch_size)
        ]
        tokens_at_once = self.tokens_at_once
        kept: list[tuple[int, dict[str, Tensor]]] = []
        self.model.eval()
        for first in range(0, len(batches), self.processes):
            # Every process computes a batch in each round, since the parts of a sharded model wait for each other.
            number = min(first + self.process, len(batches) - 1)
            inputs = self.collate([windows[window] for window in batches[number]])
            inputs = {name: tensor.to(self.model.device) for name, tensor in inputs.items()}
            reduced, tokens_at_once = self._reduced(inputs, tokens_at_once)
            kept.append((number, reduced))
        return self.recipe.join(self._of_all_processes(kept), windows)

    def _reduced(self, inputs: dict[str, Tensor], tokens_at_once: int | None) -> tuple[dict[str, Tensor], int | None]:
        """Return what the recipe keeps of a batch, and the tokens at once that there was memory for."""
        while True:
            try:
                with torch.no_grad():
                    parts = [
                        self.recipe.reduce(forward(self.model, part), part) for part in portions(inputs, tokens_at_once)
                    ]
                return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, tokens_at_once
            except (RuntimeError, MemoryError) as error:
                tokens_at_once = fewer_tokens_at_once(inputs, tokens_at_once, error)

    def _of_all_processes(self, kept: list[tuple[int, dict[str, Tensor]]]) -> Kept:
        """Return what all processes kept, as arrays, in the order of the batches, each batch once."""
        here = [(batch, {name: tensor.cpu().numpy() for name, tensor in reduced.items()}) for batch, reduced in kept]
        everywhere = here if self.processes == 1 else gather_object(here)
        by_batch = dict(everywhere)
        return [by_batch[batch] for batch in sorted(by_batch)]


def forward(model: Any, batch: Mapping[str, Tensor]) -> Any:
    """Return a model's outputs for a batch, without the columns that only losses and reductions read."""
    return model(**{name: tensor for name, tensor in batch.items() if name not in FOR_LOSS})


def fewer_tokens_at_once(inputs: Mapping[str, Tensor], tokens_at_once: int | None, error: Exception) -> int:
    """Return half of the tokens that went through the model at once, where an error means that memory ran out.

    Args:
        inputs: the batch that memory ran out for; `input_ids` [rows, length] among its tensors.
        tokens_at_once: the limit so far. None: whole batches.
        error: what the attempt raised. Any error but running out of memory is raised again.

    Raises:
        InputError: a single row is too much already.
    """
    if not out_of_memory.is_out_of_memory(error):
        raise error
    rows, length = inputs["input_ids"].shape
    fewer = out_of_memory.fewer_tokens(rows, length, tokens_at_once)
    say(f"  out of memory: {fewer} tokens at once from now on; what makes a step stays the same")
    out_of_memory.release()
    return fewer
