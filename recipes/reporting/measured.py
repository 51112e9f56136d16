"""An error analysis with intervals, and what stands out in it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from recipes.statistics.bootstrap import CONFIDENCE, FEWEST_UNITS, Interval, intervals
from tasks.analysis.parts import Breakdown, Part
from tasks.scoring.resampling import Numbers, Rescore
from tasks.scoring.score import score_named

DRAWS = 2_000
SEPARATOR = "\n"
"Stands between the number of a part and the name of a score."
FEWEST_TO_STAND_OUT = 20
"A part of fewer rows or entities is not said to be weak."


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
    units: int
    scores: dict[str, Measured]
    elsewhere: dict[str, float]
    "The scores of everything else; empty if there is nothing else."


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
    parts = [
        _measured(part, bounds[number], breakdown.scores, breakdown.parts)
        for number, part in enumerate(breakdown.parts)
    ]
    return MeasuredBreakdown(breakdown.title, breakdown.counted, breakdown.scores, parts, breakdown.note)


def _together(rescores: dict[int, Rescore], names: Sequence[str]) -> Rescore:
    def rescored(weights: Numbers) -> dict[str, Numbers]:
        found = {number: rescore(weights) for number, rescore in rescores.items()}
        return {f"{number}{SEPARATOR}{name}": scores[name] for number, scores in found.items() for name in names}

    return rescored


def _measured(
    part: Part, bounds: dict[str, Interval | None], names: Sequence[str], parts: Sequence[Part]
) -> MeasuredPart:
    scores = {}
    for name, value in _scores(part.rescore, part.units, names).items():
        interval = bounds[name]
        scores[name] = Measured(value, None if interval is None else (interval.low, interval.high))
    return MeasuredPart(part.name, part.count, part.units, scores, _elsewhere(part, names, parts))


def _scores(rescore: Rescore, units: int, names: Sequence[str]) -> dict[str, float | None]:
    values = rescore(np.ones((1, units)))
    numbers = {name: float(values[name][0]) for name in names}
    return {name: None if np.isnan(value) else value for name, value in numbers.items()}


def _elsewhere(part: Part, names: Sequence[str], parts: Sequence[Part]) -> dict[str, float]:
    """Return the scores of everything else than a part; where parts are scored by means, the mean of the others."""
    if part.rest is not None:
        found = _scores(part.rest, part.rest_units, names)
        return {name: value for name, value in found.items() if value is not None}
    others = [(other.count, _scores(other.rescore, other.units, names)) for other in parts if other is not part]
    means = {}
    for name in names:
        counted = [(count, value) for count, scores in others if (value := scores[name]) is not None]
        if counted:
            means[name] = sum(count * value for count, value in counted) / sum(count for count, _ in counted)
    return means


@dataclass(frozen=True)
class Weakness:
    """A part that is worse than everything else by more than chance."""

    breakdown: str
    counted: str
    part: MeasuredPart
    score: str
    elsewhere: float
    "The score of everything else."


def weaknesses(breakdowns: Sequence[MeasuredBreakdown]) -> list[Weakness]:
    """Return the parts that are worse than everything else by more than chance; those that cost most first.

    By chance alone, one of them would be found in one of twenty reports: the level is divided by the number of parts
    (Bonferroni).
    """
    tested = sum(len(breakdown.parts) for breakdown in breakdowns)
    found = [weakness for breakdown in breakdowns for weakness in _weaknesses(breakdown, tested)]
    found.sort(key=lambda pair: -pair[0])
    return [weakness for _, weakness in found]


def _weaknesses(breakdown: MeasuredBreakdown, tested: int) -> Iterator[tuple[float, Weakness]]:
    name = breakdown.main
    sign = score_named(name).sign
    total = sum(part.count for part in breakdown.parts)
    for part in breakdown.parts:
        score, elsewhere = part.scores[name].value, part.elsewhere.get(name)
        # What makes up most of the rows is the usual case, and no weakness.
        few = part.count < FEWEST_TO_STAND_OUT or part.units < FEWEST_UNITS or part.count > total / 2
        if score is None or elsewhere is None or few:
            continue
        lost = sign * (elsewhere - score)
        if lost > 0 and _by_chance(lost, part.scores[name].bounds) * tested < 1 - CONFIDENCE:
            yield lost * part.count / total, Weakness(breakdown.title, breakdown.counted, part, name, elsewhere)


def _by_chance(lost: float, bounds: tuple[float, float] | None) -> float:
    """Return the chance of a part being so much worse, by its interval; 0 without one, as all draws are alike."""
    if bounds is None:
        return 0.0
    deviation = (bounds[1] - bounds[0]) / (2 * NormalDist().inv_cdf(0.5 + CONFIDENCE / 2))
    return 2 * (1 - NormalDist().cdf(lost / deviation))
