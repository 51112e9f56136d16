"""A label that may be wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Line: TypeAlias = Mapping[str, Any]
"A line of a file of out-of-fold predictions: a row with its gold, and the prediction of a model trained without it."


@dataclass(frozen=True)
class Suspect:
    """A label, an entity or an answer that may be wrong."""

    line: int
    "The place of its line among all, from 0."
    kind: str
    "What would be wrong: label, extra label, missing label, number, missed, spurious, type, border, answer, ..."
    given: str
    "As it stands; empty if something is missing."
    suggested: str
    "What the model says instead; empty if there should be nothing."
    quality: float
    "How sure it is that what is given is right, 0 to 1."
    likely: bool = False
    "Whether it is one of as many as are estimated to be wrong."
    start: int = 0
    "Of an entity or an answer: its first word or character,"
    end: int = 0
    "and the one after its last, of what is given and what is suggested together."


def worst_first(suspects: Iterable[Suspect]) -> list[Suspect]:
    """Return suspects, those that are most probably wrong first; equal ones by their lines."""
    return sorted(suspects, key=lambda one: (not one.likely, one.quality, one.line, one.start))
