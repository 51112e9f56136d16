"""How sure a mean of a few scores is, such as one over seeds."""

from collections.abc import Sequence
from math import sqrt
from statistics import stdev

from scipy import stats


def half_width(values: Sequence[float], confidence: float = 0.95) -> float:
    """Return how far the interval of a mean reaches to each side, by Student's t.

    Args:
        values: two or more.
        confidence: how often such intervals hold the true mean, if values are normally distributed.

    >>> round(half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    return float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
