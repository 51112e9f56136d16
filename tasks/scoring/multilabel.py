"""Scores of multi-label classification, by scikit-learn's definitions."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from tasks.scoring.resampling import Numbers, Rescore, mean_where, share, sums_of_units


def multilabel_scores(
    predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], labels: Sequence[str] | None = None
) -> dict[str, float]:
    """Score any number of labels per row.

    Macro averages are over the labels that occur in gold or prediction. A ratio with denominator 0 is 0. The
    exception is `samples_f1`: a row with no gold and no predicted label counts as 1, because its prediction is right.

    Args:
        predictions: the predicted labels of each row.
        references: the gold labels of each row.
        labels: all labels, for their order and for `hamming_loss`; None: those that occur, sorted by name.

    Returns:
        `micro_f1`, `micro_precision`, `micro_recall`, `macro_f1`, `macro_precision`, `macro_recall`, `weighted_f1`,
        `samples_f1`, `subset_accuracy` (rows with exactly the gold labels), `hamming_loss`, and for each label that
        occurs `f1/NAME`, `precision/NAME`, `recall/NAME`, `support/NAME`.
    """
    from sklearn.metrics import precision_recall_fscore_support

    occurring = {label for row in (*predictions, *references) for label in row}
    names = list(labels) if labels is not None else sorted(occurring)
    predicted, gold = _indicators(predictions, names), _indicators(references, names)
    present = [index for index, name in enumerate(names) if name in occurring]
    precision, recall, f1, support = precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
    micro = precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0)
    both, either = (predicted & gold).sum(1), predicted.sum(1) + gold.sum(1)
    samples = np.where(either == 0, 1.0, 2 * both / np.maximum(either, 1))
    scores = {
        "micro_f1": float(micro[2]),
        "micro_precision": float(micro[0]),
        "micro_recall": float(micro[1]),
        "macro_f1": _mean(f1[present]),
        "macro_precision": _mean(precision[present]),
        "macro_recall": _mean(recall[present]),
        "weighted_f1": float((f1 * support).sum() / support.sum()) if support.sum() else 0.0,
        "samples_f1": float(samples.mean()),
        "subset_accuracy": float((predicted == gold).all(1).mean()),
        "hamming_loss": float((predicted != gold).mean()),
    }
    for index in present:
        scores[f"f1/{names[index]}"] = float(f1[index])
        scores[f"precision/{names[index]}"] = float(precision[index])
        scores[f"recall/{names[index]}"] = float(recall[index])
        scores[f"support/{names[index]}"] = float(support[index])
    return scores


def _indicators(
    rows: Sequence[Sequence[str]], names: Sequence[str]
) -> "np.ndarray[tuple[int, int], np.dtype[np.bool]]":
    places = {name: index for index, name in enumerate(names)}
    table = np.zeros((len(rows), len(names)), dtype=bool)
    for number, row in enumerate(rows):
        table[number, [places[name] for name in row]] = True
    return table


def _mean(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    return float(values.mean()) if len(values) else 0.0


def multilabel_rescore(
    predictions: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    names: Sequence[str],
    units: Sequence[int],
) -> Rescore:
    """Return the overall scores of `multilabel_scores` for weighted units.

    Args:
        predictions: the predicted labels of each row.
        references: the gold labels of each row.
        names: all labels.
        units: the number of each row's unit.
    """
    predicted, gold = _indicators(predictions, names), _indicators(references, names)
    both, either = (predicted & gold).sum(1), predicted.sum(1) + gold.sum(1)
    of_rows = np.column_stack(
        [
            np.ones(len(predicted)),
            np.where(either == 0, 1.0, 2 * both / np.maximum(either, 1)),
            (predicted == gold).all(1),
            (predicted != gold).mean(1),
        ]
    )
    of_labels = (predicted & gold, predicted, gold)
    return sums_of_units(
        sparse.hstack([sparse.csr_array(part.astype(float)) for part in (of_rows, *of_labels)]), units, _overall
    )


def _overall(sums: Numbers) -> dict[str, Numbers]:
    """Return scores of sums over rows, and of right, predicted and gold rows by label: [draws, 4 + 3 x labels]."""
    rows, samples, exact, different = np.moveaxis(sums[..., :4], -1, 0)
    right, predicted, gold = np.split(sums[..., 4:], 3, axis=-1)
    there = predicted + gold > 0
    f1 = share(2 * right, predicted + gold)
    hits, guesses, wanted = (part.sum(axis=-1) for part in (right, predicted, gold))
    return {
        "micro_f1": share(2 * hits, guesses + wanted),
        "micro_precision": share(hits, guesses),
        "micro_recall": share(hits, wanted),
        "macro_f1": mean_where(f1, there),
        "macro_precision": mean_where(share(right, predicted), there),
        "macro_recall": mean_where(share(right, gold), there),
        "weighted_f1": share((f1 * gold).sum(axis=-1), wanted),
        "samples_f1": share(samples, rows),
        "subset_accuracy": share(exact, rows),
        "hamming_loss": share(different, rows),
    }
