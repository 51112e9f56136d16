"""Learning curves: known curves are found, and intervals hold what they should, on curves of other families, too."""

from collections.abc import Callable

import numpy as np
import pytest

from recipes.statistics.power_law import fit_power_law, interval

ROWS = (100, 200, 400, 800, 1600, 3200)
Curve = Callable[[float], float]
Family = Callable[[np.random.Generator], Curve]


def power_law(generator: np.random.Generator) -> Curve:
    rest, exponent = 0.08 * generator.random(), generator.uniform(0.1, 0.6)
    return lambda rows: rest + (0.45 - rest) * (rows / 100) ** -exponent


def steep_power_law(generator: np.random.Generator) -> Curve:
    rest, exponent = 0.2 * generator.random(), generator.uniform(0.3, 1.2)
    return lambda rows: rest + 0.3 * (rows / 100) ** -exponent


def flat_at_first(generator: np.random.Generator) -> Curve:
    law = power_law(generator)
    return lambda rows: min(0.45, law(rows / 2.5))


def logarithm(generator: np.random.Generator) -> Curve:
    slope = generator.uniform(0.02, 0.06)
    return lambda rows: max(0.45 - slope * float(np.log(rows / 100)), 0.02)


def sigmoid(generator: np.random.Generator) -> Curve:
    middle, width, rest = generator.uniform(4.5, 6.5), generator.uniform(0.5, 1.2), 0.1 * generator.random()
    return lambda rows: rest + (0.5 - rest) / (1 + float(np.exp((np.log(rows) - middle) / width)))


@pytest.mark.parametrize("family", [power_law, steep_power_law, flat_at_first, logarithm, sigmoid])
def test_nine_in_ten_intervals_hold_what_more_rows_give(family: Family) -> None:
    """The bounds leave room for the chance of 100 curves: 3 deviations of a share of 0.9, and 2 of what is at stake."""
    generator, of_runs, of_means = np.random.default_rng(7), 0, 0
    for _ in range(100):
        curve = family(generator)
        errors = [max(curve(rows) + 0.02 * (800 / rows) ** 0.5 * generator.standard_normal(), 0.0) for rows in ROWS]
        law = fit_power_law(ROWS, errors, 0.01)
        _, low, high = interval(law.errors_of_a_run(6920))
        of_runs += low <= curve(6920) + 0.02 * (800 / 6920) ** 0.5 * generator.standard_normal() <= high
        _, low, high = interval(law.errors(6920))
        of_means += low <= curve(6920) <= high
    assert of_runs >= 81
    assert of_means >= 81


def test_a_curve_without_chance_is_found() -> None:
    rows = [50 * 2**times for times in range(8)]
    law = fit_power_law(rows, [0.05 + 3 * number**-0.5 for number in rows], 0.01)
    for times in (2, 4):
        middle, low, high = interval(law.errors(rows[-1] * times))
        truth = 0.05 + 3 * (rows[-1] * times) ** -0.5
        assert low < truth < high
        assert middle == pytest.approx(truth, abs=0.003)
        assert high - low < 0.02


def test_more_rows_never_hurt_and_bring_no_more_than_there_is() -> None:
    law = fit_power_law(ROWS, [0.3, 0.35, 0.28, 0.31, 0.29, 0.33], 0.01)
    more = [law.errors(rows) for rows in (3200, 6400, 1e9)]
    assert (more[0] >= more[1]).all()
    assert (more[1] >= more[2]).all()
    assert (more[2] >= 0).all()


def test_errors_in_another_unit_give_the_same_curve() -> None:
    errors = [40.0, 35.0, 28.0, 22.0, 19.0, 17.5]
    percent = fit_power_law(ROWS, errors, 1.0).errors(6400)
    share = fit_power_law(ROWS, [error / 100 for error in errors], 0.01).errors(6400)
    np.testing.assert_allclose(percent, 100 * share)


def test_the_same_runs_always_give_the_same_interval() -> None:
    first, second = (fit_power_law(ROWS, [0.4, 0.35, 0.3, 0.27, 0.25, 0.24], 0.01) for _ in range(2))
    assert interval(first.errors_of_a_run(6400)) == interval(second.errors_of_a_run(6400))
