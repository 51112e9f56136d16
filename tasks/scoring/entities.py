"""Entity scores as seqeval and conlleval compute them: an entity counts if its type and both its ends are right."""

from collections.abc import Sequence

from tasks.errors import InputError
from tasks.tags import split_tag


def entity_scores(predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score IOB2 tags, one list per sentence.

    Returns:
        `precision`, `recall`, `f1` over all entities; `accuracy` over words; `macro_f1`, the mean over the types that
        occur; for each of them `f1/TYPE`, `precision/TYPE`, `recall/TYPE`, `support/TYPE` (gold entities). A ratio
        with denominator 0 is 0.

    Raises:
        InputError: sentences are of unequal length, or a tag is malformed; seqeval would misread it silently.

    >>> entity_scores([["B-PER", "O"]], [["B-PER", "B-LOC"]])["recall"]
    0.5
    """
    _check(predictions, references)
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    gold, predicted = [list(tags) for tags in references], [list(tags) for tags in predictions]
    words = sum(map(len, gold))
    right = sum(a == b for one, two in zip(gold, predicted, strict=True) for a, b in zip(one, two, strict=True))
    types = sorted({split_tag(tag).type for side in (gold, predicted) for tags in side for tag in tags} - {""})
    if not types:
        return {
            "precision": 0.0,
            "recall": 0.0,
            "f1": 0.0,
            "accuracy": right / words if words else 0.0,
            "macro_f1": 0.0,
        }
    micro = precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0)
    precision, recall, f1, support = precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
    scores = {
        "precision": float(micro[0]),
        "recall": float(micro[1]),
        "f1": float(micro[2]),
        "accuracy": right / words,
        "macro_f1": float(f1.mean()),
    }
    for index, kind in enumerate(types):
        scores[f"f1/{kind}"] = float(f1[index])
        scores[f"precision/{kind}"] = float(precision[index])
        scores[f"recall/{kind}"] = float(recall[index])
        scores[f"support/{kind}"] = float(support[index])
    return scores


def _check(predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> None:
    if len(predictions) != len(references):
        raise InputError(f"{len(predictions)} predicted sentences but {len(references)} gold ones")
    for number, (predicted, gold) in enumerate(zip(predictions, references, strict=True), start=1):
        if len(predicted) != len(gold):
            raise InputError(f"sentence {number}: {len(predicted)} predicted tags but {len(gold)} gold ones")
    for tag in {tag for side in (predictions, references) for tags in side for tag in tags}:
        try:
            split_tag(tag)
        except ValueError as error:
            raise InputError(str(error)) from error
