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
    given_at: tuple[int, int] | None = None
    "Of an entity: its first word, and the one after its last."
    suggested_at: tuple[int, int] | None = None
    "The same of what is suggested; of an answer in characters of the passage."

    @property
    def bounds(self) -> tuple[int, int]:
        """The first place that is given or suggested, and the one after the last."""
        both = [at for at in (self.given_at, self.suggested_at) if at is not None]
        return min((at[0] for at in both), default=0), max((at[1] for at in both), default=0)


def worst_first(suspects: Iterable[Suspect]) -> list[Suspect]:
    """Return suspects, those that are most probably wrong first; equal ones by their lines."""
    return sorted(suspects, key=lambda one: (not one.likely, one.quality, one.line, one.bounds))
