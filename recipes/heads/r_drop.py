"""R-Drop (Liang et al. 2021): two passes over a batch, with other dropout each, should predict the same.

Used where `hparams.r_drop` is more than 0: each step then costs two passes, and small data overfits later.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional

from tasks.ner import IGNORED


def divergence(first: Any, second: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return how far two passes are apart, summed over the items that the loss counts.

    For probabilities it is the mean of both Kullback-Leibler divergences: over classes for each labelled text or word,
    over the positions that an answer can have for start and end, over yes and no for each of several labels. For
    numbers it is the squared difference.
    """
    if "start_logits" in first:
        candidates = batch["candidates"] > 0
        return sum(
            (
                _symmetric(*(outputs[name].float().masked_fill(~candidates, -1e4) for outputs in (first, second)))
                for name in ("start_logits", "end_logits")
            ),
            start=first["start_logits"].new_zeros((), dtype=first["start_logits"].float().dtype),
        )
    one, two, labels = first["logits"].float(), second["logits"].float(), batch["labels"]
    if labels.is_floating_point() and labels.ndim == 1:
        return functional.mse_loss(one, two, reduction="sum")
    if labels.is_floating_point():
        return _symmetric(*(logits.unsqueeze(-1) * logits.new_tensor([0.5, -0.5]) for logits in (one, two)))
    counted = labels != IGNORED
    return _symmetric(one[counted], two[counted])


def _symmetric(one: Tensor, two: Tensor) -> Tensor:
    """Return the summed mean of both divergences between softmax distributions on the last axis."""
    p, q = functional.log_softmax(one, dim=-1), functional.log_softmax(two, dim=-1)
    forth = functional.kl_div(q, p, log_target=True, reduction="sum")
    back = functional.kl_div(p, q, log_target=True, reduction="sum")
    return (forth + back) / 2
