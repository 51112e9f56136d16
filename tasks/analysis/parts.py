"""What an error analysis consists of: scores of parts of the rows, counts, calibration, and single mistakes."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tasks.scoring.resampling import Rescore

Line: TypeAlias = Mapping[str, Any]
"A line of a predictions file, with gold."

RescorePlaces: TypeAlias = Callable[[Sequence[int], Sequence[int]], Rescore]
"Maps the places of some lines, and the number of each one's unit among them, to what scores these lines."

TRAITS = "traits"
"The key of a line that holds what its scores may depend on and nothing else in it tells."


@dataclass(frozen=True)
class Part:
    """Some of the rows, or some of what is to be found in them."""

    name: str
    count: int
    "How many rows, entities or questions it has."
    units: int
    rescore: Rescore


@dataclass(frozen=True)
class Breakdown:
    """Scores of parts, side by side."""

    title: str
    counted: str
    "What `count` of a part counts, such as `rows`."
    scores: tuple[str, ...]
    "The names of those scores of each part that are shown."
    parts: list[Part]
    note: str = ""
    "A sentence on how to read it."


@dataclass(frozen=True)
class Counts:
    """A table of counts, such as a confusion matrix."""

    title: str
    of_rows: str
    "What the rows are, such as `gold`."
    of_columns: str
    rows: list[str]
    columns: list[str]
    counts: list[list[int]]
    right: frozenset[tuple[str, str]] = frozenset()
    "The cells, by the names of their row and column, that count what is right."
    note: str = ""


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same probability."""

    probability: float
    "Their mean probability."
    share_right: float
    count: int


@dataclass(frozen=True)
class Reliability:
    """Whether predictions are right as often as their probabilities say."""

    bins: list[Bin]
    error: float
    "The expected calibration error."
    temperature: float | None = None
    "What the logits were divided by. None: nothing."
    error_before: float | None = None
    "The error without that."


Segment: TypeAlias = tuple[str, str]
"A piece of a text, and what it is: `` (neither), `gold`, `predicted` or `both`."


@dataclass(frozen=True)
class Mistake:
    """A row that the model got wrong."""

    place: int
    "Which line it is, from 0."
    what: str
    "What is wrong, such as `missed`."
    gold: str
    predicted: str
    score: float | None
    "How sure the model was: the probability of what it predicted, or the distance of a number."
    text: list[Segment]


@dataclass(frozen=True)
class Analysis:
    """What a model gets wrong."""

    breakdowns: list[Breakdown] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    reliability: Reliability | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    "The most telling ones, the most telling first."


MOST_MISTAKES = 20


def traits(line: Line) -> Mapping[str, Any]:
    """Return the traits of a line; those of runs of older versions have none."""
    found: Mapping[str, Any] = line.get(TRAITS) or {}
    return found


def renumbered(numbers: Sequence[Hashable]) -> list[int]:
    """Return these numbers of units as numbers from 0 without gaps.

    >>> renumbered([7, 3, 7])
    [0, 1, 0]
    """
    known: dict[Hashable, int] = {}
    return [known.setdefault(number, len(known)) for number in numbers]


def unit_numbers(lines: Sequence[Line]) -> list[int]:
    """Return the number of each line's unit: lines of one article or document share one."""
    return renumbered([line.get("unit", ("row", place)) for place, line in enumerate(lines)])
