"""A score's name, and whether greater values are better."""

from dataclasses import dataclass

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


def score_named(name: str) -> Score:
    """Return the score of this name.

    >>> score_named("rmse")
    Score(name='rmse', greater_is_better=False)
    """
    return Score(name, greater_is_better=name not in LOWER_IS_BETTER)
