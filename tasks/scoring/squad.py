"""Exact match and F1 of extracted answers, by the rules of the official SQuAD scripts, on their scale of 0 to 100.

Rajpurkar et al. 2016 (v1.1) and 2018 (v2.0). The versions differ if normalisation leaves a gold answer empty: v1.1
gives such an answer an F1 of 0; v2.0 ignores it, and treats a question that has no other answer as unanswerable.
"""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tasks.errors import InputError
from tasks.scoring.resampling import Numbers, Rescore, sums_of_units, undefined_share

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalize(answer: str) -> str:
    """Convert to lower case, remove punctuation and articles, and collapse white space.

    >>> normalize("The  Eiffel-Tower!")
    'eiffeltower'
    """
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact(prediction: str, gold: str) -> float:
    """Return 1.0 if the normalised answers are the same."""
    return float(normalize(prediction) == normalize(gold))


def overlap_f1(prediction: str, gold: str, version: str = "v2.0") -> float:
    """Return the F1 of the normalised words, each counted as often as it occurs.

    If either side is empty, v2.0 gives 1 if both are and 0 otherwise; v1.1 always gives 0.
    """
    predicted, expected = normalize(prediction).split(), normalize(gold).split()
    if version == "v2.0" and (not predicted or not expected):
        return float(predicted == expected)
    same = sum((Counter(predicted) & Counter(expected)).values())
    if same == 0:
        return 0.0
    precision, recall = 1.0 * same / len(predicted), 1.0 * same / len(expected)
    return (2 * precision * recall) / (precision + recall)


def question_scores(prediction: str, answers: Sequence[str], version: str = "v2.0") -> tuple[float, float]:
    """Return the best exact match and the best F1 of one prediction over the accepted answers, from 0 to 1.

    In v1.1, a question without an answer is one that no prediction can hit: both are 0.
    """
    golds = list(answers)
    if version == "v2.0":
        golds = [answer for answer in answers if normalize(answer)] or [""]
    return (
        max((exact(prediction, gold) for gold in golds), default=0.0),
        max((overlap_f1(prediction, gold, version) for gold in golds), default=0.0),
    )


def squad_scores(
    predictions: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]], version: str = "v2.0"
) -> dict[str, float]:
    """Score predicted answers as the official script of a version does.

    Args:
        predictions: `id`, `prediction_text` ("" for no answer), `no_answer_score` (higher: no answer is more likely).
        references: `id`, `answers` with the list `text`; in v2.0 an empty list means that there is no answer.
        version: v1.1 or v2.0.

    Returns:
        `exact_match`, `f1`, `total`. v2.0 adds the same with the prefixes `has_answer_` and `no_answer_`, over the
        questions that have an answer and those that have none. It also adds `best_exact_match` and `best_f1`, each with
        its `best_..._threshold`: the scores that these predictions would reach with the best single threshold on
        `no_answer_score`, above which the answer becomes "" (as `find_best_thresh` finds it).

    Raises:
        InputError: ids are missing or occur twice.
    """
    by_id = _paired(predictions, references)
    scored: dict[str, tuple[float, float]] = {}
    has_answer: dict[str, bool] = {}
    for reference in references:
        name, answers = str(reference["id"]), reference["answers"]["text"]
        scored[name] = question_scores(by_id[name]["prediction_text"], answers, version)
        has_answer[name] = bool(answers)
    result = _totals(list(scored.values()), "")
    if version != "v2.0":
        return result
    for prefix, wanted in (("has_answer_", True), ("no_answer_", False)):
        chosen = [scores for name, scores in scored.items() if has_answer[name] == wanted]
        if chosen:
            result |= _totals(chosen, prefix)
    names = list(scored)
    no_answer_scores = [float(by_id[name]["no_answer_score"]) for name in names]
    answered = [bool(by_id[name]["prediction_text"]) for name in names]
    for index, metric in enumerate(("exact_match", "f1")):
        values = [
            scored[name][index] if has_answer[name] else float(not text)
            for name, text in zip(names, answered, strict=True)
        ]
        best, threshold = best_threshold(no_answer_scores, values, [has_answer[name] for name in names], answered)
        result[f"best_{metric}"] = 100.0 * best / len(names)
        result[f"best_{metric}_threshold"] = threshold
    return result


