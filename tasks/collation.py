"""Collation: turn encoded windows into the padded tensors of one batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


def model_inputs(
    windows: Sequence[dict[str, Any]], tokenizer: "PreTrainedTokenizerBase", pad_to: int | None
) -> "dict[str, Tensor]":
    """Return the model's inputs, int64 [batch, length] each, padded as the tokenizer defines.

    Windows of 3 and 2 tokens give input_ids [[101, 7592, 102], [101, 102, 0]] with a BERT tokenizer.

    Args:
        windows: encoded windows; columns that are not model inputs are left out.
        tokenizer: defines the names of the inputs, the padding values and the padding side.
        pad_to: length of the batch in tokens. None: the length of its longest window.
    """
    fill = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id, "attention_mask": 0}
    names = [name for name in tokenizer.model_input_names if name in windows[0]]
    return {name: padded([window[name] for window in windows], fill.get(name, 0), tokenizer, pad_to) for name in names}


def padded(
    sequences: Sequence[Sequence[int]], value: int, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None
) -> "Tensor":
    """Return sequences as int64 [batch, length], padded with `value` on the tokenizer's padding side."""
    import torch

    batch = np.full((len(sequences), pad_to or max(map(len, sequences))), value, dtype=np.int64)
    left = tokenizer.padding_side == "left"
    for row, sequence in zip(batch, sequences, strict=True):
        row[len(row) - len(sequence) if left else 0 :][: len(sequence)] = sequence
    return torch.from_numpy(batch)


def stacked(values: Sequence[Any]) -> "Tensor":
    """Stack one label, number or vector per window into a tensor: int64 for whole numbers, float32 for others."""
    import torch

    batch = np.array(values)
    return torch.from_numpy(batch.astype(np.int64 if batch.dtype.kind in "iu" else np.float32))
