"""Groups rows of similar length into steps, each row once, and shares the rows of a step among processes."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from tasks.errors import InputError
from tasks.task import Collate

POOL_BATCHES = 50
"Steps in a pool: the shuffled rows of this many steps are sorted by length together."

Array: TypeAlias = np.ndarray[Any, Any]


def epoch_steps(lengths: "Sequence[int] | Array", batch_size: int, seed: int, epoch: int) -> list[Array]:
    """Return the rows of each optimizer step of an epoch: rows of similar length together, longest first in a step.

    Rows are shuffled, pools of 50 steps are sorted by length and cut into steps, and the steps are shuffled; an
    incomplete step stays last. Each row occurs once. The result depends on the arguments alone, so neither the number
    of processes nor an interruption changes the steps.

    Args:
        lengths: tokens of each row.
        batch_size: rows of one optimizer step, over all processes and accumulated parts.
        seed: the seed of the run.
        epoch: number of the epoch, from 0.
    """
    generator = np.random.default_rng((seed, epoch))
    sizes = np.asarray(lengths)
    shuffled = generator.permutation(len(sizes))
    pools = [
        shuffled[first : first + POOL_BATCHES * batch_size]
        for first in range(0, len(shuffled), POOL_BATCHES * batch_size)
    ]
    by_length = np.concatenate([pool[np.argsort(-sizes[pool], kind="stable")] for pool in pools]) if pools else shuffled
    full = len(by_length) // batch_size * batch_size
    steps = by_length[:full].reshape(-1, batch_size)
    generator.shuffle(steps)
    rest = by_length[full:]
    return [*steps, rest] if len(rest) else list(steps)


def split_step(rows: Array, accumulation: int, processes: int) -> list[list[Array]]:
    """Share the rows of a step: for each of its accumulated passes, the rows of each process, as evenly as possible.

    Rows are dealt out in turn, so that the parts of a step sorted by length have similar lengths. An incomplete step
    takes fewer passes if a part would have no row otherwise.
    """
    count = max(min(accumulation, len(rows) // processes), 1)
    parts = [rows[part :: count * processes] for part in range(count * processes)]
    return [parts[first : first + processes] for first in range(0, len(parts), processes)]


class StepBatches(Sampler[list[int]]):  # type: ignore[misc]
    """Yields one process's rows of each forward pass of an epoch. The Trainer sets the epoch.

    Over all processes, each row occurs once per epoch. If the last step has fewer rows than there are processes, its
    rows join the step before.

    Args:
        lengths: tokens of each row.
        batch_size: rows of one optimizer step, over all processes and accumulated parts.
        seed: the seed of the run.
        accumulation: forward passes of a step.
        processes: number of processes.
        process: index of this process, from 0.

    Raises:
        InputError: there are fewer rows than processes.
    """

    def __init__(
        self,
        lengths: "Sequence[int] | Array",
        batch_size: int,
        seed: int,
        accumulation: int = 1,
        processes: int = 1,
        process: int = 0,
    ) -> None:
        if len(lengths) < processes:
            raise InputError(f"{len(lengths)} training windows can't be shared among {processes} processes")
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.accumulation = accumulation
        self.processes = processes
        self.process = process
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Use the steps of this epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        steps, rest = divmod(len(self.lengths), self.batch_size)
        alone = rest >= self.processes or steps == 0
        return steps * self.accumulation + (len(split_step(np.arange(rest), self.accumulation, self.processes)) * alone)

    def steps(self, epoch: int) -> list[Array]:
        """Return the rows of each optimizer step of an epoch, over all processes."""
        steps = epoch_steps(self.lengths, self.batch_size, self.seed, epoch)
        if len(steps) > 1 and len(steps[-1]) < self.processes:
            steps[-2:] = [np.concatenate(steps[-2:])]
        return steps

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps(self.epoch):
            for parts in split_step(step, self.accumulation, self.processes):
                yield parts[self.process].tolist()


class StepLoader(DataLoader[dict[str, Any]]):  # type: ignore[misc]
    """A data loader that passes the epoch on to its `StepBatches`."""

    def set_epoch(self, epoch: int) -> None:
        """Use the steps of this epoch from now on."""
        self.batch_sampler.set_epoch(epoch)


def consecutive_batches(
    lengths: "Sequence[int] | Array", batch_size: int, tokens_at_once: int | None
) -> Iterator[range]:
    """Yield ranges of neighbouring windows that go through a model together, each window once.

    Args:
        lengths: tokens of each window; sorted ones waste least on padding.
        batch_size: most windows in a batch.
        tokens_at_once: most tokens in a batch, padding included. A longer window is a batch by itself. None: no limit.

    >>> list(consecutive_batches([9, 8, 3, 3, 2], batch_size=3, tokens_at_once=16))
    [range(0, 1), range(1, 3), range(3, 5)]
    """
    first = longest = 0
    for position, length in enumerate(lengths):
        longest = max(longest, int(length))
        count = position - first + 1
        if position > first and (count > batch_size or (tokens_at_once and count * longest > tokens_at_once)):
            yield range(first, position)
            first, longest = position, int(length)
    if len(lengths):
        yield range(first, len(lengths))


def split_by_tokens(
    inputs: dict[str, Tensor], tokens_at_once: int | None, trim: bool = False
) -> Iterator[dict[str, Tensor]]:
    """Yield a batch in parts of whole rows, as few as a limit on tokens allows, for a machine with little memory.

    Args:
        inputs: tensors with the same first axis; `input_ids` [batch, length] among them.
        tokens_at_once: maximum tokens of a part, padding included. A longer row is a part by itself. None: no limit.
        trim: drop a part's last columns where all of its rows have padding, by their `attention_mask`.
    """
    rows, length = inputs["input_ids"].shape
    count = rows if tokens_at_once is None else max(tokens_at_once // length, 1)
    if count >= rows:
        yield inputs
        return
    per_token = [
        name
        for name, tensor in inputs.items()
        if tensor.shape == inputs["input_ids"].shape and not tensor.is_floating_point()
    ]
    for first in range(0, rows, count):
        part = {name: tensor[first : first + count] for name, tensor in inputs.items()}
        if trim:
            last = int(part["attention_mask"].any(0).nonzero().max()) + 1
            part |= {name: part[name][:, :last] for name in per_token}
        yield part


class PaddingCount:
    """Counts tokens and padding of the batches that a collator makes."""

    def __init__(self) -> None:
        self.tokens = 0
        self.places = 0

    def state(self) -> dict[str, Any]:
        """Return the counts that a resumed training goes on from, in the form of an `ExportableState`."""
        return {"args": {}, "attributes": {"tokens": self.tokens, "places": self.places}}

    @property
    def share(self) -> float:
        """The share of padding among all positions of the batches so far; 0 before the first batch."""
        return 1 - self.tokens / self.places if self.places else 0.0

    def counting(self, collate: Collate) -> Collate:
        """Return a collator that makes the same batches and counts them."""

        def counted(windows: list[dict[str, Any]]) -> dict[str, Any]:
            batch = collate(windows)
            self.tokens += sum(len(window["input_ids"]) for window in windows)
            self.places += batch["input_ids"].numel()
            return batch

        return counted
