"""Entity scores of named-entity recognition."""

from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from tasks.scoring.entities import entity_scores

DESCRIPTION = (
    """Precision, recall and F1 of whole entities over all and for each type, as conlleval and seqeval compute them."""
)

INPUTS = """
Args:
    predictions: lists of predicted IOB2 tags, one a sentence.
    references: lists of gold IOB2 tags.

Returns:
    A flat dict of names and numbers, see `tasks.scoring.entities.entity_scores`.

Examples:
    >>> EntityScores().compute(predictions=[["B-PER", "O"]], references=[["B-PER", "B-LOC"]])["recall"]
    0.5
"""

CITATION = """Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 shared task; Nakayama 2018, seqeval."""


class EntityScores(evaluate.Metric):  # type: ignore[misc]
    """Entity scores of named-entity recognition."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=Features({"predictions": Sequence(Value("string")), "references": Sequence(Value("string"))}),
        )

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        return entity_scores(predictions, references)
