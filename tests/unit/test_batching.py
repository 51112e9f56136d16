"""The order of rows: each once, like lengths together, the same for the same seed and epoch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recipes.batching import LengthGroupedSampler, epoch_order


@given(st.lists(st.integers(1, 400), max_size=300), st.integers(1, 40), st.integers(0, 5), st.integers(0, 5))
def test_every_row_once_and_the_same_again(lengths: list[int], batch_size: int, seed: int, epoch: int) -> None:
    order = epoch_order(lengths, batch_size, seed, epoch)
    assert sorted(order) == list(range(len(lengths)))
    assert order == epoch_order(lengths, batch_size, seed, epoch)


def test_epochs_and_seeds_differ_and_the_sampler_follows_them() -> None:
    lengths = list(range(1, 200))
    sampler = LengthGroupedSampler(lengths, 8, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert first != list(sampler) == epoch_order(lengths, 8, 1, 1)
    assert first != epoch_order(lengths, 8, 2, 0)


def test_padding_is_small() -> None:
    lengths = np.random.default_rng(0).integers(5, 100, 2000)

    def padding(order: list[int]) -> float:
        batches = [lengths[order[i : i + 16]] for i in range(0, len(order), 16)]
        return 1 - lengths.sum() / sum(len(batch) * batch.max() for batch in batches)

    assert padding(list(range(2000))) > 0.4
    assert padding(epoch_order(lengths.tolist(), 16, 1, 0)) < 0.03
