"""Scores of single-label classification, by scikit-learn's definitions."""

from collections.abc import Sequence


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
        "matthews": float(matthews_corrcoef(references, predictions)),
    }
    for index, label in enumerate(present):
        scores[f"f1/{label}"] = float(f1[index])
        scores[f"precision/{label}"] = float(precision[index])
        scores[f"recall/{label}"] = float(recall[index])
        scores[f"support/{label}"] = float(support[index])
    return scores
