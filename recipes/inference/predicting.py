"""From encoded rows to predictions, without a Trainer: a model, the reduction of its outputs, and the task's decoding.

All processes of a run make the same calls, and each gets all results.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor

from recipes.heads.recipe import Join, Kept, Reduce, join_batches
from recipes.machine import out_of_memory
from recipes.machine.memory import release_freed_memory
from recipes.system.console import say
from recipes.windows.batching import consecutive_batches, split_by_tokens
from recipes.windows.columns import Windows
from tasks.columns import FOR_LOSS
from tasks.task import AnyTask, Collate, Head, Outputs, Prediction, Row

BATCHES_BETWEEN_RELEASES = 50
"""The small results that are kept lie between the large tensors that are freed, so that malloc finds no room for the
next ones, and takes 3 MB more with each batch: 8 GB for a text of 10 million characters."""


@dataclass(frozen=True)
class Predictor:
    """A model that is ready to predict, with everything that turns its outputs into predictions."""

    model: Any
    "In fp32, and on its device."
    task: AnyTask
    head: Head
    reduce: Reduce
    collate: Collate
    batch_size: int
    "Most windows in a batch."
    tokens_at_once: int | None
    "Most tokens in one forward pass, padding included. None: whole batches."
    join: Join = join_batches
    precision: torch.dtype = torch.float32
    "The type of an autocast region to compute in, if it is another."
    processes: int = 1
    process: int = 0

    def predict_rows(self, rows: Sequence[Row], windows: Windows) -> list[Prediction]:
        """Return a prediction for each row, in order, before any calibration.

        Args:
            rows: the rows, as the task read them.
            windows: the windows of these very rows, in any order.
        """
        return self.task.decode(rows, windows.columns, self.predict_windows(windows), self.head)

    def predict_windows(self, windows: Windows) -> Outputs:
        """Run the model on all windows, and return the outputs that the task's `decode` needs."""
        batches = list(consecutive_batches(windows.lengths, self.batch_size, self.tokens_at_once))
        tokens_at_once = self.tokens_at_once
        kept: list[tuple[int, dict[str, Tensor]]] = []
        self.model.eval()
        for number in batches_of_process(len(batches), self.processes, self.process):
            inputs = self.collate([windows[window] for window in batches[number]])
            inputs = {name: tensor.to(self.model.device) for name, tensor in inputs.items()}
            reduced, tokens_at_once = self._reduced(inputs, tokens_at_once)
            kept.append((number, reduced))
            if len(kept) % BATCHES_BETWEEN_RELEASES == 0:
                release_freed_memory()
        return self.join(self._of_all_processes(kept), windows)

    def _reduced(self, inputs: dict[str, Tensor], tokens_at_once: int | None) -> tuple[dict[str, Tensor], int | None]:
        """Return what is kept of a batch, and the limit of tokens at once that fitted into memory."""
        while True:
            try:
                with torch.no_grad(), autocast(self.model, self.precision):
                    parts = [
                        self.reduce(forward(self.model, part), part) for part in split_by_tokens(inputs, tokens_at_once)
                    ]
                return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, tokens_at_once
            except (RuntimeError, MemoryError) as error:
                tokens_at_once = fewer_tokens_at_once(inputs, tokens_at_once, error)

    def _of_all_processes(self, kept: list[tuple[int, dict[str, Tensor]]]) -> Kept:
        """Gather what all processes kept, as arrays, in the order of the batches, each batch once."""
        here = [(batch, {name: tensor.cpu().numpy() for name, tensor in reduced.items()}) for batch, reduced in kept]
        everywhere = here if self.processes == 1 else gather_object(here)
        by_batch = dict(everywhere)
        return [by_batch[batch] for batch in sorted(by_batch)]


def batches_of_process(count: int, processes: int, process: int) -> list[int]:
    """Return which batches a process computes: as many as any other, since sharded models wait for each other.

    >>> [batches_of_process(5, processes=2, process=process) for process in (0, 1)]
    [[0, 2, 4], [1, 3, 4]]
    """
    return [min(first + process, count - 1) for first in range(0, count, processes)]


def autocast(model: Any, precision: torch.dtype) -> AbstractContextManager[Any]:
    """Return a context in which a model computes in a lower precision, with its weights in fp32."""
    if precision == torch.float32:
        return nullcontext()
    lower: AbstractContextManager[Any] = torch.autocast(model.device.type, dtype=precision)
    return lower


def forward(model: Any, batch: Mapping[str, Tensor]) -> Any:
    """Return a model's outputs for a batch, without the columns that only losses and reductions read."""
    return model(**{name: tensor for name, tensor in batch.items() if name not in FOR_LOSS})


def fewer_tokens_at_once(inputs: Mapping[str, Tensor], tokens_at_once: int | None, error: Exception) -> int:
    """Return half of the tokens that went through the model at once, if an error means that memory ran out.

    Args:
        inputs: the batch that memory ran out for; `input_ids` [rows, length] among its tensors.
        tokens_at_once: the limit so far. None: whole batches.
        error: the error of the attempt. It is raised again if it has another cause than memory.

    Raises:
        InputError: a single row is too much already.
    """
    if not out_of_memory.is_out_of_memory(error):
        raise error
    rows, length = inputs["input_ids"].shape
    fewer = out_of_memory.fewer_tokens(rows, length, tokens_at_once)
    say(f"  out of memory: {fewer} tokens at once from now on; what is computed stays the same")
    out_of_memory.release()
    return fewer
