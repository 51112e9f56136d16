"""Which of several groups of runs is better: scores with intervals, paired tests, and a sentence for each pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recipes.comparing.groups import Group
from recipes.comparing.stored_runs import StoredRun
from recipes.statistics.bootstrap import FEWEST_UNITS, SEED, drawn_weights, draws_for
from recipes.statistics.comparison import (
    SIGNIFICANCE,
    Difference,
    Estimate,
    Needed,
    RunScores,
    difference,
    holm,
    mcnemar_p_value,
    mean_score,
    needed,
    randomised_p_value,
    violation_bound,
)
from tasks.errors import InputError, did_you_mean
from tasks.scoring.resampling import Numbers, Rescore
from tasks.scoring.score import Score, score_named
from tasks.task import Head

FEWEST_ALIKE = 300
"Of as many rows without a difference, it can be said at 95% that fewer than one in a hundred differ."
SEEDS_FOR_ORDER = 5
"With fewer seeds on a side, almost stochastic order says nothing."


@dataclass(frozen=True)
class Scored:
    """A group with its score."""

    group: Group
    mean: Estimate
    deviation: float | None
    "Between its seeds. None: there is one."
    single: list[float]
    "The score of each of its runs."


@dataclass(frozen=True)
class Pair:
    """Two groups, the one with the better mean second."""

    worse: Group
    better: Group
    difference: Difference
    p_value: float
    "Corrected for the number of pairs."
    of_rows: float
    "The chance of such a difference if it did not matter which group predicted a row, for these seeds."
    mcnemar: float | None
    "The exact test of McNemar, for the accuracies of two single runs."
    order: float | None
    "The upper bound on the violation of almost stochastic order. None: too few seeds."
    needed: Needed
    size: float
    "What would be worth telling: a point."
    units: int

    @property
    def verdict(self) -> str:
        """`better`, `tied`, or `too few`."""
        estimate = self.difference.estimate
        if self.p_value < SIGNIFICANCE and estimate.value > 0:
            return "better"
        alike = max(abs(estimate.low), abs(estimate.high)) < self.size
        # That no row differs is no proof that one in a hundred does not (the rule of three).
        return "tied" if alike and (estimate.low < estimate.high or self.units >= FEWEST_ALIKE) else "too few"


@dataclass(frozen=True)
class Comparison:
    """Groups of runs on the same rows, best first, and all pairs of them."""

    score: Score
    rows: int
    units: int
    groups: list[Scored]
    pairs: list[Pair]


def compare(groups: Sequence[Group], score: str | None = None, paired: bool = False) -> Comparison:
    """Compare groups of runs on the same rows.

    Args:
        groups: the groups.
        score: the name of the score. None: that which chose the epochs of the first run.
        paired: whether all have the same seeds, and differ in so little that runs with the same seed are alike.

    Raises:
        InputError: the runs do not have this score, or it is not a number.
    """
    first = groups[0].runs[0]
    name = score or first.report.objective.name
    units = max(first.units) + 1
    if units < FEWEST_UNITS:
        unit = "rows" if units == len(first.lines) else f"{first.task.unit}s"
        raise InputError(f"{first.directory}: has {units} {unit} on {first.split}, which are too few to tell anything")
    scored = _scores(groups, name, units)
    kind = score_named(name)
    size = first.task.point
    if not kind.greater_is_better:
        # Errors of numbers have the unit of the numbers, whatever that is.
        size = float(f"{size * max(abs(run.score) for runs in scored for run in runs):.1g}") or size
    ranked = sorted(
        range(len(groups)), key=lambda number: kind.sign * float(np.mean([run.score for run in scored[number]]))
    )
    described = [
        Scored(
            groups[number],
            mean_score(scored[number], units),
            float(np.std([run.score for run in scored[number]], ddof=1)) if len(scored[number]) > 1 else None,
            [run.score for run in scored[number]],
        )
        for number in reversed(ranked)
    ]
    pairs = _pairs(
        [groups[number] for number in ranked], [scored[number] for number in ranked], kind, units, size, paired
    )
    return Comparison(kind, len(first.lines), units, described, pairs)


def _pairs(
    groups: Sequence[Group],
    scored: Sequence[Sequence[RunScores]],
    score: Score,
    units: int,
    size: float,
    paired: bool,
) -> list[Pair]:
    """Return all pairs of groups, which are given from the worst to the best."""
    ordered = list(combinations(range(len(groups)), 2))
    found = [difference(scored[worse], scored[better], units, score.sign, paired) for worse, better in ordered]
    of_rows = [_randomised(groups[worse], groups[better], score.name, units) for worse, better in ordered]
    # Where no draw of rows and no seed makes a difference, as if one is right everywhere and one nowhere, only
    # exchanging predictions tells a chance.
    chances = [
        one.p_value if one.estimate.spread.deviation else of_pair for one, of_pair in zip(found, of_rows, strict=True)
    ]
    rows = len(groups[0].runs[0].lines)
    return [
        Pair(
            worse=groups[worse],
            better=groups[better],
            difference=one,
            p_value=p_value,
            of_rows=of_pair,
            mcnemar=_mcnemar(groups[worse], groups[better], score.name),
            order=_order(scored[worse], scored[better], score),
            needed=needed(one.estimate.spread, rows, min(len(scored[worse]), len(scored[better])), size)
            if one.estimate.spread.deviation
            else Needed(max(FEWEST_ALIKE, rows), None),
            size=size,
            units=units,
        )
        for (worse, better), one, of_pair, p_value in zip(ordered, found, of_rows, holm(chances), strict=True)
    ]


def _scores(groups: Sequence[Group], name: str, units: int) -> list[list[RunScores]]:
    """Return the score of each run on its rows, and on the same draws of them."""
    rescores = [
        [run.task.rescore(run.rows, run.predictions, run.head, run.units) for run in group.runs] for group in groups
    ]
    there = rescores[0][0](np.ones((1, units)))
    if name not in there:
        raise InputError(f"--score {name}: no such score. There are: {', '.join(there)}.{did_you_mean(name, there)}")
    draws: list[list[list[Numbers]]] = [[[] for _ in group.runs] for group in groups]
    for weights in drawn_weights(units, draws_for(units), SEED):
        for of_group, kept in zip(rescores, draws, strict=True):
            for rescore, of_run in zip(of_group, kept, strict=True):
                of_run.append(rescore(weights)[name])
    ones = np.ones((1, units))
    scored = [
        [
            RunScores(float(rescore(ones)[name][0]), np.concatenate(of_run))
            for rescore, of_run in zip(of_group, kept, strict=True)
        ]
        for of_group, kept in zip(rescores, draws, strict=True)
    ]
    for group, runs in zip(groups, scored, strict=True):
        for run, one in zip(group.runs, runs, strict=True):
            if np.isnan(one.score):
                raise InputError(f"{run.directory}: its {name} is not a number. Choose another one: --score NAME")
    return scored


def _randomised(worse: Group, better: Group, name: str, units: int) -> float:
    """Return the chance of approximate randomisation, over runs side by side in the order of their seeds."""
    couples = list(zip(worse.runs, better.runs, strict=False))
    both = [_side_by_side(*couple, units) for couple in couples]
    generator = np.random.default_rng(SEED)
    observed = _difference_of_sides(both, name, np.zeros((1, units)))[0]
    draws, at_once = draws_for(2 * units), max(500_000 // units, 1)
    swapped = [
        _difference_of_sides(both, name, generator.integers(0, 2, (min(at_once, draws - first), units)).astype(float))
        for first in range(0, draws, at_once)
    ]
    return randomised_p_value(float(observed), np.concatenate(swapped))


def _side_by_side(one: StoredRun, two: StoredRun, units: int) -> Rescore:
    """Return what scores the predictions of both runs together: the units of the second follow those of the first."""
    return one.task.rescore(
        [*one.rows, *two.rows],
        [*one.predictions, *two.predictions],
        Head("", tuple(dict.fromkeys((*one.head.labels, *two.head.labels)))),
        [*one.units, *(unit + units for unit in two.units)],
    )


def _difference_of_sides(both: Sequence[Rescore], name: str, swaps: Numbers) -> Numbers:
    """Return the mean difference of both sides with the predictions of some units exchanged: [draws]."""
    first, second = np.hstack([1 - swaps, swaps]), np.hstack([swaps, 1 - swaps])
    differences: Numbers = np.mean([rescore(second)[name] - rescore(first)[name] for rescore in both], axis=0)
    return differences


def _mcnemar(worse: Group, better: Group, name: str) -> float | None:
    """Return the chance of McNemar's test for two single runs whose rows are each right or wrong, else None."""
    if name != "accuracy" or len(worse.runs) > 1 or len(better.runs) > 1 or "label" not in worse.runs[0].predictions[0]:
        return None
    right = [[line["prediction"]["label"] == line["gold"] for line in group.runs[0].lines] for group in (worse, better)]
    only_first = sum(one and not two for one, two in zip(*right, strict=True))
    only_second = sum(two and not one for one, two in zip(*right, strict=True))
    return mcnemar_p_value(only_first, only_second)


def _order(worse: Sequence[RunScores], better: Sequence[RunScores], kind: Score) -> float | None:
    if min(len(worse), len(better)) < SEEDS_FOR_ORDER:
        return None
    first, second = ([kind.sign * run.score for run in runs] for runs in (worse, better))
    return violation_bound(second, first, SEED)
