"""What a trained encoder makes of rows, so that rows that are alike to it can be told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from recipes.serving.trained_model import TrainedModel, portions
from tasks.columns import ROW
from tasks.probabilities import means_of_rows
from tasks.task import Row

Array: TypeAlias = "np.ndarray[Any, Any]"
EMBEDDING = "embedding"


def embed(model: TrainedModel, rows: Sequence[Row]) -> Array:
    """Return the mean of the last hidden states of each row's tokens, with length 1: float [rows, hidden size]."""
    encoder = replace(model.predictor, model=model.predictor.model.base_model, reduce=mean_of_tokens)
    found = []
    for some in portions(model.task, rows):
        windows = model.windows_of(some)
        means = np.asarray(encoder.predict_windows(windows)[EMBEDDING])
        found.append(means_of_rows(means, np.asarray(windows.columns[ROW]), len(some)))
    vectors = np.concatenate(found)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = vectors / np.maximum(lengths, np.finfo(float).tiny)
    return unit


def mean_of_tokens(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean hidden state of each window, [batch, hidden size], from those of tokens, padding left out."""
    states, mask = outputs[0].float(), batch["attention_mask"].unsqueeze(-1).float()
    return {EMBEDDING: (states * mask).sum(1) / mask.sum(1)}
