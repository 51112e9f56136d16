"""From the logits of windows to the probabilities of rows."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"


def means_of_rows(values: Array, rows: "Sequence[int] | Array", count: int) -> Array:
    """Return the mean over each row's windows, float64 [rows, ...].

    Args:
        values: what a model computed for each window, [windows, ...].
        rows: the row of each window, int [windows]. Each row has a window at least.
        count: the number of rows.

    >>> means_of_rows(np.array([1.0, 7.0, 2.0]), [0, 1, 0], 2).tolist()
    [1.5, 7.0]
    """
    total = np.zeros((count, *values.shape[1:]))
    np.add.at(total, rows, values)
    return (total.T / np.bincount(rows, minlength=count)).T


def softmax(logits: Array) -> Array:
    """Return probabilities that sum to 1 in each row, [rows, labels], from logits of this shape."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(logits: Array) -> Array:
    """Return each label's own probability, [rows, labels], from logits of this shape."""
    probabilities: Array = (1 + np.tanh(logits / 2)) / 2  # no overflow, unlike exp(-logits)
    return probabilities
