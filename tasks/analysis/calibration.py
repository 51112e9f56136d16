"""Whether predictions are right as often as their probabilities say, and a temperature that makes them so.

The temperature is that of Guo et al. 2017 ("On Calibration of Modern Neural Networks"): all logits are divided by one
number, which changes no label.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.analysis.parts import Bin, Reliability
from tasks.probabilities import softmax
from tasks.scoring.resampling import Numbers

BINS = 10
LEAST_PROBABILITY = 1e-300
"Smaller ones have no logarithm, or hardly one."
SPREAD_OF_LOG_TEMPERATURE = 0.5
"""How far the temperature is from 1 before any row is seen: a normal distribution of its logarithm. It keeps a few rows
that are all right from making the model certain of everything, and weighs little beside hundreds of rows."""
COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(probabilities: Numbers, gold: Sequence[int]) -> float:
    """Return the temperature at which gold is likeliest.

    Args:
        probabilities: what the model says: [rows, labels].
        gold: the place of each row's gold label.

    >>> odds = np.array([[0.9, 0.1]] * 1000)  # says nine in ten, and is right three times in four
    >>> sharp = fit_temperature(odds, [0] * 750 + [1] * 250)
    >>> float(at_temperature(odds, sharp)[0, 0].round(2))
    0.75
    """
    from scipy.optimize import minimize_scalar

    logarithms = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    rows = np.arange(len(gold))

    def misfit(log_temperature: float) -> float:
        scaled = logarithms / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        total = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
        fit = float((total - scaled[rows, gold]).sum())
        return fit + 0.5 * (log_temperature / SPREAD_OF_LOG_TEMPERATURE) ** 2

    found = minimize_scalar(misfit, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def at_temperature(probabilities: Numbers, temperature: float) -> Numbers:
    """Return the probabilities that the same logits give if they are divided by a temperature: [rows, labels]."""
    found: Numbers = softmax(np.log(np.maximum(probabilities, LEAST_PROBABILITY)) / temperature)
    return found


def probabilities_of(scores: Sequence[Mapping[str, float]]) -> Numbers:
    """Return the probabilities in the scores of predictions: [rows, labels]."""
    return np.array([list(of_row.values()) for of_row in scores], dtype=float)


def reliability(probabilities: Sequence[float], right: Sequence[bool]) -> Reliability:
    """Return how often predictions are right, by their probability.

    The error is the expected calibration error: the mean distance between both over bins of equal width, weighted by
    the number of predictions in them.

    >>> reliability([0.9, 0.9, 0.6, 0.6], [True, True, True, False]).error
    0.1
    """
    sure, hits = np.asarray(probabilities, dtype=float), np.asarray(right, dtype=float)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        Bin(float(sure[inside].mean()), float(hits[inside].mean()), int(inside.sum()))
        for inside in (places == place for place in range(BINS))
        if inside.any()
    ]
    error = sum(one.count * abs(one.probability - one.share_right) for one in bins) / len(sure)
    return Reliability(bins, round(error, 12))
