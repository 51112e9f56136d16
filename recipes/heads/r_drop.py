"""R-Drop (Liang et al. 2021): two passes over a batch, each with its own dropout, should predict the same.

Used where `hparams.r_drop` is more than 0: each step then costs two passes, and small data overfits later. For
probabilities the divergence is the mean of both Kullback-Leibler divergences; for numbers it is the squared difference.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional

from tasks.columns import CANDIDATES, IGNORED_LABEL, LABELS, NO_CANDIDATE


def class_divergence(first: Any, second: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Compare probabilities of classes, for each labelled text [batch] or word [batch, length]."""
    counted = batch[LABELS] != IGNORED_LABEL
    return _symmetric_kl(first["logits"].float()[counted], second["logits"].float()[counted])


def label_divergence(first: Any, second: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Compare probabilities of yes and no, for each of several labels; logits are [batch, labels]."""
    del batch
    yes_and_no = [
        logits.unsqueeze(-1) * logits.new_tensor([0.5, -0.5])
        for logits in (first["logits"].float(), second["logits"].float())
    ]
    return _symmetric_kl(*yes_and_no)


def number_divergence(first: Any, second: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Compare predicted numbers; logits are [batch, 1]."""
    del batch
    return functional.mse_loss(first["logits"].float(), second["logits"].float(), reduction="sum")


def span_divergence(first: Any, second: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Compare probabilities of start and of end, over the positions that an answer can have; logits [batch, length]."""
    candidates = batch[CANDIDATES] != NO_CANDIDATE
    starts, ends = (
        _symmetric_kl(*(outputs[name].float().masked_fill(~candidates, -1e4) for outputs in (first, second)))
        for name in ("start_logits", "end_logits")
    )
    return starts + ends


def _symmetric_kl(one: Tensor, two: Tensor) -> Tensor:
    """Return the mean of both Kullback-Leibler divergences of softmax on the last axis, summed over all items."""
    p, q = functional.log_softmax(one, dim=-1), functional.log_softmax(two, dim=-1)
    forward = functional.kl_div(q, p, log_target=True, reduction="sum")
    backward = functional.kl_div(p, q, log_target=True, reduction="sum")
    return (forward + backward) / 2