def best_threshold(
    no_answer_scores: Sequence[float],
    scores: Sequence[float],
    has_answer: Sequence[bool],
    answered: Sequence[bool] | None = None,
) -> tuple[float, float]:
    """Find the threshold with the best total score: a question is answered if its no-answer score is at most this.

    The search is that of the official script. It starts with no question answered, which is right for each question
    without an answer. Then it answers the questions one by one, in the order of their no-answer score. A question with
    an answer adds its score; a question without one subtracts 1 if its predicted answer is not empty. The first best
    threshold wins, and 0 means that answering no question is best.

    Args:
        no_answer_scores: one per question; higher: no answer is more likely.
        scores: the score of each predicted answer, 0 to 1; only those of questions that have an answer are used.
        has_answer: whether the question has a gold answer.
        answered: whether the predicted answer is not empty; None: always.

    Returns:
        The best total and its threshold.
    """
    total = best = float(sum(not has for has in has_answer))
    threshold = 0.0
    for index in sorted(range(len(scores)), key=no_answer_scores.__getitem__):
        if has_answer[index]:
            total += scores[index]
        elif answered is None or answered[index]:
            total -= 1
        if total > best:
            best, threshold = total, no_answer_scores[index]
    return best, threshold


def _totals(scores: Sequence[tuple[float, float]], prefix: str) -> dict[str, float]:
    # Add one by one, as the official scripts do: since Python 3.12, sum() is more exact and differs in the last digit.
    exact_match = f1 = 0.0
    for one_exact_match, one_f1 in scores:
        exact_match += one_exact_match
        f1 += one_f1
    return {
        f"{prefix}exact_match": 100.0 * exact_match / len(scores),
        f"{prefix}f1": 100.0 * f1 / len(scores),
        f"{prefix}total": float(len(scores)),
    }


def _paired(
    predictions: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    by_id = {str(prediction["id"]): prediction for prediction in predictions}
    names = [str(reference["id"]) for reference in references]
    if len(by_id) != len(predictions) or len(set(names)) != len(names):
        raise InputError("ids of questions must occur once each among predictions and among references")
    missing = [name for name in names if name not in by_id]
    if missing:
        raise InputError(f"{len(missing)} questions have no prediction, the first: {', '.join(missing[:3])}")
    return by_id


def squad_rescore(
    predictions: Sequence[str], answers: Sequence[Sequence[str]], version: str, units: Sequence[int]
) -> Rescore:
    """Return the scores of `squad_scores` for weighted units, without the best ones over all thresholds.

    Args:
        predictions: the predicted answer to each question, "" for none.
        answers: the accepted answers to each question.
        version: v1.1 or v2.0.
        units: the number of each question's unit.
    """
    scored = [question_scores(text, accepted, version) for text, accepted in zip(predictions, answers, strict=True)]
    of_rows = np.column_stack([np.ones(len(scored)), 100 * np.array(scored, dtype=float).reshape(-1, 2)])
    answerable = np.array([bool(accepted) for accepted in answers])[:, None]
    return sums_of_units(
        np.hstack([of_rows * answerable, of_rows * ~answerable]), units, partial(_means, version=version)
    )


def _means(sums: Numbers, version: str) -> dict[str, Numbers]:
    """Return scores of the number and the scores of questions with an answer, and of those without: [draws, 6]."""
    parts = {"": sums[..., :3] + sums[..., 3:]}
    if version == "v2.0":
        parts |= {"has_answer_": sums[..., :3], "no_answer_": sums[..., 3:]}
    return {
        f"{prefix}{name}": undefined_share(part[..., place], part[..., 0])
        for prefix, part in parts.items()
        for place, name in ((1, "exact_match"), (2, "f1"))
    }
