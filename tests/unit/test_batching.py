"""The steps of an epoch take each row once, grouped by length, in any number of processes and after any resume."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments

from recipes.windows.batching import PaddingCount, StepBatches, StepLoader, epoch_steps, split_by_tokens, split_step
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
    # A step has the same rows for any number of processes: only their distribution differs.
    step = {row for batches in of_process for batch in batches[:accumulation] for row in batch}
    assert step >= set(epoch_steps(lengths, batch_size, 1, epoch)[0].tolist())
    # In each pass, the processes' numbers of rows differ by one at most.
    for parts in zip(*of_process, strict=True):
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1


class Numbers(Dataset[dict[str, Any]]):  # type: ignore[misc]
    """A data set whose window i is the number i."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"number": torch.tensor(index)}


class Recorder(Trainer):  # type: ignore[misc]
    """A real `Trainer` over our steps that notes the windows of each forward pass."""

    def __init__(self, lengths: list[int], **arguments: Any) -> None:
        self.lengths = lengths
        self.seen: list[tuple[int, list[int]]] = []
        super().__init__(model=Doubler(), train_dataset=Numbers(len(lengths)), args=TrainingArguments(**arguments))

    def get_train_dataloader(self) -> StepLoader:
        accumulation = self.args.gradient_accumulation_steps
        batches = StepBatches(self.lengths, 4 * accumulation, 1, accumulation)
        return StepLoader(self.train_dataset, batch_sampler=batches)

    def training_step(self, model: Any, inputs: dict[str, Any], *others: Any) -> torch.Tensor:
        self.seen.append((self.state.global_step, inputs["number"].tolist()))
        loss: torch.Tensor = super().training_step(model, inputs, *others)
        return loss


class Doubler(torch.nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))

    def forward(self, number: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": (self.factor * number.float()).mean()}


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_trainer_takes_every_row_once_after_a_resume_at_any_step(accumulation: int, tmp_path: Path) -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 27).tolist()
    arguments = {
        "output_dir": str(tmp_path),
        "gradient_accumulation_steps": accumulation,
        "num_train_epochs": 2,
        "save_strategy": "steps",
        "save_steps": 1,
        "use_cpu": True,
        "report_to": [],
        "disable_tqdm": True,
        "logging_strategy": "no",
    }
    whole = Recorder(lengths, **arguments)
    whole.train()
    per_epoch = len(whole.seen) // 2
    for epoch in range(2):
        rows = [row for _, rows in whole.seen[epoch * per_epoch : (epoch + 1) * per_epoch] for row in rows]
        assert sorted(rows) == list(range(len(lengths)))
    assert [rows for _, rows in whole.seen[:per_epoch]] != [rows for _, rows in whole.seen[per_epoch:]]
    steps = whole.state.max_steps
    for step in range(1, steps):
        resumed = Recorder(lengths, **arguments)
        resumed.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{step}"))
        assert resumed.seen == [(number, rows) for number, rows in whole.seen if number >= step], f"after step {step}"


def test_rows_fewer_than_processes_join_the_step_before() -> None:
    assert [[part.tolist() for part in parts] for parts in split_step(np.arange(5), 2, 2)] == [
        [[0, 4], [1]],
        [[2], [3]],
    ]
    batches = [list(StepBatches([9] * 13, 6, 1, processes=3, process=process)) for process in range(3)]
    assert [len(batch) for batch in batches[0]] == [2, 3]
    with pytest.raises(InputError, match="2 training windows can't be shared among 3 processes"):
        StepBatches([9, 9], 6, 1, processes=3)


def test_epochs_and_seeds_differ_and_the_loader_passes_them_on() -> None:
    lengths = list(range(1, 200))
    dataloader = StepLoader(Numbers(len(lengths)), batch_sampler=StepBatches(lengths, 4, seed=1))
    first = [batch["number"].tolist() for batch in dataloader]
    assert first == [step.tolist() for step in epoch_steps(lengths, 4, seed=1, epoch=0)]
    dataloader.set_epoch(1)
    second = [batch["number"].tolist() for batch in dataloader]
    assert first != second == [step.tolist() for step in epoch_steps(lengths, 4, seed=1, epoch=1)]
    assert first != [step.tolist() for step in epoch_steps(lengths, 4, seed=2, epoch=0)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 60), st.booleans())
def test_portions_are_whole_rows_within_the_limit(lengths: list[int], at_once: int, trim: bool) -> None:
    lengths = sorted(lengths, reverse=True)
    width = lengths[0]
    mask = torch.tensor([[1] * length + [0] * (width - length) for length in lengths])
    ids = torch.arange(1, mask.numel() + 1).view_as(mask) * mask
    labels = torch.arange(len(lengths))
    parts = list(split_by_tokens({"input_ids": ids, "attention_mask": mask, "labels": labels}, at_once, trim))
    assert torch.cat([part["labels"] for part in parts]).tolist() == labels.tolist()
    for part in parts:
        assert len(part["labels"]) == 1 or len(part["labels"]) * width <= at_once
        assert part["input_ids"].shape == part["attention_mask"].shape
        assert torch.equal(part["input_ids"][part["attention_mask"] == 1], ids[part["labels"]][ids[part["labels"]] > 0])
    # There are as few parts as whole rows allow. If there are several, each is cut to its longest row.
    assert len(parts) == -(-len(lengths) // max(at_once // width, 1))
    if trim and len(parts) > 1:
        assert all(part["attention_mask"][:, -1].any() for part in parts)


def test_several_labels_are_not_taken_for_tokens() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    batch = {"input_ids": mask, "attention_mask": mask, "labels": torch.ones(2, 3)}
    first, second = split_by_tokens(batch, 3, trim=True)
    assert first["labels"].shape == second["labels"].shape == (1, 3)
    assert second["input_ids"].shape == (1, 1)
    assert list(split_by_tokens(batch, None, trim=True)) == [batch]


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
