"""Scores of single-label classification, by scikit-learn's definitions."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from tasks.scoring.resampling import Numbers, Rescore, mean_where, one_hot, share, sums_of_units


def label_scores(
    predictions: Sequence[str], references: Sequence[str], labels: Sequence[str] | None = None
) -> dict[str, float]:
    """Score one label per row.

    Macro averages are over the classes that occur in gold or prediction. Other classes of the model are left out,
    because nothing shows how well it predicts them. A ratio with denominator 0 is 0.

    Args:
        predictions: the predicted label of each row.
        references: the gold label of each row.
        labels: all classes, for their order; None: sorted by name.

    Returns:
        `accuracy`, `macro_f1`, `macro_precision`, `macro_recall`, `weighted_f1` (classes weighted by gold rows),
        `matthews` (the multi-class coefficient of Gorodkin 2004), and for each class `f1/NAME`, `precision/NAME`,
        `recall/NAME`, `support/NAME` (gold rows).

    >>> label_scores(["spam", "ham", "ham"], ["spam", "ham", "spam"])["f1/spam"]
    0.6666666666666666
    """
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, precision_recall_fscore_support

    occurring = {*predictions, *references}
    present = [label for label in labels if label in occurring] if labels is not None else sorted(occurring)
    precision, recall, f1, support = precision_recall_fscore_support(
        references, predictions, labels=present, average=None, zero_division=0
    )
    scores = {
        "accuracy": float(accuracy_score(references, predictions)),
        "macro_f1": float(f1.mean()),
        "macro_precision": float(precision.mean()),
        "macro_recall": float(recall.mean()),
        "weighted_f1": float(f1_score(references, predictions, labels=present, average="weighted", zero_division=0)),
        # With one class scikit-learn's is 0, too, after a warning.
        "matthews": float(matthews_corrcoef(references, predictions)) if len(occurring) > 1 else 0.0,
    }
    for index, label in enumerate(present):
        scores[f"f1/{label}"] = float(f1[index])
        scores[f"precision/{label}"] = float(precision[index])
        scores[f"recall/{label}"] = float(recall[index])
        scores[f"support/{label}"] = float(support[index])
    return scores


def label_rescore(predictions: Sequence[str], references: Sequence[str], units: Sequence[int]) -> Rescore:
    """Return the overall scores of `label_scores` for weighted units.

    Args:
        predictions: the predicted label of each row.
        references: the gold label of each row.
        units: the number of each row's unit.
    """
    places = {label: place for place, label in enumerate(dict.fromkeys((*predictions, *references)))}
    predicted = one_hot([places[label] for label in predictions], len(places))
    gold = one_hot([places[label] for label in references], len(places))
    return sums_of_units(sparse.hstack([predicted.multiply(gold), predicted, gold]), units, _overall)


def _overall(sums: Numbers) -> dict[str, Numbers]:
    """Return scores of the numbers of right, predicted and gold rows of each class: [draws, 3 x classes]."""
    right, predicted, gold = np.split(sums, 3, axis=-1)
    rows, hits = gold.sum(axis=-1), right.sum(axis=-1)
    there = predicted + gold > 0
    f1 = share(2 * right, predicted + gold)
    by_chance = (predicted * gold).sum(axis=-1)
    spread = (rows**2 - (predicted**2).sum(axis=-1)) * (rows**2 - (gold**2).sum(axis=-1))
    return {
        "accuracy": share(hits, rows),
        "macro_f1": mean_where(f1, there),
        "macro_precision": mean_where(share(right, predicted), there),
        "macro_recall": mean_where(share(right, gold), there),
        "weighted_f1": share((f1 * gold).sum(axis=-1), rows),
        "matthews": share(hits * rows - by_chance, np.sqrt(spread)),
    }
