"""Whether one of two groups of runs is better: differences over rows and seeds, with intervals and chances.

A group has one run for each seed. A difference of mean scores varies with the rows that were drawn into the test set
and with the seeds. Both parts are estimated and added: that of the rows by the bootstrap of the difference on the same
rows (Efron and Tibshirani 1993; Berg-Kirkpatrick et al. 2012), that of the seeds by the variance between the runs of
each group. Degrees of freedom follow Welch and Satterthwaite.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from tasks.scoring.resampling import Numbers

SIGNIFICANCE = 0.05
POWER = 0.8
ORDER_DRAWS = 1000
MOST_NEEDED = 10_000
"No more than so many times the rows or seeds that there are is a sensible advice."


@dataclass(frozen=True)
class RunScores:
    """A score of one run: on its rows, and on each draw of them."""

    score: float
    draws: Numbers
    "[draws], of the same draws for all runs that are compared."


@dataclass(frozen=True)
class Spread:
    """What a mean score, or a difference of two, varies with. Variances, each with its degrees of freedom."""

    rows: float
    rows_freedom: int
    seeds: float
    seeds_freedom: float
    "0: there is one seed only, whose chance can't be told."

    @property
    def deviation(self) -> float:
        """The standard error, of rows and seeds together."""
        return sqrt(self.rows + self.seeds)

    @property
    def freedom(self) -> float:
        """The degrees of freedom of the standard error."""
        parts = [(self.rows, self.rows_freedom), (self.seeds, self.seeds_freedom)]
        below = sum(variance**2 / freedom for variance, freedom in parts if freedom)
        return (self.rows + self.seeds) ** 2 / below if below else float(self.rows_freedom)


@dataclass(frozen=True)
class Estimate:
    """A mean score or a difference, with its interval."""

    value: float
    low: float
    high: float
    spread: Spread


@dataclass(frozen=True)
class Difference:
    """How much better the second of two groups is."""

    estimate: Estimate
    "In units of the score; positive: the second is better."
    p_value: float
    "The chance of a difference as large as this if there were none."


def spread_of(groups: Sequence[Sequence[RunScores]], units: int, paired: bool = False) -> Spread:
    """Return what the mean score of a group varies with, or the difference of two groups' means.

    Args:
        groups: one or two groups of runs on the same rows.
        units: how many units of rows were drawn.
        paired: whether two runs with the same place in both groups share what a seed decides, so that their
            difference counts.
    """
    means = [np.mean([run.draws for run in group], axis=0) for group in groups]
    of_rows = float(np.nanvar(means[-1] - means[0] if len(groups) > 1 else means[0], ddof=1))
    scores = [[run.score for run in group] for group in groups]
    if paired:
        scores = [[second - first for first, second in zip(*scores, strict=True)]]
    parts = [(float(np.var(some, ddof=1)) / len(some), len(some) - 1) for some in scores if len(some) > 1]
    seeds = sum(variance for variance, _ in parts)
    below = sum(variance**2 / freedom for variance, freedom in parts)
    # The bootstrap's variance is that of n - 1 units, as of a sample's plug-in deviation.
    return Spread(of_rows * units / (units - 1), units - 1, seeds, seeds**2 / below if below else 0.0)


def mean_score(group: Sequence[RunScores], units: int) -> Estimate:
    """Return the mean score of a group, with the interval of what it would be with other rows and seeds."""
    return _estimate(float(np.mean([run.score for run in group])), spread_of([group], units))


def difference(
    first: Sequence[RunScores],
    second: Sequence[RunScores],
    units: int,
    sign: int = 1,
    paired: bool = False,
) -> Difference:
    """Return how much better the second group is than the first.

    Args:
        first: the runs of a group.
        second: the runs of another, on the same rows.
        units: how many units of rows were drawn.
        sign: -1 if smaller scores are better.
        paired: whether both groups have the same seeds, and nothing but what is asked about differs between them.
    """
    from scipy import stats

    spread = spread_of([first, second], units, paired)
    value = sign * (np.mean([run.score for run in second]) - np.mean([run.score for run in first]))
    p_value = (
        1.0 if value == 0 or not spread.deviation else 2 * stats.t.sf(abs(value) / spread.deviation, spread.freedom)
    )
    return Difference(_estimate(float(value), spread), float(p_value))


def _estimate(value: float, spread: Spread) -> Estimate:
    from scipy import stats

    reach = stats.t.ppf(1 - SIGNIFICANCE / 2, spread.freedom) * spread.deviation if spread.deviation else 0.0
    return Estimate(value, value - reach, value + reach, spread)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the chances corrected for their number, by Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.zeros(len(p_values))
    least = 0.0
    for place, number in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[number]))
        corrected[number] = least
    return [round(float(value), 12) for value in corrected]


@dataclass(frozen=True)
class Needed:
    """What would tell a difference of some size, most of the time. None: no number of them would, by themselves."""

    rows: int | None
    seeds: int | None


def visible(spread: Spread) -> float:
    """Return the size of the differences that a test finds in 80% of cases, in units of the score."""
    from scipy import stats

    freedom = spread.freedom
    return float((stats.t.ppf(1 - SIGNIFICANCE / 2, freedom) + stats.t.ppf(POWER, freedom)) * spread.deviation)


def needed(spread: Spread, rows: int, seeds: int, size: float) -> Needed:
    """Return how many rows, or else how many seeds for each group, would find a difference of a size in 80% of cases.

    Args:
        spread: of the difference with these rows and seeds.
        rows: how many rows there are now.
        seeds: how many seeds each group has now. Of one, what more would give can't be told.
        size: the difference to find, in units of the score.
    """
    more_rows = _fewest(rows, lambda number: visible(_with_more_rows(spread, number / rows)) <= size)
    if seeds < 2:
        return Needed(more_rows, None)
    return Needed(more_rows, _fewest(seeds, lambda number: visible(_with_more_seeds(spread, seeds, number)) <= size))


def _fewest(now: int, enough: Callable[[int], bool]) -> int | None:
    """Return the fewest that are enough, from `now` on, or None if no number is."""
    high = now
    while not enough(high):
        high *= 2
        if high > MOST_NEEDED * now:
            return None
    low = max(high // 2, now)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high


def _with_more_rows(spread: Spread, times: float) -> Spread:
    return replace(spread, rows=spread.rows / times, rows_freedom=max(round(spread.rows_freedom * times), 1))


def _with_more_seeds(spread: Spread, now: int, then: int) -> Spread:
    freedom = spread.seeds_freedom * (then - 1) / (now - 1)
    return replace(spread, seeds=spread.seeds * now / then, seeds_freedom=freedom)


def randomised_p_value(observed: float, swapped: Numbers) -> float:
    """Return the chance of a difference at least this large if it did not matter which system made a prediction.

    Approximate randomisation (Noreen 1989; Yeh 2000): a row's two predictions change sides with a chance of one half.

    Args:
        observed: the difference.
        swapped: the difference of each draw of sides: [draws].
    """
    as_large = int((np.abs(swapped) >= abs(observed) - 1e-12).sum())
    return (as_large + 1) / (len(swapped) + 1)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Return the exact chance that rows which only one system got right fall to the two so unequally.

    McNemar 1947, by the binomial distribution.

    >>> round(mcnemar_p_value(1, 9), 4)
    0.0215
    """
    from scipy import stats

    both = only_first + only_second
    return float(stats.binomtest(only_first, both).pvalue) if both else 1.0


