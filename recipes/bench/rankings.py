"""Rankings of rows, words and entities by how probably they are labelled wrongly: the audit's, and others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from recipes.bench.planting import Plant
from tasks.auditing.suspect import Line

Array: TypeAlias = "np.ndarray[Any, Any]"

SMALLEST = 1e-6
"Of probabilities whose logarithm is taken."


class Doubt(NamedTuple):
    """Something to look at: a row, or words of it, `end` exclusive."""

    row: int
    start: int = 0
    end: int = 1


def found(ranking: Sequence[Doubt], plants: Sequence[Plant], budget: int) -> int:
    """Return how many plants lie among the first doubts. One that two of them hit counts once."""
    of_row: dict[int, list[tuple[int, Plant]]] = defaultdict(list)
    for number, one in enumerate(plants):
        of_row[one.row].append((number, one))
    return len(
        {
            number
            for doubt in ranking[:budget]
            for number, one in of_row[doubt.row]
            if doubt.start < one.end and one.start < doubt.end
        }
    )


def found_by_chance(plants: Sequence[Plant], things: int, budget: int) -> float:
    """Return how many plants lie on the average among so many rows, or words, drawn from all of them."""
    return sum(1 - comb(things - (one.end - one.start), budget) / comb(things, budget) for one in plants)


def of_audit(record: Mapping[str, Any], lines: Sequence[Line]) -> list[Doubt]:
    """Return the audit's ranking, from its file: of entities, and otherwise of rows, each once."""
    ranking = []
    for one in record["suspects"]:
        places = (one["given_at"], one["suggested_at"]) if "tokens" in lines[0] else ()
        both = [at for at in places if at]
        ranking.append(
            Doubt(one["line"], min((at[0] for at in both), default=0), max((at[1] for at in both), default=1))
        )
    return list(dict.fromkeys(ranking))


def others(lines: Sequence[Line]) -> dict[str, list[Doubt]]:
    """Return other rankings from the same probabilities: `loss`, and that of cleanlab. Answers have none of them.

    `loss` is the negative logarithm of the probability of what is given: of a label, of all decisions for and against
    labels, or of each word's tag. cleanlab ranks rows with one label by `normalized_margin`, those with several as it
    does by default, and sentences by their worst word, which is then what is looked at.
    """
    first = lines[0]
    if "tokens" in first:
        return _of_sentences(lines)
    if "scores" not in first["prediction"]:
        return {}
    return _of_several(lines) if isinstance(first["gold"], list) else _of_single(lines)


def _of_single(lines: Sequence[Line]) -> dict[str, list[Doubt]]:
    from cleanlab.rank import get_label_quality_scores

    names = sorted({name for line in lines for name in (*line["prediction"]["scores"], line["gold"])})
    gold = np.array([names.index(line["gold"]) for line in lines])
    probabilities = _table([line["prediction"]["scores"] for line in lines], names)
    probabilities /= probabilities.sum(1, keepdims=True)
    margin = get_label_quality_scores(gold, probabilities, method="normalized_margin")
    return {"loss": _lowest(probabilities[np.arange(len(gold)), gold]), "cleanlab": _lowest(margin)}


def _of_several(lines: Sequence[Line]) -> dict[str, list[Doubt]]:
    from cleanlab.multilabel_classification import get_label_quality_scores

    names = sorted({name for line in lines for name in (*line["prediction"]["scores"], *line["gold"])})
    probabilities = _table([line["prediction"]["scores"] for line in lines], names)
    given = np.array([[name in line["gold"] for name in names] for line in lines])
    decided = np.log(np.maximum(np.where(given, probabilities, 1 - probabilities), SMALLEST)).sum(1)
    places = [np.flatnonzero(of_row).tolist() for of_row in given]
    return {"loss": _lowest(decided), "cleanlab": _lowest(get_label_quality_scores(places, probabilities))}


def _of_sentences(lines: Sequence[Line]) -> dict[str, list[Doubt]]:
    from cleanlab.token_classification.rank import get_label_quality_scores

    names = sorted(
        {tag for line in lines for tag in line["gold"]}
        | {tag for line in lines for word in line["prediction"]["scores"] for tag in word}
    )
    gold = [[names.index(tag) for tag in line["gold"]] for line in lines]
    probabilities = [_table(line["prediction"]["scores"], names) for line in lines]
    of_sentences, of_words = get_label_quality_scores(gold, [one / one.sum(1, keepdims=True) for one in probabilities])
    worst = [int(np.argmin(np.asarray(words))) for words in of_words]
    words = [(float(score), row, word) for row, of_row in enumerate(of_words) for word, score in enumerate(of_row)]
    return {
        "loss": [Doubt(row, word, word + 1) for _, row, word in sorted(words)],
        "cleanlab": [Doubt(one.row, worst[one.row], worst[one.row] + 1) for one in _lowest(of_sentences)],
    }


def _table(scores: Sequence[Mapping[str, float]], names: Sequence[str]) -> Array:
    """Return probabilities, [rows or words, names]. Those that were not kept are as good as none."""
    return np.array([[max(one.get(name, 0.0), SMALLEST) for name in names] for one in scores])


def _lowest(quality: Array) -> list[Doubt]:
    return [Doubt(int(row)) for row in np.argsort(quality, kind="stable")]
