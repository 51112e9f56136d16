"""Intervals of scores: they hold what a resampling by hand gives, and the truth as often as they say."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from recipes.statistics.bootstrap import (
    DRAWS,
    LEAST_DRAWS,
    drawn_weights,
    draws_for,
    interval_of,
    intervals,
    resampled_scores,
    widened_tail,
)
from tasks.scoring.labels import label_rescore
from tasks.scoring.resampling import Numbers, Rescore, sums_of_units


def mean_of(values: Numbers) -> Rescore:
    of_rows = np.column_stack([values, np.ones(len(values))])
    return sums_of_units(of_rows, range(len(values)), lambda sums: {"mean": sums[:, 0] / sums[:, 1]})


def test_each_draw_takes_as_many_units_as_there_are_and_each_as_often_as_others() -> None:
    weights = np.concatenate(list(drawn_weights(7, 4000, seed=1)))
    assert weights.shape == (4000, 7)
    assert set(weights.sum(axis=1)) == {7.0}
    # Multinomial with equal chances: mean 1, variance 6/7.
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.06)
    assert weights.var() == pytest.approx(6 / 7, abs=0.03)


def test_draws_do_not_depend_on_how_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(drawn_weights(9, 50, seed=3)))
    monkeypatch.setattr("recipes.statistics.bootstrap.WEIGHTS_AT_ONCE", 20)
    assert (np.concatenate(list(drawn_weights(9, 50, seed=3))) == whole).all()


def test_an_interval_is_what_a_plain_loop_gives() -> None:
    values = np.arange(12.0) ** 2
    generator = np.random.default_rng(5)
    loop = [values[generator.integers(0, 12, 12)].mean() for _ in range(DRAWS)]
    tail = stats.norm.sf(stats.t.ppf(0.975, 11) * np.sqrt(12 / 11))
    found = intervals(mean_of(values), 12, seed=5)["mean"]
    assert found is not None
    assert [found.low, found.high] == pytest.approx(np.quantile(loop, [tail, 1 - tail]))


def test_the_interval_of_an_accuracy_is_that_of_the_normal_approximation() -> None:
    gold, predicted = ["a"] * 1000, ["a"] * 800 + ["b"] * 200
    found = intervals(label_rescore(predicted, gold, range(1000)), 1000, seed=1)["accuracy"]
    deviation = (0.8 * 0.2 / 1000) ** 0.5
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.8 - 1.96 * deviation, 0.8 + 1.96 * deviation), abs=0.002)


def test_the_same_predictions_have_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(size=40)
    assert intervals(mean_of(values), 40, seed=2) == intervals(mean_of(values), 40, seed=2)
    assert intervals(mean_of(values), 40, seed=2) != intervals(mean_of(values), 40, seed=3)


@pytest.mark.parametrize("units", [12, 60])
def test_ninety_five_of_a_hundred_intervals_hold_the_truth(units: int) -> None:
    generator = np.random.default_rng(units)
    held = 0
    for number in range(400):
        scores = resampled_scores(mean_of(generator.exponential(size=units)), units, 600, seed=number)
        found = interval_of(scores["mean"], units)
        held += found is not None and found.low <= 1 <= found.high
    # Of a skewed distribution, and so a little less; the percentile interval itself holds 0.87 and 0.92 of them.
    assert 0.9 < held / 400 < 0.98


def test_few_units_and_equal_rows_have_no_interval() -> None:
    assert intervals(mean_of(np.arange(4.0)), 4, seed=1) == {"mean": None}
    assert intervals(mean_of(np.ones(50)), 50, seed=1) == {"mean": None}


def test_a_score_that_many_draws_do_not_have_has_no_interval() -> None:
    def sometimes(weights: Numbers) -> Mapping[str, Numbers]:
        return {"score": np.where(weights[:, 0] > 0, weights[:, 1], np.nan)}

    assert intervals(sometimes, 6, seed=1) == {"score": None}


def test_more_units_have_fewer_draws() -> None:
    assert [draws_for(units) for units in (1, 20_000, 40_000, 10**7)] == [DRAWS, DRAWS, DRAWS // 2, LEAST_DRAWS]


def test_the_tail_of_many_units_is_that_of_the_normal_distribution() -> None:
    assert widened_tail(0.025, 10**6) == pytest.approx(0.025, abs=1e-6)
    assert widened_tail(0.025, 5) < 0.003
