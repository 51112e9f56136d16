"""The steps of an epoch: each row once, like lengths together, for any number of processes and after any resume."""

from typing import Any

import numpy as np
import pytest
import torch
from accelerate import skip_first_batches
from hypothesis import given
from hypothesis import strategies as st

from recipes.windows.batching import PaddingCount, StepBatches, StepLoader, epoch_steps, passes, portions
from tasks.errors import InputError

LENGTHS = st.lists(st.integers(1, 400), min_size=3, max_size=200)


@given(st.lists(st.integers(1, 400), max_size=300), st.integers(1, 40), st.integers(0, 5), st.integers(0, 5))
def test_every_row_once_and_the_same_again(lengths: list[int], batch_size: int, seed: int, epoch: int) -> None:
    steps = epoch_steps(lengths, batch_size, seed, epoch)
    assert sorted(row for step in steps for row in step) == list(range(len(lengths)))
    assert [len(step) for step in steps[:-1]] == [batch_size] * (len(steps) - 1)
    again = epoch_steps(lengths, batch_size, seed, epoch)
    assert [step.tolist() for step in steps] == [step.tolist() for step in again]


@given(LENGTHS, st.integers(1, 12), st.integers(1, 3), st.sampled_from([1, 2, 3]), st.integers(0, 3))
def test_every_row_once_over_all_processes(
    lengths: list[int], share: int, accumulation: int, processes: int, epoch: int
) -> None:
    batch_size = share * accumulation * processes
    of_process = []
    for process in range(processes):
        batches = StepBatches(lengths, batch_size, 1, accumulation, processes, process)
        batches.set_epoch(epoch)
        of_process.append(list(batches))
        assert len(of_process[-1]) == len(batches)
        assert all(of_process[-1])
    rows = [row for batches in of_process for batch in batches for row in batch]
    assert sorted(rows) == list(range(len(lengths)))
    # The same rows make a step whatever the processes: only who computes which of them differs.
    step = {row for batches in of_process for batch in batches[:accumulation] for row in batch}
    assert step >= set(epoch_steps(lengths, batch_size, 1, epoch)[0].tolist())
    # Balanced: at no pass does one process have two rows more than another.
    for parts in zip(*of_process, strict=True):
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1


class Numbers:
    """A data set whose window i is i."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        return index


def loader(lengths: list[int], processes: int, process: int, accumulation: int) -> StepLoader:
    batches = StepBatches(lengths, 4 * processes * accumulation, 1, accumulation, processes, process)
    return StepLoader(Numbers(len(lengths)), batch_sampler=batches, collate_fn=lambda rows: rows)  # type: ignore[arg-type, return-value]


def as_the_trainer_resumes(dataloader: StepLoader, epoch: int, trained: int) -> list[Any]:
    """Skip and set the epoch in the order in which `Trainer._run_epoch` does."""
    resumed: Any = skip_first_batches(dataloader, trained) if trained else dataloader
    if hasattr(resumed, "set_epoch"):
        resumed.set_epoch(epoch)
    underlying = getattr(getattr(resumed, "batch_sampler", None), "batch_sampler", None)
    if hasattr(underlying, "set_epoch"):
        underlying.set_epoch(epoch)
    return list(resumed)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_every_row_once_after_a_resume_at_any_step(processes: int, epoch: int, accumulation: int) -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 53).tolist()
    whole = [as_the_trainer_resumes(loader(lengths, processes, p, accumulation), epoch, 0) for p in range(processes)]
    for trained in range(0, len(whole[0]), accumulation):
        rows = []
        for process in range(processes):
            rest = as_the_trainer_resumes(loader(lengths, processes, process, accumulation), epoch, trained)
            assert rest == whole[process][trained:]
            rows += [row for batch in [*whole[process][:trained], *rest] for row in batch]
        assert sorted(rows) == list(range(len(lengths)))


def test_rows_fewer_than_processes_join_the_step_before() -> None:
    assert [[part.tolist() for part in parts] for parts in passes(np.arange(5), 2, 2)] == [[[0, 4], [1]], [[2], [3]]]
    batches = [list(StepBatches([9] * 13, 6, 1, processes=3, process=process)) for process in range(3)]
    assert [len(batch) for batch in batches[0]] == [2, 3]
    with pytest.raises(InputError, match="2 training windows can't be shared among 3 processes"):
        StepBatches([9, 9], 6, 1, processes=3)


def test_epochs_and_seeds_differ_and_the_loader_passes_them_on() -> None:
    lengths = list(range(1, 200))
    dataloader = loader(lengths, 1, 0, 1)
    first = list(dataloader)
    dataloader.set_epoch(1)
    assert first != list(dataloader) == [step.tolist() for step in epoch_steps(lengths, 4, 1, 1)]
    assert first != [step.tolist() for step in epoch_steps(lengths, 4, 2, 0)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 60), st.booleans())
def test_portions_are_whole_rows_within_the_limit(lengths: list[int], at_once: int, trim: bool) -> None:
    lengths = sorted(lengths, reverse=True)
    width = lengths[0]
    mask = torch.tensor([[1] * length + [0] * (width - length) for length in lengths])
    ids = torch.arange(1, mask.numel() + 1).view_as(mask) * mask
    labels = torch.arange(len(lengths))
    parts = list(portions({"input_ids": ids, "attention_mask": mask, "labels": labels}, at_once, trim))
    assert torch.cat([part["labels"] for part in parts]).tolist() == labels.tolist()
    for part in parts:
        assert len(part["labels"]) == 1 or len(part["labels"]) * width <= at_once
        assert part["input_ids"].shape == part["attention_mask"].shape
        assert torch.equal(part["input_ids"][part["attention_mask"] == 1], ids[part["labels"]][ids[part["labels"]] > 0])
    # As few parts as whole rows allow, and none wider than its longest row once there are several.
    assert len(parts) == -(-len(lengths) // max(at_once // width, 1))
    if trim and len(parts) > 1:
        assert all(part["attention_mask"][:, -1].any() for part in parts)


def test_several_labels_are_not_taken_for_tokens() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    batch = {"input_ids": mask, "attention_mask": mask, "labels": torch.ones(2, 3)}
    first, second = portions(batch, 3, trim=True)
    assert first["labels"].shape == second["labels"].shape == (1, 3)
    assert second["input_ids"].shape == (1, 1)
    assert list(portions(batch, None, trim=True)) == [batch]


def test_padding_is_small_and_counted() -> None:
    lengths = np.random.default_rng(0).integers(5, 100, 2000)

    def padding(steps: list[Any]) -> float:
        return float(1 - lengths.sum() / sum(len(step) * lengths[step].max() for step in steps))

    assert padding([np.arange(first, first + 16) for first in range(0, 2000, 16)]) > 0.4
    assert padding(epoch_steps(lengths, 16, 1, 0)) < 0.03

    count = PaddingCount()
    assert count.share == 0
    collate = count.counting(lambda windows: {"input_ids": torch.zeros(len(windows), 5)})
    collate([{"input_ids": [1] * 5}, {"input_ids": [1] * 2}])
    assert count.share == pytest.approx(0.3)
