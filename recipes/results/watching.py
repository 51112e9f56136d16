"""How a run tells of its evaluations while it trains, and how it is ended early."""

from typing import Protocol


class Watch(Protocol):
    """Is told of each evaluation of a training."""

    def __call__(self, evaluation: int, value: float) -> bool:
        """Take note of an evaluation, and tell whether the training is to end.

        Args:
            evaluation: its number, counted from 1.
            value: the objective, where higher is better; if lower is, with the other sign.
        """
        ...


class Pruned(Exception):  # noqa: N818
    """A training was ended because others do better."""
