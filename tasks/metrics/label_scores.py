"""Scores of single-label classification."""

from typing import Any

import evaluate
from datasets import Features, Value

from tasks.scoring.labels import label_scores

DESCRIPTION = (
    """Accuracy, Matthews correlation, macro and weighted averages, and precision, recall and F1 of each class."""
)

INPUTS = """
Args:
    predictions: predicted label names, one a row.
    references: gold label names.
    labels: all classes in order; None: those that occur.

Returns:
    A flat dict of names and numbers, see `tasks.scoring.labels.label_scores`.

Examples:
    >>> LabelScores().compute(predictions=["spam", "ham"], references=["spam", "spam"])["accuracy"]
    0.5
"""

CITATION = """Pedregosa et al. 2011, Scikit-learn: Machine Learning in Python, JMLR 12."""


class LabelScores(evaluate.Metric):  # type: ignore[misc]
    """Scores of single-label classification."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=Features({"predictions": Value("string"), "references": Value("string")}),
        )

    def _compute(self, predictions: Any, references: Any, labels: list[str] | None = None) -> dict[str, float]:
        return label_scores(predictions, references, labels)
