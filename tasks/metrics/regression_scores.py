"""Scores of predicted numbers."""

from typing import Any

import evaluate
from datasets import Features, Value

from tasks.scoring.regression import regression_scores

DESCRIPTION = """Pearson and Spearman correlation, root mean squared and mean absolute error,
and the share of variance explained."""

INPUTS = """
Args:
    predictions: predicted numbers, one a row.
    references: gold numbers.

Returns:
    A flat dict of names and numbers, see `tasks.scoring.regression.regression_scores`.

Examples:
    >>> RegressionScores().compute(predictions=[1.0, 2.0], references=[1.0, 4.0])["mae"]
    1.0
"""

CITATION = """Virtanen et al. 2020, SciPy 1.0, Nature Methods 17."""


class RegressionScores(evaluate.Metric):  # type: ignore[misc]
    """Scores of predicted numbers."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=Features({"predictions": Value("float64"), "references": Value("float64")}),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        return regression_scores(predictions, references)
