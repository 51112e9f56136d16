"""Intervals of scores by the bootstrap: how much a score would vary with other rows of the same kind.

Rows that hang together, such as the questions on one article, are drawn together (Davison and Hinkley 1997, section
3.8). The interval is the percentile interval, widened as in Hesterberg 2015 ("What Teachers Should Know About the
Bootstrap"): without that, intervals of few units are too narrow by the factor by which a normal interval with the
plug-in deviation is narrower than Student's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tasks.scoring.resampling import Numbers, Rescore

SEED = 20_000
"Of all draws, so that the same predictions always have the same intervals."
DRAWS = 10_000
LEAST_DRAWS = 1_000
WEIGHTS_IN_ALL = 200_000_000
"With more units than this number over `DRAWS`, there are fewer draws, so that a million rows take seconds, too."
WEIGHTS_AT_ONCE = 500_000
CONFIDENCE = 0.95
"How many of such intervals hold the true score."
FEWEST_UNITS = 5
"With fewer there is no interval: it would say nothing."
MOST_UNDEFINED = 0.01
"If more draws have no score, as where all gold is alike, there is no interval."


@dataclass(frozen=True)
class Interval:
    """Where a score probably lies."""

    low: float
    high: float


def draws_for(units: int) -> int:
    """Return how many times so many units are drawn."""
    return int(np.clip(WEIGHTS_IN_ALL // max(units, 1), LEAST_DRAWS, DRAWS))


def drawn_weights(units: int, draws: int, seed: int) -> Iterator[Numbers]:
    """Yield how often each unit is drawn, a portion of the draws at a time: float64 [some draws, units].

    Each draw takes as many units as there are, with replacement.
    """
    generator = np.random.default_rng(seed)
    at_once = max(WEIGHTS_AT_ONCE // units, 1)
    for first in range(0, draws, at_once):
        some = min(at_once, draws - first)
        picked = generator.integers(0, units, size=(some, units))
        picked += np.arange(some)[:, None] * units
        yield np.bincount(picked.ravel(), minlength=some * units).reshape(some, units).astype(float)


def resampled_scores(rescore: Rescore, units: int, draws: int, seed: int) -> dict[str, Numbers]:
    """Return the scores of each draw: [draws] for each name."""
    portions = [rescore(weights) for weights in drawn_weights(units, draws, seed)]
    return {name: np.concatenate([portion[name] for portion in portions]) for name in portions[0]}


def standard_error_of_difference(first: ArrayLike, second: ArrayLike) -> float:
    """Return the standard error of the difference of two scores on the same rows, from their scores on the same draws.

    Draws without a score, as where none of the drawn rows has an entity, do not count. 0: there are none with one.

    Args:
        first: [draws], or nothing.
        second: likewise.
    """
    if not np.size(first) or not np.size(second):
        return 0.0
    differences = np.subtract(first, second)
    known = differences[np.isfinite(differences)]
    return float(known.std()) if known.size else 0.0


def intervals(rescore: Rescore, units: int, draws: int | None = None, seed: int = SEED) -> dict[str, Interval | None]:
    """Return the interval of each score, None where none can be told.

    Args:
        rescore: the scores of weighted units.
        units: how many there are.
        draws: how many draws there are. None: `draws_for` says.
        seed: of the draws.
    """
    if units < FEWEST_UNITS:
        return dict.fromkeys(rescore(np.ones((1, max(units, 1)))))
    scores = resampled_scores(rescore, units, draws or draws_for(units), seed)
    return {name: interval_of(of_draws, units) for name, of_draws in scores.items()}


def interval_of(scores: Numbers, units: int) -> Interval | None:
    """Return the interval that scores of draws give; None if too many of them are no numbers, or all are the same.

    Args:
        scores: [draws].
        units: how many units each draw has.
    """
    numbers = scores[~np.isnan(scores)]
    if len(numbers) < (1 - MOST_UNDEFINED) * len(scores) or np.ptp(numbers) == 0:
        return None
    tail = widened_tail((1 - CONFIDENCE) / 2, units)
    low, high = np.quantile(numbers, [tail, 1 - tail])
    return Interval(float(low), float(high))


def widened_tail(tail: float, units: int) -> float:
    """Return the share of draws to leave out at each end, which is less than `tail` if there are few units.

    >>> round(widened_tail(0.025, 10), 4), round(widened_tail(0.025, 10_000), 4)
    (0.0086, 0.025)
    """
    from scipy import stats

    quantile = stats.t.ppf(1 - tail, units - 1) * np.sqrt(units / (units - 1))
    return float(stats.norm.sf(quantile))
