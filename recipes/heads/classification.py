"""The recipe of classification: one label, several labels, or a number for each text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recipes.config.schema import Hparams
from recipes.heads.loss import binary_cross_entropy, class_weights, cross_entropy, squared_error
from recipes.heads.r_drop import class_divergence, label_divergence, number_divergence
from recipes.heads.recipe import Recipe, Reduce
from tasks.classification import Text
from tasks.errors import InputError
from tasks.loading.rows import Rows
from tasks.task import AnyTask, Head


def reduction(task: AnyTask, head: Head) -> Reduce:
    """Return what is kept of the outputs of a trained model: a number, or a logit for each label."""
    del task
    return scores if head.problem_type == "regression" else logits


def recipe(rows: Rows[Text], hparams: Hparams) -> Recipe:
    """Return a recipe whose loss suits the labels: cross-entropy, binary cross-entropy or squared error.

    Raises:
        InputError: class weights are set although the labels are numbers, or name an unknown label.
    """
    head, train = rows.head, rows.splits["train"]
    if head.problem_type == "regression":
        return _regression(train, hparams)
    if head.problem_type == "multi_label_classification":
        return _several_labels(head, train, hparams)
    counts = Counter(label for row in train for label in row.labels)
    weights = class_weights(hparams.class_weights, head.labels, [counts[label] for label in head.labels])
    return Recipe(
        loss=cross_entropy(hparams.label_smoothing, weights, hparams.focal),
        divergence=class_divergence,
        reduce=logits,
    )


def _several_labels(head: Head, train: Sequence[Text], hparams: Hparams) -> Recipe:
    counts = Counter(label for row in train for label in row.labels)
    by_label = [*(counts[label] for label in head.labels), len(train)]
    weights = class_weights(hparams.class_weights, head.labels, by_label, several_labels=True)
    # Count one extra row with each label and one without it, so that no rate is 0 or 1.
    rates = torch.tensor([(counts[label] + 1) / (len(train) + 2) for label in head.labels])
    return Recipe(
        loss=binary_cross_entropy(hparams.label_smoothing, weights, hparams.focal),
        divergence=label_divergence,
        reduce=logits,
        initialise=partial(set_output_bias, bias=torch.logit(rates)),
    )


def _regression(train: Sequence[Text], hparams: Hparams) -> Recipe:
    if hparams.focal:
        raise InputError("hparams.focal: the labels are numbers, of which none has a probability")
    if hparams.label_smoothing:
        raise InputError("hparams.label_smoothing: the labels are numbers, there are no classes to smooth over")
    if hparams.class_weights is not None:
        raise InputError("hparams.class_weights: the labels are numbers, there are no classes to weigh")
    mean = torch.tensor([sum(row.number for row in train) / len(train)])
    return Recipe(
        loss=squared_error,
        divergence=number_divergence,
        reduce=scores,
        initialise=partial(set_output_bias, bias=mean),
    )


def set_output_bias(model: Any, bias: Tensor) -> None:
    """Set the head's bias so that its first predictions are each label's frequency, or the mean number.

    Otherwise the network spends its first hundreds of steps learning only that most labels are absent (Lin et al. 2017,
    section 3.3, set the bias this way for rare classes). With one label per row, predictions start near the base rates.

    Args:
        model: a model for sequence classification.
        bias: one value for each output.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    last = next(layer for layer in reversed(layers) if layer.out_features == len(bias))
    if last.bias is not None:
        with torch.no_grad():
            last.bias.copy_(bias)


def logits(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep a logit for each label, float32 [batch, labels]: those of a text's windows are averaged in decoding."""
    del batch
    return {"logits": outputs["logits"].float()}


def scores(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep the predicted number [batch]."""
    del batch
    return {"score": outputs["logits"].float().reshape(-1)}
