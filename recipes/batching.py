"""Which rows make a batch: rows of like length together, so that little is spent on padding."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

POOL_BATCHES = 50
"Batches' worth of shuffled rows that are sorted by length together."


def epoch_order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[int]:
    """Return the order of rows in an epoch, whose every `batch_size` rows are of like length.

    Rows are shuffled; pools of 50 batches are sorted by length and cut into batches; batches are shuffled, the one
    that is not full staying last. A pure function of its arguments: each row occurs once, and neither the number of
    processes nor an interruption changes the order.

    Args:
        lengths: tokens of each row.
        batch_size: rows of one optimizer step, over all processes and accumulated parts.
        seed: the seed of the run.
        epoch: number of the epoch, from 0.
    """
    generator = np.random.default_rng((seed, epoch))
    shuffled = generator.permutation(len(lengths))
    sizes = np.asarray(lengths)
    pools = [
        shuffled[first : first + POOL_BATCHES * batch_size]
        for first in range(0, len(shuffled), POOL_BATCHES * batch_size)
    ]
    by_length = np.concatenate([pool[np.argsort(-sizes[pool], kind="stable")] for pool in pools]) if pools else shuffled
    full = len(by_length) // batch_size * batch_size
    batches = by_length[:full].reshape(-1, batch_size)
    generator.shuffle(batches)
    return [*batches.reshape(-1).tolist(), *by_length[full:].tolist()]


class LengthGroupedSampler(Sampler[int]):  # type: ignore[misc]
    """Yields `epoch_order`; the Trainer tells it the epoch."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(epoch_order(self.lengths, self.batch_size, self.seed, self.epoch))
