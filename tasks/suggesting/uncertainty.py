"""How unsure a model is of a row, and how much work the row is: what a label for it would teach, and cost."""

from collections.abc import Mapping, Sequence
from math import exp, log2
from typing import Any, TypeAlias

Prediction: TypeAlias = Mapping[str, Any]

OPENING = 10
"Words that could be read in the time that it takes to turn to a new sentence."


def of_single_label(prediction: Prediction) -> float:
    """Return how close the two most probable labels are, 0 to 1 (margin sampling, Scheffer et al. 2001).

    >>> round(of_single_label({"scores": {"late": 0.5, "lost": 0.3, "wet": 0.2}}), 6)
    0.8
    """
    best, second, *_ = [*sorted(prediction["scores"].values(), reverse=True), 0.0]
    return float(1 - (best - second))


def of_several_labels(prediction: Prediction) -> float:
    """Return the mean entropy of the decisions for and against each label, in bits.

    >>> of_several_labels({"scores": {"late": 0.5, "lost": 1.0}})
    0.5
    """
    scores: Mapping[str, float] = prediction["scores"]
    return sum(map(_entropy, scores.values())) / len(scores)


def of_number(prediction: Prediction) -> float:
    """Return 0: a predicted number does not tell how sure it is."""
    del prediction
    return 0.0


def of_words(prediction: Prediction) -> float:
    """Return how many tags of a sentence are expected to be wrong.

    >>> round(of_words({"scores": [{"O": 0.9, "B-PER": 0.1}, {"B-PER": 0.6, "O": 0.4}]}), 6)
    0.5
    """
    scores: Sequence[Mapping[str, float]] = prediction["scores"]
    return sum(1 - max(of_word.values()) for of_word in scores)


def of_answer(prediction: Prediction, threshold: float | None) -> float:
    """Return how unsure an answer is, or that there is none, 0 to 1.

    Args:
        prediction: with the probability of its answer, `score`, and by how much no answer is likelier, in logits.
        threshold: from which on there is said to be none. None: every question has an answer.

    >>> of_answer({"answer": "in May", "score": 0.75, "no_answer_score": -9}, None)
    0.25
    >>> of_answer({"answer": "", "score": 0.75, "no_answer_score": 2}, 2.0)
    1.0
    """
    of_span = 1 - float(prediction["score"])
    if threshold is None:
        return of_span
    distance = min(abs(prediction["no_answer_score"] - threshold), 700.0)  # exp overflows beyond
    of_none = 2 / (1 + exp(distance))
    return max(of_span, of_none) if prediction["answer"] else of_none


def per_word(uncertainty: float, words: int) -> float:
    """Return how much there is to learn for the time that a sentence takes, as its words are labelled one by one.

    >>> per_word(0.5, 10)
    0.025
    """
    return uncertainty / (words + OPENING)


def _entropy(probability: float) -> float:
    return -sum(share * log2(share) for share in (probability, 1 - probability) if share > 0)
