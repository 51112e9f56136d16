"""Scores of multi-label classification."""

from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from tasks.scoring.multilabel import multilabel_scores

DESCRIPTION = """Micro, macro, weighted and per-row F1, subset accuracy, Hamming loss, and the scores of each label."""

INPUTS = """
Args:
    predictions: lists of predicted label names, one a row.
    references: lists of gold label names.
    labels: all labels in order; None: those that occur.

Returns:
    A flat dict of names and numbers, see `tasks.scoring.multilabel.multilabel_scores`.

Examples:
    >>> MultilabelScores().compute(predictions=[["joy"]], references=[["joy", "love"]])["micro_recall"]
    0.5
"""

CITATION = """Pedregosa et al. 2011, Scikit-learn: Machine Learning in Python, JMLR 12."""


class MultilabelScores(evaluate.Metric):  # type: ignore[misc]
    """Scores of multi-label classification."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=Features({"predictions": Sequence(Value("string")), "references": Sequence(Value("string"))}),
        )

    def _compute(self, predictions: Any, references: Any, labels: list[str] | None = None) -> dict[str, float]:
        return multilabel_scores(predictions, references, labels)