def stochastic_order_violation(better: Sequence[float], worse: Sequence[float]) -> float:
    """Return how far `better` is from dominating `worse`: 0 always larger, 1 always smaller, 0.5 neither.

    The violation ratio of almost stochastic order (del Barrio et al. 2018; Dror et al. 2019): the share of the squared
    distance between the quantile functions that lies where the worse one is ahead. Below 0.5, and surely below 0.2 to
    0.3, the order is almost stochastic.

    >>> stochastic_order_violation([2.0, 3.0], [1.0, 2.0]), stochastic_order_violation([1.0, 4.0], [2.0, 3.0])
    (0.0, 0.5)
    """
    count = len(better) * len(worse)
    levels = (np.arange(count) + 0.5) / count
    ahead = _quantiles(better, levels) - _quantiles(worse, levels)
    distance = float((ahead**2).sum())
    return float((np.minimum(ahead, 0) ** 2).sum() / distance) if distance else 0.5


def violation_bound(better: Sequence[float], worse: Sequence[float], seed: int) -> float:
    """Return the violation that `better` has at most, in 95 of 100 cases: the `eps_min` of Dror et al. 2019.

    Args:
        better: the scores of its seeds.
        worse: the scores of the other's.
        seed: of the resampling that gives the violation's deviation.
    """
    from scipy import stats

    generator = np.random.default_rng(seed)
    one, two = np.asarray(better, dtype=float), np.asarray(worse, dtype=float)
    drawn = [
        stochastic_order_violation(generator.choice(one, len(one)).tolist(), generator.choice(two, len(two)).tolist())
        for _ in range(ORDER_DRAWS)
    ]
    bound = stochastic_order_violation(better, worse) + stats.norm.ppf(1 - SIGNIFICANCE) * float(np.std(drawn))
    return float(min(bound, 1.0))


def _quantiles(values: Sequence[float], levels: Numbers) -> Numbers:
    ordered = np.sort(np.asarray(values, dtype=float))
    places = np.minimum((levels * len(ordered)).astype(int), len(ordered) - 1)
    picked: Numbers = ordered[places]
    return picked
