"""Two other ways to train, for comparison: `hparams=stock` and `hparams=plain`.

Stock is what the example scripts of transformers do by default (run_glue.py, run_ner.py and run_qa.py of transformers
5): rows in random order; every text padded to the full length, sentences of NER to the longest of their batch; fp32;
the model's own attention with its dropout; evaluation in batches of 8 in the rows' order, with the logits of all rows
kept; texts that are longer than a window cut off, whatever `task.long_texts` says; question answering decoded in
Python, window by window. Learning rate, schedule and batch size are in conf/hparams/stock.yaml.

Plain is a `Trainer` that an expert has tuned by its public arguments alone: bf16 where the processor computes it,
padding to the longest row of a batch, batches of like length, no attention dropout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler

from recipes.heads.recipe import Join, Kept, Recipe
from recipes.training.trainer import RecipeTrainer
from recipes.windows.columns import Windows
from tasks.classification import Classification
from tasks.columns import CANDIDATES, IGNORED_LABEL, NULL, PASSAGE
from tasks.loading.rows import AnyRows
from tasks.long_texts import TRUNCATE
from tasks.qa import Qa
from tasks.task import AnyTask, Outputs

Array: TypeAlias = "np.ndarray[Any, Any]"

BEST_POSITIONS = 20
"run_qa.py looks for the best span among this many starts and this many ends."


class StockTrainer(RecipeTrainer):
    """A `RecipeTrainer` with batches as transformers makes them by default."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Take rows in random order, as transformers does by default; padding is counted here too."""
        collate = self.data_collator
        self.data_collator = self.padding.counting(collate)
        try:
            return Trainer.get_train_dataloader(self)
        finally:
            self.data_collator = collate


class PlainTrainer(RecipeTrainer):
    """A `RecipeTrainer` whose batches are those of `train_sampling_strategy="group_by_length"`.

    The argument itself is not used: it would also reorder the rows of evaluations (transformers 5.23).
    """

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Take rows of like length together, as transformers groups them; padding is counted here too."""
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        generator = torch.Generator().manual_seed(self.args.seed)
        sampler = LengthGroupedSampler(size, lengths=self.train_dataset.lengths.tolist(), generator=generator)
        loader = DataLoader(
            self.train_dataset,
            batch_size=self.args.train_batch_size,
            sampler=sampler,
            collate_fn=self.padding.counting(self.data_collator),
            pin_memory=self.args.dataloader_pin_memory,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared


@dataclass(frozen=True)
class ExampleScript:
    """What differs among the three example scripts."""

    pads_to_full_length: bool
    join: Callable[[AnyTask, Recipe], Join]
    "Maps the task and our recipe to the function that reduces the logits of all rows."


def stock_recipe(recipe: Recipe, task: AnyTask) -> Recipe:
    """Return a recipe that keeps the logits of all rows, and reduces them only at the end of an evaluation."""
    return replace(recipe, reduce=keep_logits, join=EXAMPLE_SCRIPTS[task.name].join(task, recipe))


def stock_rows(rows: AnyRows) -> AnyRows:
    """Return the rows with a task that reads them as its script does: run_glue.py cuts long texts off."""
    task = rows.task
    return replace(rows, task=replace(task, long_texts=TRUNCATE)) if isinstance(task, Classification) else rows


def padded_length(task: AnyTask, length: int) -> int | None:
    """Return how many tokens the task's script pads every batch to. None: to the longest window of each batch."""
    return length if EXAMPLE_SCRIPTS[task.name].pads_to_full_length else None


def keep_logits(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep all logits."""
    del batch
    return {name: tensor.float() for name, tensor in outputs.items() if name.endswith("logits")}


def _reduced_at_once(task: AnyTask, recipe: Recipe) -> Join:
    del task

    def join(kept: Kept, windows: Windows) -> Outputs:
        del windows
        logits = {name: torch.from_numpy(array) for name, array in _concatenated(kept).items()}
        return {name: tensor.numpy() for name, tensor in recipe.reduce(logits, {}).items()}

    return join


def _join_spans(task: AnyTask, recipe: Recipe) -> Join:
    del recipe
    assert isinstance(task, Qa)
    most_tokens = task.max_answer_tokens
    return lambda kept, windows: spans_pair_by_pair(_concatenated(kept), windows, most_tokens)


EXAMPLE_SCRIPTS = {
    "classification": ExampleScript(pads_to_full_length=True, join=_reduced_at_once),
    "ner": ExampleScript(pads_to_full_length=False, join=_reduced_at_once),
    "qa": ExampleScript(pads_to_full_length=True, join=_join_spans),
}


def spans_pair_by_pair(logits: Mapping[str, Array], windows: Windows, most_tokens: int) -> Outputs:
    """Find each window's best span among its 20 best starts and 20 best ends, pair by pair.

    Args:
        logits: `start_logits` and `end_logits`, both [windows, length].
        windows: the windows, with `candidates`.
        most_tokens: tokens in the longest answer allowed.
    """
    found: dict[str, list[float]] = {name: [] for name in ("span_score", "start", "end", "null_score", "probability")}
    for window, candidates in enumerate(windows.columns[CANDIDATES]):
        start, end = logits["start_logits"][window], logits["end_logits"][window]
        null = int(np.flatnonzero(candidates == NULL)[0])
        spans = []
        for first in np.argsort(start)[-1 : -BEST_POSITIONS - 1 : -1].tolist():
            for last in np.argsort(end)[-1 : -BEST_POSITIONS - 1 : -1].tolist():
                if first >= len(candidates) or last >= len(candidates):
                    continue
                if candidates[first] != PASSAGE or candidates[last] != PASSAGE:
                    continue
                if last < first or last - first + 1 > most_tokens:
                    continue
                spans.append({"start": first, "end": last, "score": start[first] + end[last]})
        passage = np.flatnonzero(candidates == PASSAGE)
        nothing = {"start": passage[0], "end": passage[0], "score": start[passage[0]] + end[passage[0]]}
        best = max(spans, key=lambda span: span["score"], default=nothing)
        scores = np.exp(np.array([span["score"] for span in [best, *spans]]) - best["score"])
        found["span_score"].append(float(best["score"]))
        found["start"].append(int(best["start"]))
        found["end"].append(int(best["end"]))
        found["null_score"].append(float(start[null] + end[null]))
        found["probability"].append(float(1 / scores[1:].sum()) if spans else 0.0)
    return {name: np.array(values) for name, values in found.items()}


def _concatenated(kept: Kept) -> dict[str, Array]:
    """Return the logits of all batches, padded to the widest one, as transformers joins batches of unequal length."""
    width = max(batch[name].shape[1] for batch in kept for name in batch)
    return {name: np.concatenate([_widened(batch[name], width) for batch in kept]) for name in kept[0]}


def _widened(batch: Array, width: int) -> Array:
    missing = [(0, 0), (0, width - batch.shape[1]), *[(0, 0)] * (batch.ndim - 2)]
    return np.pad(batch, missing, constant_values=IGNORED_LABEL)
