"""Dropout on a CPU at a fraction of its cost: the same distribution from a quarter of the random numbers."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recipes.speed.module_replacement import replace_modules

LEVELS = 1 << 16
"A mask entry is decided by 16 random bits, so a probability is exact to 1/65,536."


class SixteenBitDropout(nn.Module):  # type: ignore[misc]
    """`nn.Dropout` whose mask is drawn by `draw_dropout_mask`."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, hidden: Tensor) -> Tensor:
        """Return `hidden` of any shape with entries dropped and the others scaled up, or as it is when not training."""
        if not self.training or self.p == 0:
            return hidden
        kept = draw_dropout_mask(hidden.shape, self.p).add_(1).to(hidden.dtype)
        return hidden * kept.mul_(1 / (1 - self.p))

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"


def draw_dropout_mask(shape: Sequence[int], probability: float) -> Tensor:
    """Draw a dropout mask of a given shape: int16, -1 where an entry is dropped and 0 where it is kept.

    torch draws a whole random number for each entry on one core, which takes a tenth of a small model's step. Here four
    entries share the 64 bits of one draw: each is dropped with the given probability, rounded to the nearest 1/65,536,
    independently of the others. The bits come from SFC64, which is several times as fast as torch's Mersenne twister.
    torch's generator draws the seed of each call's own stream, so its state alone decides all masks.
    """
    size = math.prod(shape)
    seed = int(torch.randint((1 << 63) - 1, ()))
    draws = np.random.SFC64(seed).random_raw(-(-size // 4))
    bits = torch.from_numpy(draws).view(torch.int16)[:size].view(*shape)
    first_kept = round(probability * LEVELS) - LEVELS // 2
    # Clamping avoids comparisons: they give bool tensors, which are slow to calculate with.
    return bits.clamp_(first_kept - 1, first_kept).sub_(first_kept)


def use_fast_dropout(model: Any) -> Callable[[], None]:
    """Replace every `nn.Dropout` of a model in place. They hold no weights, so what is saved stays the same.

    Returns a function that takes them out again.
    """
    return replace_modules(model, lambda module: SixteenBitDropout(module.p) if type(module) is nn.Dropout else None)
