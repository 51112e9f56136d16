"""The recipe of named-entity recognition: a label for each sub-word that begins a word."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from recipes.heads.loss import class_weights, cross_entropy
from recipes.training.assembly import Prepared, assemble
from recipes.training.trainer import RecipeTrainer


def build(prepared: Prepared, folder: Path) -> RecipeTrainer:
    """Return the Trainer: cross-entropy over labelled sub-words, the most probable label kept for each."""
    hparams, labels = prepared.config.hparams, prepared.rows.head.labels
    tags = Counter(tag for row in prepared.rows.splits["train"] for tag in row.tags)
    weights = class_weights(hparams.class_weights, labels, [tags[label] for label in labels])
    return assemble(prepared, cross_entropy(hparams.label_smoothing, weights), most_probable_labels, folder)


def most_probable_labels(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep of logits [batch, length, labels] the best label and its probability, both [batch, length]."""
    del batch
    probability, label = outputs["logits"].float().softmax(-1).max(-1)
    return {"label": label, "probability": probability}
