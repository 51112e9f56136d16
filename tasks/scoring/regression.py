"""Scores of predicted numbers."""

from collections.abc import Sequence

import numpy as np

from tasks.scoring.resampling import (
    TINY,
    Numbers,
    Ranks,
    Rescore,
    correlation_of_sums,
    rank_correlation,
    sums_of_units,
    undefined_share,
)

FEWEST_TO_CORRELATE = 3
"Rows, as any two numbers correlate fully."


def regression_scores(predictions: Sequence[float], references: Sequence[float]) -> dict[str, float]:
    """Score one number per row.

    Returns:
        `pearson` and `spearman` (not a number if either side is constant, because correlation is undefined then, or of
        fewer than three rows, as any two numbers correlate fully), `rmse`, `mae`, and `r2` (1 minus squared error over
        variance; not a number if gold is constant).

    >>> regression_scores([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])["rmse"]
    0.5773502691896257
    """
    from scipy import stats

    predicted, gold = np.asarray(predictions, dtype=float), np.asarray(references, dtype=float)
    errors = predicted - gold
    constant = len(gold) < FEWEST_TO_CORRELATE or np.ptp(predicted) == 0 or np.ptp(gold) == 0
    spread = float(((gold - gold.mean()) ** 2).sum())
    return {
        "pearson": float("nan") if constant else float(stats.pearsonr(predicted, gold).statistic),
        "spearman": float("nan") if constant else float(stats.spearmanr(predicted, gold).statistic),
        "rmse": float(np.sqrt((errors**2).mean())),
        "mae": float(np.abs(errors).mean()),
        "r2": 1 - float((errors**2).sum()) / spread if spread else float("nan"),
    }


def regression_rescore(predictions: Sequence[float], references: Sequence[float], units: Sequence[int]) -> Rescore:
    """Return the scores of `regression_scores` for weighted units.

    Args:
        predictions: the predicted number of each row.
        references: the gold number of each row.
        units: the number of each row's unit.
    """
    predicted, gold = np.asarray(predictions, dtype=float), np.asarray(references, dtype=float)
    # Correlations and the spread do not change, and sums of squares keep their digits.
    one, two = predicted - predicted.mean(), gold - gold.mean()
    errors = predicted - gold
    of_rows = [np.ones(len(gold)), one, two, one * one, two * two, one * two, errors**2, np.abs(errors)]
    additive = sums_of_units(np.column_stack(of_rows), units, _additive)
    ranks = Ranks.of(predictions), Ranks.of(references)
    of_row = np.asarray(units)
    alone = bool((of_row == np.arange(len(gold))).all())

    def rescored(weights: Numbers) -> dict[str, Numbers]:
        by_row = weights if alone else weights[:, of_row]
        spearman = np.where(by_row.sum(axis=-1) < FEWEST_TO_CORRELATE, np.nan, rank_correlation(by_row, *ranks))
        return {**additive(weights), "spearman": spearman}

    return rescored


def _additive(sums: Numbers) -> dict[str, Numbers]:
    """Return scores of sums over rows: of 1, both sides, their squares and products, squared and absolute errors."""
    rows, one, two, squares, others, products, squared, absolute = np.moveaxis(sums, -1, 0)
    spread = others - two * two / rows
    spread = np.where(spread > TINY * others, spread, 0.0)
    return {
        "pearson": np.where(
            rows < FEWEST_TO_CORRELATE, np.nan, correlation_of_sums(rows, one, two, squares, others, products)
        ),
        "rmse": np.sqrt(squared / rows),
        "mae": absolute / rows,
        "r2": 1 - undefined_share(squared, spread),
    }
