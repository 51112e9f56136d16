"""Scores of predicted numbers."""

from collections.abc import Sequence

import numpy as np


def regression_scores(predictions: Sequence[float], references: Sequence[float]) -> dict[str, float]:
    """Score one number per row.

    Returns:
        `pearson` and `spearman` (not a number if either side is constant, because correlation is undefined then),
        `rmse`, `mae`, and `r2` (1 minus squared error over variance; not a number if gold is constant).

    >>> regression_scores([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])["rmse"]
    0.5773502691896257
    """
    from scipy import stats

    predicted, gold = np.asarray(predictions, dtype=float), np.asarray(references, dtype=float)
    errors = predicted - gold
    constant = len(gold) < 2 or np.ptp(predicted) == 0 or np.ptp(gold) == 0
    spread = float(((gold - gold.mean()) ** 2).sum())
    return {
        "pearson": float("nan") if constant else float(stats.pearsonr(predicted, gold).statistic),
        "spearman": float("nan") if constant else float(stats.spearmanr(predicted, gold).statistic),
        "rmse": float(np.sqrt((errors**2).mean())),
        "mae": float(np.abs(errors).mean()),
        "r2": 1 - float((errors**2).sum()) / spread if spread else float("nan"),
    }
