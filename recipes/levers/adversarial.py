"""Adversarial training of embeddings: the fast gradient method of Miyato et al. 2017.

After the gradient of a batch is known, the embedding table is moved by a step of fixed length along its own gradient,
which raises the loss most; the gradient of the batch there is added, and the table is moved back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from recipes.model.layers import embedding_table
from tasks.errors import InputError


@contextmanager
def moved_embeddings(model: Any, length: float) -> Iterator[bool]:
    """Move a model's embedding table along its gradient for the time of the context.

    Args:
        model: a model whose gradients of a batch are there.
        length: of the move, as a norm over the whole table.

    Yields:
        Whether it was moved: not if there is no gradient, as with a loss that is all 0, or while the table is frozen.

    Raises:
        InputError: the model has no such table.
    """
    table: Any = embedding_table(model)
    if table is None:
        raise InputError("hparams.adversarial needs an embedding table, and this model has none")
    weight = table.weight
    frozen = weight.grad is None or not weight.requires_grad
    norm = None if frozen else weight.grad.float().norm()
    if norm is None or not bool(norm.isfinite()) or float(norm) == 0:
        yield False
        return
    before = weight.detach().clone()
    with torch.no_grad():
        weight.add_(weight.grad * (length / norm).to(weight.grad.dtype))
    try:
        yield True
    finally:
        with torch.no_grad():
            weight.copy_(before)
