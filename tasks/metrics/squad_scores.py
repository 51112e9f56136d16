"""Exact match and F1 of extracted answers, as the official SQuAD scripts compute them."""

from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from tasks.scoring.squad import squad_scores

DESCRIPTION = """Exact match and F1 on the scale 0 to 100 by the rules of SQuAD v1.1 or v2.0,
with the best no-answer threshold."""

INPUTS = """
Args:
    predictions: dicts of `id`, `prediction_text`, `no_answer_score`.
    references: dicts of `id` and `answers` with the list `text`.
    version: "v1.1" or "v2.0".

Returns:
    A flat dict of names and numbers, see `tasks.scoring.squad.squad_scores`.

Examples:
    >>> predictions = [{"id": "1", "prediction_text": "in Oslo", "no_answer_score": -1.0}]
    >>> references = [{"id": "1", "answers": {"text": ["Oslo"], "answer_start": [3]}}]
    >>> SquadScores().compute(predictions=predictions, references=references, version="v1.1")["f1"]
    66.66666666666667
"""

CITATION = """Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text;
Rajpurkar et al. 2018, Know What You Don't Know: Unanswerable Questions for SQuAD."""


class SquadScores(evaluate.Metric):  # type: ignore[misc]
    """Exact match and F1 of extracted answers, as the official SQuAD scripts compute them."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=Features(
                {
                    "predictions": {
                        "id": Value("string"),
                        "prediction_text": Value("string"),
                        "no_answer_score": Value("float64"),
                    },
                    "references": {
                        "id": Value("string"),
                        "answers": {"text": Sequence(Value("string")), "answer_start": Sequence(Value("int64"))},
                    },
                }
            ),
        )

    def _compute(self, predictions: Any, references: Any, version: str = "v2.0") -> dict[str, float]:
        return squad_scores(predictions, references, version)
