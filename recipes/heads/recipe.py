"""A recipe: everything in training that differs by task, as one value. `recipes.heads.registry` has one per task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from recipes.windows.columns import Windows
from tasks.task import Outputs

Loss: TypeAlias = Callable[[Any, Mapping[str, Tensor]], Tensor]
"Maps a model's outputs and a batch to the sum of the losses of the batch's items."

Divergence: TypeAlias = Callable[[Any, Any, Mapping[str, Tensor]], Tensor]
"Maps the outputs of two passes, and their batch, to their divergence, summed over the items that the loss counts."

Reduce: TypeAlias = Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]
"Maps a model's outputs and a batch to the named tensors that `Task.decode` reads, first axis [batch]."

Kept: TypeAlias = list[dict[str, Any]]
"What `Reduce` returned for each batch of an evaluation, as arrays."

Join: TypeAlias = Callable[[Kept, Windows], Outputs]
"Maps the kept arrays of all batches, and the windows, to the outputs that `Task.decode` reads."


def join_batches(kept: Kept, windows: Windows) -> Outputs:
    """Join the kept arrays of all batches.

    Where batches differ in length, values per token become a list with one array per window.
    """
    del windows
    return {name: _joined([batch[name] for batch in kept]) for name in kept[0]}


def _joined(batches: list["np.ndarray[Any, Any]"]) -> "Sequence[Any] | np.ndarray[Any, Any]":
    if all(batch.shape[1:] == batches[0].shape[1:] for batch in batches):
        return np.concatenate(batches)
    return [window for batch in batches for window in batch]


def keep_drawn_head(model: Any) -> None:
    """Change nothing: the head keeps the random weights that transformers gave it."""
    del model


def as_logits(logits: Tensor) -> Mapping[str, Tensor]:
    """Return what an output layer gives as outputs of a model: logits [..., outputs]."""
    return {"logits": logits}


@dataclass(frozen=True)
class Recipe:
    """How a head is trained, and what is kept of its outputs in an evaluation."""

    loss: Loss
    divergence: Divergence
    "For R-Drop."
    reduce: Reduce
    "Keeps labels, spans or a few numbers for each text, so that a large evaluation set does not pile up logits."
    join: Join = join_batches
    outputs: Callable[[Tensor], Mapping[str, Tensor]] = as_logits
    "Turns what the output layer gives into the named outputs that the loss reads."
    initialise: Callable[[Any], None] = keep_drawn_head
    "Changes the new head of a model in place, before training."
