"""From encoded windows to the padded tensors of one batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


def model_inputs(
    windows: Sequence[dict[str, Any]], tokenizer: "PreTrainedTokenizerBase", pad_to: int | None
) -> "dict[str, Tensor]":
    """Return what the model is fed with, int64 [batch, length] each, padded with the tokenizer's padding on its side.

    Windows of 3 and 2 tokens give input_ids [[101, 7592, 102], [101, 102, 0]] with a BERT tokenizer.

    Args:
        windows: encoded windows; their other columns are left out.
        tokenizer: it names the inputs, their padding and its side.
        pad_to: tokens to pad to. None: to the longest window.
    """
    fill = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id, "attention_mask": 0}
    names = [name for name in tokenizer.model_input_names if name in windows[0]]
    return {name: padded([window[name] for window in windows], fill.get(name, 0), tokenizer, pad_to) for name in names}


def padded(
    sequences: Sequence[Sequence[int]], value: int, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None
) -> "Tensor":
    """Return sequences of unequal length as int64 [batch, length], filled up with a value on the tokenizer's side."""
    import torch

    batch = np.full((len(sequences), pad_to or max(map(len, sequences))), value, dtype=np.int64)
    left = tokenizer.padding_side == "left"
    for row, sequence in zip(batch, sequences, strict=True):
        row[len(row) - len(sequence) if left else 0 :][: len(sequence)] = sequence
    return torch.from_numpy(batch)


def stacked(values: Sequence[Any]) -> "Tensor":
    """Return one label, number or vector a window as a tensor: whole numbers int64, others float32."""
    import torch

    batch = np.array(values)
    return torch.from_numpy(batch.astype(np.int64 if batch.dtype.kind in "iu" else np.float32))
