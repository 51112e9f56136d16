"""How the example scripts of transformers train and evaluate by default, kept as the yardstick (`hparams=stock`).

Read from run_glue.py, run_ner.py and run_qa.py of transformers 5: rows in random order; every text padded to the full
length, sentences of NER to the longest of their batch; fp32; the model's own attention with its dropout; evaluation in
batches of 8 in the rows' order, with the logits of all rows kept; question answering decoded in Python, window by
window. Learning rate, schedule and batch size stand in conf/hparams/stock.yaml.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import Trainer

from recipes.training.trainer import RecipeTrainer
from recipes.windows.columns import Windows
from tasks.qa import Qa
from tasks.task import Outputs, Task

PADDED_TO_FULL_LENGTH = ("classification", "qa")
BEST_POSITIONS = 20


def padded_length(task: Task, length: int) -> int | None:
    """Return the tokens that the task's script pads every batch to; None: to the longest window of each."""
    return length if task.name in PADDED_TO_FULL_LENGTH else None


class StockTrainer(RecipeTrainer):
    """A `RecipeTrainer` without what makes it fast."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Take rows in random order, as transformers does by default; padding is counted here too."""
        collate = self.data_collator
        self.data_collator = self.padding.counting(collate)
        try:
            return Trainer.get_train_dataloader(self)
        finally:
            self.data_collator = collate

    def keep(self, outputs: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keep all logits."""
        del inputs
        return {name: tensor.float() for name, tensor in outputs.items() if name.endswith("logits")}

    def outputs(self, kept: list[dict[str, Any]], features: Windows) -> Outputs:
        """Reduce the logits of all rows when they are all there."""
        width = max(batch[name].shape[1] for batch in kept for name in batch)
        logits = {name: np.concatenate([_widened(batch[name], width) for batch in kept]) for name in kept[0]}
        if isinstance(self.task, Qa):
            return plain_spans(logits, features, self.task.max_answer_tokens)
        reduced = self.reduce({name: torch.from_numpy(array) for name, array in logits.items()}, {})
        return {name: tensor.numpy() for name, tensor in reduced.items()}


def plain_spans(logits: Mapping[str, "np.ndarray[Any, Any]"], features: Windows, most_tokens: int) -> Outputs:
    """Find each window's best span among its 20 best starts and 20 best ends, pair by pair.

    Args:
        logits: `start_logits` and `end_logits`, both [windows, length].
        features: the windows, with `candidates`.
        most_tokens: the longest answer.
    """
    found: dict[str, list[float]] = {name: [] for name in ("span_score", "start", "end", "null_score", "probability")}
    for window, candidates in enumerate(features.columns["candidates"]):
        start, end = logits["start_logits"][window], logits["end_logits"][window]
        null = int(np.flatnonzero(candidates == 2)[0])
        spans = []
        for first in np.argsort(start)[-1 : -BEST_POSITIONS - 1 : -1].tolist():
            for last in np.argsort(end)[-1 : -BEST_POSITIONS - 1 : -1].tolist():
                if first >= len(candidates) or last >= len(candidates):
                    continue
                if candidates[first] != 1 or candidates[last] != 1:
                    continue
                if last < first or last - first + 1 > most_tokens:
                    continue
                spans.append({"start": first, "end": last, "score": start[first] + end[last]})
        passage = np.flatnonzero(candidates == 1)
        nothing = {"start": passage[0], "end": passage[0], "score": start[passage[0]] + end[passage[0]]}
        best = max(spans, key=lambda span: span["score"], default=nothing)
        scores = np.exp(np.array([span["score"] for span in [best, *spans]]) - best["score"])
        found["span_score"].append(float(best["score"]))
        found["start"].append(int(best["start"]))
        found["end"].append(int(best["end"]))
        found["null_score"].append(float(start[null] + end[null]))
        found["probability"].append(float(1 / scores[1:].sum()) if spans else 0.0)
    return {name: np.array(values) for name, values in found.items()}


def _widened(batch: "np.ndarray[Any, Any]", width: int) -> "np.ndarray[Any, Any]":
    """Pad the second axis, as transformers does when it joins batches of unequal length."""
    missing = [(0, 0), (0, width - batch.shape[1]), *[(0, 0)] * (batch.ndim - 2)]
    return np.pad(batch, missing, constant_values=-100)
