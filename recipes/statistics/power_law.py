"""Learning curves: how the error falls with the number of training rows, and what more rows would bring.

The mean error on n rows is taken to be `a + b (n + d)^-c`: a power law (Cortes et al. 1994; Hestness et al. 2017) that
is flat below some number d of rows, as with so few nothing is learnt (shifted as in Rosenfeld et al. 2020). A single
run lies around it with a variance that falls as 1/n. With few points, the numbers can hardly be told apart, but what
they say of a few times the rows can. So no curve is picked: all that fit are kept, weighed by how well they do
(Bayes' rule), and intervals are those of what they predict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.scoring.resampling import Numbers

CONFIDENCE = 0.9
EXPONENTS = np.linspace(0.05, 2.0, 40)
"Of learning curves; those that are found in practice lie between 0.07 and 1 (Hestness et al. 2017)."
SHARES = np.linspace(0.01, 0.99, 50)
"Shares of today's error that endless rows would remove."
DELAYS = np.array([0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
"Numbers of rows, as shares of the most, below which a curve is still flat: with so few, nothing is learnt."
DRAWS = 20_000
SEED = 20_000
EXACT = 0.25
"No score is more exact than this share of a point."


@dataclass(frozen=True)
class PowerLaw:
    """Curves that fit, each drawn as often as it is probable: all [draws]."""

    rows: int
    "The number of rows that `error` belongs to."
    error: Numbers
    "The mean error with `rows` rows."
    share: Numbers
    "Of this error, what endless rows would remove."
    exponent: Numbers
    delay: Numbers
    "In rows."
    deviation: Numbers
    "Of a single run's error with `rows` rows."

    def errors(self, rows: float) -> Numbers:
        """Return the mean errors with some number of rows: [draws]."""
        falls = ((rows + self.delay) / (self.rows + self.delay)) ** -self.exponent
        found: Numbers = self.error * (1 - self.share + self.share * falls)
        return found

    def errors_of_a_run(self, rows: float) -> Numbers:
        """Return the errors that a single run with some number of rows would have: [draws]."""
        chance = np.random.default_rng(SEED + 1).standard_normal(len(self.error))
        found: Numbers = self.errors(rows) + chance * self.deviation * (self.rows / rows) ** 0.5
        return found


def fit_power_law(rows: Sequence[int], errors: Sequence[float], point: float) -> PowerLaw:
    """Return the curves that fit the errors of runs.

    With the shape of the curve given, the error is a line through the origin in one unknown, so that it and the
    deviation follow in closed form (Gelman et al. 2013, section 14.2, with weights); shapes are summed
    over a grid, all of them equally probable beforehand.

    Args:
        rows: the number of training rows of each run.
        errors: the error of each run, zero or more.
        point: the size of a point of the score; the deviation is not taken to be far below it.
    """
    sizes, found = np.asarray(rows, dtype=float), np.asarray(errors, dtype=float)
    most = int(sizes.max())
    weights = sizes / most
    delays, exponents, shares = DELAYS[:, None, None, None], EXPONENTS[:, None, None], SHARES[:, None]
    falls = ((sizes / most + delays) / (1 + delays)) ** -exponents
    shapes = 1 - shares + shares * falls  # [delays, exponents, shares, runs]
    squares = (weights * shapes**2).sum(axis=-1)
    fitted = (weights * shapes * found).sum(axis=-1) / squares
    rest = (weights * (found - fitted[..., None] * shapes) ** 2).sum(axis=-1) + (EXACT * point) ** 2
    # The least deviation counts as one more observation, and the error takes one. One more is taken off, because no
    # curve of the family is quite the true one: so intervals hold nine in ten on curves of other families, too.
    freedom = max(len(found) - 1, 1)
    logs = -0.5 * np.log(squares) - 0.5 * freedom * np.log(rest)
    chances = np.exp(logs - logs.max()).ravel()
    generator = np.random.default_rng(SEED)
    cells = generator.choice(len(chances), DRAWS, p=chances / chances.sum())
    delay, exponent, share = np.unravel_index(cells, logs.shape)
    picked = (delay, exponent, share)
    deviation = np.sqrt(rest[picked] / generator.chisquare(freedom, DRAWS))
    error = fitted[picked] + generator.standard_normal(DRAWS) * deviation / np.sqrt(squares[picked])
    return PowerLaw(most, np.maximum(error, 0), SHARES[share], EXPONENTS[exponent], DELAYS[delay] * most, deviation)


def interval(draws: Numbers) -> tuple[float, float, float]:
    """Return the median of draws, and the ends of the interval that holds 90% of them."""
    middle, low, high = np.quantile(draws, [0.5, (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(middle), float(low), float(high)
