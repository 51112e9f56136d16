"""Differences of groups of runs: worked by hand, and against other implementations."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from recipes.bench import alarms
from recipes.statistics.comparison import (
    Needed,
    RunScores,
    Spread,
    difference,
    holm,
    mcnemar_p_value,
    mean_score,
    needed,
    randomised_p_value,
    spread_of,
    stochastic_order_violation,
    violation_bound,
    visible,
)

FLAT = np.zeros(10)


def runs(*scores: float, draws: "np.ndarray[tuple[int], np.dtype[np.float64]]" = FLAT) -> list[RunScores]:
    return [RunScores(score, draws + score) for score in scores]


def test_without_a_part_of_the_rows_the_test_is_welchs() -> None:
    first, second = [0.70, 0.72, 0.71, 0.69], [0.74, 0.75, 0.72]
    found = difference(runs(*first), runs(*second), units=100)
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (found.estimate.low, found.estimate.high) == pytest.approx((interval.low, interval.high))


def test_of_pairs_by_seed_the_test_is_students() -> None:
    first, second = [0.70, 0.60, 0.50, 0.65], [0.72, 0.61, 0.53, 0.66]
    found = difference(runs(*first), runs(*second), units=100, paired=True)
    expected = stats.ttest_rel(second, first)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (found.estimate.low, found.estimate.high) == pytest.approx((interval.low, interval.high))
    assert difference(runs(*first), runs(*second), units=100).p_value > 0.7, "apart, nothing can be told"


def test_of_errors_the_smaller_are_better() -> None:
    found = difference(runs(2.0, 2.1), runs(1.0, 1.1), units=100, sign=-1)
    assert found.estimate.value == pytest.approx(1.0)


def test_of_single_runs_only_the_rows_count() -> None:
    draws = np.random.default_rng(1).normal(size=4000) * 0.02
    first, second = [RunScores(0.7, FLAT[:1].repeat(4000) + 0.7)], [RunScores(0.75, draws + 0.75)]
    spread = spread_of([first, second], units=50)
    assert (spread.seeds, spread.seeds_freedom) == (0.0, 0.0)
    assert spread.rows == pytest.approx(np.var(draws, ddof=1) * 50 / 49)
    assert spread.freedom == pytest.approx(49)


def test_rows_that_are_hard_for_both_do_not_count() -> None:
    draws = np.random.default_rng(1).normal(size=100)
    found = difference(runs(0.5, draws=draws), runs(0.6, draws=draws), units=50)
    assert found.estimate.spread.rows == pytest.approx(0.0)


def test_a_group_against_itself_is_never_better() -> None:
    group = runs(0.5, 0.6, draws=np.random.default_rng(1).normal(size=100))
    found = difference(group, group, units=50)
    assert (found.estimate.value, found.p_value) == (0.0, 1.0)


def test_the_mean_of_seeds_has_their_interval() -> None:
    scores = [0.70, 0.72, 0.74]
    found = mean_score(runs(*scores), units=100)
    low, high = stats.t.interval(0.95, 2, loc=0.72, scale=stats.sem(scores))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_holm_is_that_of_the_paper() -> None:
    # Holm 1979: the smallest times their number, the next times one less, and none smaller than the one before.
    assert holm([0.005, 0.011, 0.02, 0.04]) == pytest.approx([0.02, 0.033, 0.04, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_mcnemar_is_a_coin_for_each_row_that_one_alone_has_right() -> None:
    assert mcnemar_p_value(0, 5) == pytest.approx(2 / 32)
    assert mcnemar_p_value(0, 0) == 1.0


def test_randomisation_counts_what_is_as_large() -> None:
    assert randomised_p_value(0.2, np.array([0.1, -0.2, 0.3, 0.0])) == pytest.approx(3 / 5)


def test_what_is_needed_makes_the_difference_visible() -> None:
    spread = Spread(rows=0.0004, rows_freedom=499, seeds=0.0001, seeds_freedom=4.0)
    size = 0.05
    found = needed(spread, 500, 3, size)
    assert found.rows is not None
    assert found.seeds is None, "of 0.0004 the rows alone leave more than 0.05 in doubt"
    more = Spread(spread.rows * 500 / found.rows, found.rows - 1, spread.seeds, spread.seeds_freedom)
    assert visible(more) == pytest.approx(size, rel=0.01)
    assert needed(spread, 500, 3, 0.02).rows is None, "nor do rows alone tell 0.02, with these seeds"
    assert needed(spread, 500, 3, 0.9) == Needed(500, 3)
    assert needed(Spread(0.0004, 499, 0.0, 0.0), 500, 1, 0.01).seeds is None


def test_stochastic_order() -> None:
    worse, better = [0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1.0]
    assert stochastic_order_violation(better, worse) == 0.0
    assert stochastic_order_violation(worse, better) == 1.0
    assert stochastic_order_violation(worse, worse) == 0.5
    assert violation_bound(better, worse, seed=1) < 0.2
    assert violation_bound(worse, worse, seed=1) > 0.5
    # Quantile functions by hand: 1, 4 against 2, 3, 3: in sixths, ahead by -1 -1 -2 (4-3) (4-3) (4-3).
    assert stochastic_order_violation([1.0, 4.0], [2.0, 3.0, 3.0]) == pytest.approx(6 / 9)


def test_simulated_groups_without_a_difference_seldom_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "SETTINGS", (alarms.Setting(100, 3, 0.1),))
    monkeypatch.setattr(alarms, "DRAWS", 100)
    monkeypatch.setattr(alarms, "MANY", 20_000)
    alarms.measure(Namespace(rows=60, output=tmp_path))
    row = (tmp_path / "alarms.md").read_text().splitlines()[2].split("|")
    assert float(row[2].strip(" %")) < 15
    assert float(row[4].strip(" %")) > 60
