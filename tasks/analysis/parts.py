"""What an error analysis consists of: scores of parts of the rows, counts, calibration, and single mistakes."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
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
    rest: Rescore | None = None
    "Scores everything else, with a weight for each unit of it. None: the mean of the other parts is exact."
    rest_units: int = 0


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
    mixed: frozenset[tuple[str, str]] = frozenset()
    "Those that count both what is right and what is wrong."
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
    kind: tuple[str, ...]
    "What it has in common with others, of which a few are enough."


@dataclass(frozen=True)
class Analysis:
    """What a model gets wrong."""

    breakdowns: list[Breakdown] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    reliability: Reliability | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    "The most telling ones, the most telling first."


MOST_MISTAKES = 20


def varied(found: Iterable[tuple[float, Mistake]]) -> list[Mistake]:
    """Return the most telling mistakes: the first of each kind, then the second of each, and so on.

    Args:
        found: mistakes, each with how telling it is.
    """
    kinds: dict[tuple[str, ...], list[Mistake]] = {}
    for _, mistake in sorted(found, key=lambda pair: -pair[0]):
        kinds.setdefault(mistake.kind, []).append(mistake)
    rounds = zip_longest(*kinds.values())
    return list(islice((mistake for of_round in rounds for mistake in of_round if mistake is not None), MOST_MISTAKES))


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


def unused_name(name: str, used: Collection[str]) -> str:
    """Return the name, or if it is in use, the name with so many stars that it is not.

    >>> unused_name("others", ["a"]), unused_name("others", ["others"])
    ('others', 'others*')
    """
    while name in used:
        name += "*"
    return name


def unit_numbers(lines: Sequence[Line]) -> list[int]:
    """Return the number of each line's unit: lines of one article or document share one."""
    return renumbered([line.get("unit", ("row", place)) for place, line in enumerate(lines)])
