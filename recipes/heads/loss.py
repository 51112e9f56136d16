"""Losses as sums over items, divided by the number of items in the whole optimizer step.

An item is one entry of `labels` other than -100: that of a text, a labelled word, a start or end position, or one
yes-or-no label. The divisor counts the items of all accumulated parts and all processes, so that 1 x 32 rows, 4 x 8
accumulated and 2 processes x 16 give the same gradient. Some heads of transformers ignore that count and average each
part by itself (issue 47688).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from recipes.heads.recipe import Loss
from tasks.columns import CANDIDATES, IGNORED_LABEL, LABELS, NO_CANDIDATE
from tasks.errors import InputError, did_you_mean


def cross_entropy(smoothing: float, weights: Tensor | None, focal: float = 0.0) -> Loss:
    """Return the loss of one label for each text [batch] or word [batch, length]; logits have one more axis, classes.

    Smoothing gives each class `smoothing / classes` of the target (Szegedy et al. 2016, section 7). With `focal`, the
    loss of an item with probability p of gold counts (1 - p) ** focal times (Lin et al. 2017).
    """

    def loss(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
        logits, labels = outputs["logits"].float(), batch[LABELS].reshape(-1)
        logits = logits.reshape(-1, logits.shape[-1])
        losses = functional.cross_entropy(
            logits,
            labels,
            weight=None if weights is None else weights.to(logits.device),
            ignore_index=IGNORED_LABEL,
            reduction="none" if focal else "sum",
            label_smoothing=smoothing,
        )
        if not focal:
            return losses
        gold = labels.clamp(min=0).unsqueeze(1)  # what ignored items have there does not matter: their loss is 0
        return (losses * (1 - logits.softmax(-1).gather(1, gold).squeeze(1)) ** focal).sum()

    return loss


def binary_cross_entropy(smoothing: float, weights: Tensor | None, focal: float = 0.0) -> Loss:
    """Return the loss of several labels: labels float [batch, classes]. A weight scales its label's positive term.

    `focal` is that of `cross_entropy`, for each label of a row.
    """

    def loss(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
        logits = outputs["logits"].float()
        targets = batch[LABELS].float() * (1 - smoothing) + smoothing / 2
        positive = None if weights is None else weights.to(logits.device)
        reduction = "none" if focal else "sum"
        losses = functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=positive, reduction=reduction)
        if not focal:
            return losses
        gold = batch[LABELS].float()
        probability = logits.sigmoid()
        return (losses * (1 - (gold * probability + (1 - gold) * (1 - probability))) ** focal).sum()

    return loss


def squared_error(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of squared errors: logits [batch, 1], labels float [batch]."""
    return functional.mse_loss(outputs["logits"].float().reshape(-1), batch[LABELS].float(), reduction="sum")


def span_cross_entropy(smoothing: float, focal: float = 0.0) -> Loss:
    """Return the loss of start and end positions: labels [batch, 2], logits [batch, length] each.

    The probabilities are over the positions that an answer can have (`candidates` > 0: the passage and the null
    position), so that the question and padding get no probability. Smoothing is over the same positions. `focal` is
    that of `cross_entropy`, for start and end each.
    """

    def loss(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
        candidates = batch[CANDIDATES] != NO_CANDIDATE
        total = outputs["start_logits"].new_zeros((), dtype=torch.float32)
        for index, name in enumerate(("start_logits", "end_logits")):
            logits = outputs[name].float().masked_fill(~candidates, float("-inf"))
            log_probabilities = functional.log_softmax(logits, dim=-1)
            nll = -log_probabilities.gather(1, batch[LABELS][:, index : index + 1]).squeeze(1)
            if smoothing:
                spread = -log_probabilities.masked_fill(~candidates, 0).sum(1) / candidates.sum(1)
                nll = (1 - smoothing) * nll + smoothing * spread
            if focal:
                gold = log_probabilities.gather(1, batch[LABELS][:, index : index + 1]).squeeze(1).exp()
                nll = nll * (1 - gold) ** focal
            total = total + nll.sum()
        return total

    return loss


def class_weights(
    wanted: Any, labels: Sequence[str], counts: Sequence[int], several_labels: bool = False
) -> Tensor | None:
    """Return a weight for each class, in the order of `labels`.

    Args:
        labels: the names of all classes, in the order of the head's outputs.
        wanted: `hparams.class_weights`: None, "balanced", or a mapping from label to weight (labels not in it keep 1).
        counts: how often each label occurs among the training items.
        several_labels: whether a row may have several labels. The last of `counts` is then the number of rows,
            and "balanced" weights a label's positive term by rows without it over rows with it.

    Without `several_labels`, "balanced" is n / (classes * count), as in scikit-learn: the mean weight is 1.

    Raises:
        InputError: the mapping names an unknown label, or leaves no label a weight.
    """
    if wanted is None:
        return None
    if wanted == "balanced":
        if several_labels:
            rows = counts[-1]
            return torch.tensor([(rows - count) / count if count else 1.0 for count in counts[:-1]])
        present = sum(1 for count in counts if count)
        return torch.tensor([sum(counts) / (present * count) if count else 1.0 for count in counts])
    named = {_label(name, labels): float(weight) for name, weight in wanted.items()}
    for name in named:
        if name not in labels:
            near = did_you_mean(name, labels)
            raise InputError(f"hparams.class_weights: no label '{name}'. Labels: {', '.join(labels)}.{near}")
    weights = torch.tensor([named.get(label, 1.0) for label in labels])
    if not weights.any():
        raise InputError("hparams.class_weights: every label has the weight 0, so that nothing would be learnt")
    return weights


def _label(name: object, labels: Sequence[str]) -> str:
    """Return the label that a key of a mapping stands for: YAML makes a truth value of `true`, and a number of `1`."""
    return str(name).lower() if isinstance(name, bool) and str(name) not in labels else str(name)
