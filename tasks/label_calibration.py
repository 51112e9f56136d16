"""From the probabilities of labels to what is predicted: a temperature, a threshold, and rounding."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.analysis.calibration import at_temperature, fit_temperature, probabilities_of

EVEN_ODDS = 0.5
SCORE_DIGITS = 6
"Decimals of predicted probabilities."
TEMPERATURE_DIGITS = 4

Scores = Mapping[str, float]
"The probability of each label of a row."


def fitted_temperature(gold: Sequence[str], scores: Sequence[Scores]) -> float | None:
    """Return the temperature that makes gold likeliest. Rows with a label that the model lacks don't count.

    Returns:
        None if no row counts, or probabilities are no numbers.
    """
    known = [(label, of_row) for label, of_row in zip(gold, scores, strict=True) if label in of_row]
    probabilities = probabilities_of([of_row for _, of_row in known])
    if not known or not np.isfinite(probabilities).all():
        return None
    places = [list(of_row).index(label) for label, of_row in known]
    return round(fit_temperature(probabilities, places), TEMPERATURE_DIGITS)


def calibrated(scores: Sequence[Scores], temperature: float | None) -> list[dict[str, float]]:
    """Return rounded probabilities, at a temperature if there is one."""
    if temperature is not None and scores:
        scaled = at_temperature(probabilities_of(scores), temperature).tolist()
        scores = [dict(zip(of_row, values, strict=True)) for of_row, values in zip(scores, scaled, strict=True)]
    return [{label: round(score, SCORE_DIGITS) for label, score in of_row.items()} for of_row in scores]


def best_label_threshold(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the smallest score at which to predict a label, for the best F1 over all pairs of a row and a label.

    Probabilities are small if rows have few labels. After little training none may reach one half, although their
    order is already right.

    Args:
        pairs: the score of each label for each row, and whether gold has it.

    >>> best_label_threshold([(0.4, True), (0.3, True), (0.2, False), (0.1, False)])
    0.3
    """
    ordered = sorted(pairs, reverse=True)
    total = sum(gold for _, gold in ordered)
    best, threshold, hits = 0.0, EVEN_ODDS, 0
    for number, (score, gold) in enumerate(ordered, start=1):
        hits += gold
        next_score = ordered[number][0] if number < len(ordered) else None
        f1 = 2 * hits / (number + total)
        if f1 > best and score != next_score:
            best, threshold = f1, score
    return threshold


def labels_from(scores: Scores, threshold: float) -> list[str]:
    """Return the labels whose probability reaches a threshold."""
    return [label for label, score in scores.items() if score >= threshold]
