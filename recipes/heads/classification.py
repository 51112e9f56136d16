"""The recipe of classification: one label, several labels, or a number for each text."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipes.heads.loss import Loss, binary_cross_entropy, class_weights, cross_entropy, squared_error
from recipes.training.assembly import Prepared, assemble
from recipes.training.trainer import RecipeTrainer, Reduce
from tasks.errors import InputError


def build(prepared: Prepared, folder: Path) -> RecipeTrainer:
    """Return the Trainer: cross-entropy, binary cross-entropy or squared error, by the kind of the labels."""
    loss, reduce = parts(prepared)
    start_from_base_rate(prepared)
    return assemble(prepared, loss, reduce, folder)


def parts(prepared: Prepared) -> tuple[Loss, Reduce]:
    """Return the loss for the kind of labels, and what is kept of the logits.

    Raises:
        InputError: class weights are asked for where there are no classes, or name a label that there is not.
    """
    hparams, head, train = prepared.config.hparams, prepared.rows.head, prepared.rows.splits["train"]
    if head.problem_type == "regression":
        if hparams.class_weights is not None:
            raise InputError("hparams.class_weights: the labels are numbers, there are no classes to weigh")
        return squared_error, scores
    if head.problem_type == "multi_label_classification":
        counts = Counter(label for row in train for label in row.label)
        by_label = [*(counts[label] for label in head.labels), len(train)]
        weights = class_weights(hparams.class_weights, head.labels, by_label, positives=True)
        return binary_cross_entropy(hparams.label_smoothing, weights), probability_of_each
    counts = Counter(row.label for row in train)
    weights = class_weights(hparams.class_weights, head.labels, [counts[label] for label in head.labels])
    return cross_entropy(hparams.label_smoothing, weights), probabilities


def start_from_base_rate(prepared: Prepared) -> None:
    """Let a head of several labels or of a number begin by predicting how often each label occurs, or the mean.

    Otherwise the first hundreds of steps teach the whole network nothing but that most labels are absent (Lin et al.
    2017, section 3.3, set the bias so for rare classes). One label a row is near its base rate from the start.
    """
    head, train = prepared.rows.head, prepared.rows.splits["train"]
    if head.problem_type == "regression":
        rates = torch.tensor([sum(row.label for row in train) / len(train)])
    elif head.problem_type == "multi_label_classification":
        counts = Counter(label for row in train for label in row.label)
        # One more row with and one without each label, so that no rate is 0 or 1.
        rates = torch.logit(torch.tensor([(counts[label] + 1) / (len(train) + 2) for label in head.labels]))
    else:
        return
    layers = [module for module in prepared.loaded.model.modules() if isinstance(module, nn.Linear)]
    last = next(layer for layer in reversed(layers) if layer.out_features == len(head.labels))
    if last.bias is not None:
        with torch.no_grad():
            last.bias.copy_(rates)


def probabilities(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep probabilities [batch, labels] that sum to 1."""
    del batch
    return {"probability": outputs["logits"].float().softmax(-1)}


def probability_of_each(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep each label's own probability [batch, labels]."""
    del batch
    return {"probability": outputs["logits"].float().sigmoid()}


def scores(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep the predicted number [batch]."""
    del batch
    return {"score": outputs["logits"].float().reshape(-1)}
