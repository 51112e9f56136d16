"""How the way of training was chosen, as report.json holds it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TriedWay:
    """A way of training and what it reached on rows that its models did not see."""

    name: str
    words: str
    score: float | None
    "None: it is no number."
    bounds: list[float] | None
    "Its interval. None: there is none, as with a handful of rows."
    seconds: float
    hparams: dict[str, Any]
    "The hyperparameters that make it, where they differ from those of the config."


@dataclass(frozen=True)
class Choice:
    """The ways that were tried by cross-validation, and the one that was taken."""

    chosen: str
    why: str
    score: str
    "The name of the score that they were compared by."
    folds: int
    rows: int
    stands_for_validation: bool
    "Whether the validation scores are those of what the folds' models predicted."
    ways: list[TriedWay]

    def way(self) -> TriedWay:
        """Return the way that was taken."""
        return next(way for way in self.ways if way.name == self.chosen)


def choice_from_json(tree: Any) -> Choice:
    """Return the choice that a JSON object holds.

    Raises:
        KeyError, TypeError, ValueError: it is not what a run writes.
    """
    return Choice(**{**tree, "ways": [TriedWay(**way) for way in tree["ways"]]})
