"""An error analysis with intervals, and what stands out in it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.statistics.bootstrap import Interval, intervals
from tasks.analysis.parts import Breakdown, Part
from tasks.scoring.resampling import Numbers, Rescore
from tasks.scoring.score import score_named

DRAWS = 2_000
SEPARATOR = "\n"
"Stands between the number of a part and the name of a score."
FEWEST_TO_STAND_OUT = 20
"A part of fewer rows or entities is not said to be weak."
MOST_STANDING_OUT = 4


@dataclass(frozen=True)
class Measured:
    """A score of a part, with its interval. None: there is no number, or no interval."""

    value: float | None
    bounds: tuple[float, float] | None


@dataclass(frozen=True)
class MeasuredPart:
    """A part with its scores."""

    name: str
    count: int
    scores: dict[str, Measured]


@dataclass(frozen=True)
class MeasuredBreakdown:
    """Parts side by side, with their scores."""

    title: str
    counted: str
    scores: tuple[str, ...]
    parts: list[MeasuredPart]
    note: str

    @property
    def main(self) -> str:
        """The score whose interval is shown, and by which a part is weak."""
        return "f1" if "f1" in self.scores else self.scores[0]


def measure(breakdown: Breakdown) -> MeasuredBreakdown:
    """Return a breakdown with the scores of its parts and their intervals."""
    bounds: dict[int, dict[str, Interval | None]] = {}
    of_size: dict[int, list[int]] = defaultdict(list)
    for number, part in enumerate(breakdown.parts):
        of_size[part.units].append(number)
    # Parts of equally many units share their draws, which take longer than scoring them.
    for units, numbers in of_size.items():
        together = _together({number: breakdown.parts[number].rescore for number in numbers}, breakdown.scores)
        for key, interval in intervals(together, units, DRAWS).items():
            place, _, name = key.partition(SEPARATOR)
            bounds.setdefault(int(place), {})[name] = interval
    parts = [_measured(part, bounds[number], breakdown.scores) for number, part in enumerate(breakdown.parts)]
    return MeasuredBreakdown(breakdown.title, breakdown.counted, breakdown.scores, parts, breakdown.note)


def _together(rescores: dict[int, Rescore], names: Sequence[str]) -> Rescore:
    def rescored(weights: Numbers) -> dict[str, Numbers]:
        found = {number: rescore(weights) for number, rescore in rescores.items()}
        return {f"{number}{SEPARATOR}{name}": scores[name] for number, scores in found.items() for name in names}

    return rescored


def _measured(part: Part, bounds: dict[str, Interval | None], names: Sequence[str]) -> MeasuredPart:
    values = part.rescore(np.ones((1, part.units)))
    scores = {}
    for name in names:
        value, interval = float(values[name][0]), bounds[name]
        scores[name] = Measured(
            None if np.isnan(value) else value, None if interval is None else (interval.low, interval.high)
        )
    return MeasuredPart(part.name, part.count, scores)


@dataclass(frozen=True)
class Weakness:
    """A part that is worse than the others together by more than chance."""

    breakdown: str
    counted: str
    part: MeasuredPart
    score: str
    others: float
    "The mean score of all others."


def weaknesses(breakdowns: Sequence[MeasuredBreakdown]) -> list[Weakness]:
    """Return the parts whose whole interval is worse than the mean of the other parts; those that cost most first."""
    found = [weakness for breakdown in breakdowns for weakness in _weaknesses(breakdown)]
    found.sort(key=lambda pair: -pair[0])
    return [weakness for _, weakness in found[:MOST_STANDING_OUT]]


def _weaknesses(breakdown: MeasuredBreakdown) -> Iterator[tuple[float, Weakness]]:
    name = breakdown.main
    sign = score_named(name).sign
    total = sum(part.count for part in breakdown.parts)
    for part in breakdown.parts:
        score = part.scores[name]
        others = [
            (other.count, value)
            for other in breakdown.parts
            if other is not part and (value := other.scores[name].value) is not None
        ]
        count = sum(count for count, _ in others)
        if score.value is None or part.count < FEWEST_TO_STAND_OUT or not count:
            continue
        mean = sum(count * value for count, value in others) / count
        # Without an interval all draws are alike, as where nothing is right.
        best_end = max(sign * end for end in score.bounds or (score.value,))
        if best_end < sign * mean:
            cost = (sign * mean - sign * score.value) * part.count / total
            yield cost, Weakness(breakdown.title, breakdown.counted, part, name, mean)
