"""Entity scores as seqeval and conlleval compute them: an entity counts if its type and both its ends are right."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from tasks.errors import InputError
from tasks.scoring.found import precision_recall_f1
from tasks.scoring.resampling import Numbers, Rescore, mean_where, share, sums_of_units
from tasks.tags import Span, spans, split_tag


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


def entity_rescore(
    predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], units: Sequence[int]
) -> Rescore:
    """Return the overall scores of `entity_scores` for weighted units.

    Args:
        predictions: the IOB2 tags of each sentence.
        references: the gold tags of each sentence.
        units: the number of each sentence's unit.
    """
    found, gold = list(map(spans, predictions)), list(map(spans, references))
    places: dict[str, int] = {}
    for side in (found, gold):
        for entities in side:
            for kind, _, _ in entities:
                places.setdefault(kind, len(places))
    right = [sorted({*one} & {*two}) for one, two in zip(found, gold, strict=True)]
    words = np.array(
        [
            [sum(a == b for a, b in zip(one, two, strict=True)), len(two)]
            for one, two in zip(predictions, references, strict=True)
        ],
        dtype=float,
    )
    parts = [sparse.csr_array(words), *(_types_in(entities, places) for entities in (right, found, gold))]
    return sums_of_units(sparse.hstack(parts), units, _overall)


def _types_in(entities: Sequence[Sequence[Span]], places: Mapping[str, int]) -> sparse.csr_array:
    """Return how many entities of each type each sentence has: float64 [sentences, types]."""
    at = [(row, places[kind]) for row, of_row in enumerate(entities) for kind, _, _ in of_row]
    rows, columns = zip(*at, strict=True) if at else ((), ())
    return sparse.csr_array((np.ones(len(at)), (rows, columns)), shape=(len(entities), len(places)))


def _overall(sums: Numbers) -> dict[str, Numbers]:
    """Return scores of right words, words, and right, found and gold entities by type: [draws, 2 + 3 x types]."""
    right, found, gold = np.split(sums[..., 2:], 3, axis=-1)
    hits, guesses, wanted = (part.sum(axis=-1) for part in (right, found, gold))
    return {
        **precision_recall_f1(hits, guesses, wanted),
        "accuracy": share(sums[..., 0], sums[..., 1]),
        "macro_f1": mean_where(share(2 * right, found + gold), found + gold > 0),
    }
