"""A score's name, and whether greater values are better."""

from dataclasses import dataclass
from math import inf

LOWER_IS_BETTER = frozenset({"rmse", "mae", "hamming_loss"})
"Names of the scores that measure errors."


@dataclass(frozen=True)
class Score:
    """One of the numbers that a task's `score` returns."""

    name: str
    greater_is_better: bool

    @property
    def sign(self) -> int:
        """1 if greater is better, or else -1. Multiplied by its sign, every score is better if greater."""
        return 1 if self.greater_is_better else -1


CORRELATIONS = frozenset({"matthews", "pearson", "spearman"})
"Names of the scores that may be below zero."


def range_of(name: str, point: float) -> tuple[float, float]:
    """Return the worst and the best value of a score as an interval.

    Args:
        name: of the score.
        point: the size of a point in its task: a hundredth of the best score that is better if greater.

    >>> range_of("macro_f1", 0.01), range_of("pearson", 0.01), range_of("rmse", 0.01)
    ((0.0, 1.0), (-1.0, 1.0), (0.0, inf))
    """
    if name in LOWER_IS_BETTER:
        return 0.0, inf
    return (-1.0 if name in CORRELATIONS else 0.0), 100 * point


def score_named(name: str) -> Score:
    """Return the score of this name.

    >>> score_named("rmse")
    Score(name='rmse', greater_is_better=False)
    """
    return Score(name, greater_is_better=name not in LOWER_IS_BETTER)
