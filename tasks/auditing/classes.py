"""Suspicious labels and numbers of whole texts, by confident learning (Northcutt et al. 2021) as in cleanlab."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from cleanlab.count import num_label_issues
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from tasks.auditing.suspect import Line, Suspect, worst_first

Array: TypeAlias = "np.ndarray[Any, Any]"

DRAWS = 200
"Of the bootstrap that the interval of the noise rate comes from."
MOST_CELLS = 20_000_000
"Rows times labels times draws, above which there are fewer draws."
CONFIDENCE = 0.95
FEWEST_ROWS = 20
"Fewer rows tell nothing about how many of them are wrong."


@dataclass(frozen=True)
class Noise:
    """How many labels are estimated to be wrong."""

    rate: float
    low: float | None
    "Bounds of a 95% interval over rows. None: too few rows."
    high: float | None
    of: str = "labels"
    "What the rate is a share of."


@dataclass(frozen=True)
class Audited:
    """What is suspicious, worst first, and how much of everything is estimated to be wrong."""

    suspects: list[Suspect]
    noise: Noise | None
    "None: nothing to estimate it by."


def audit_single(lines: Sequence[Line]) -> Audited:
    """Rank the labels of rows with one label each.

    Every row whose most probable label is another one is a suspect; likely are as many as confident learning takes out.
    """
    names = sorted({name for line in lines for name in (*line["prediction"]["scores"], line["gold"])})
    places = {name: place for place, name in enumerate(names)}
    gold = np.array([places[line["gold"]] for line in lines])
    probabilities = _probabilities(lines, names)
    quality = get_label_quality_scores(gold, probabilities, method="normalized_margin")
    likely = _issues(gold, probabilities)
    best = probabilities.argmax(1)
    suspects = [
        Suspect(int(place), "label", names[gold[place]], names[best[place]], float(quality[place]), bool(likely[place]))
        for place in np.flatnonzero((best != gold) | likely)
        if best[place] != gold[place]
    ]
    return Audited(
        worst_first(suspects), _noise(len(lines), lambda rows: _issue_count(gold[rows], probabilities[rows]))
    )


def audit_several(lines: Sequence[Line]) -> Audited:
    """Rank the labels of rows with any number of labels, each label by itself: there or not."""
    names = sorted({name for line in lines for name in (*line["prediction"]["scores"], *line["gold"])})
    scores = np.array([[line["prediction"]["scores"].get(name, 0.0) for name in names] for line in lines])
    gold = np.array([[name in line["gold"] for name in names] for line in lines], dtype=int)
    suspects = []
    for label, name in enumerate(names):
        pairs = np.stack([1 - scores[:, label], scores[:, label]], axis=1)
        likely = _issues(gold[:, label], pairs)
        for place in np.flatnonzero(likely):
            there = bool(gold[place, label])
            kind = "extra label" if there else "missing label"
            given, suggested = (name, "") if there else ("", name)
            quality = float(pairs[place, gold[place, label]])
            suspects.append(Suspect(int(place), kind, given, suggested, quality, likely=True))

    def wrong(rows: Array) -> int:
        return sum(
            _issue_count(gold[rows, label], np.stack([1 - scores[rows, label], scores[rows, label]], axis=1))
            for label in range(len(names))
        )

    return Audited(worst_first(suspects), _noise(len(lines), wrong, per_row=len(names)))


def audit_numbers(lines: Sequence[Line]) -> Audited:
    """Rank numbers by how far they are from what is predicted, against how far others are (`outre` of cleanlab)."""
    from cleanlab.regression.rank import get_label_quality_scores as quality_of_numbers

    gold = np.array([line["gold"] for line in lines], dtype=float)
    predicted = np.array([line["prediction"]["label"] for line in lines], dtype=float)
    quality = quality_of_numbers(gold, predicted)
    # There is no estimate of how many are wrong. A residual beyond Tukey's outer fence is one that hardly any has.
    residuals = np.abs(gold - predicted)
    low, high = np.percentile(residuals, [25, 75])
    suspects = [
        Suspect(int(place), "number", f"{gold[place]:g}", f"{predicted[place]:.4g}", float(quality[place]), likely=True)
        for place in np.flatnonzero(residuals > high + 3 * (high - low))
    ]
    return Audited(worst_first(suspects), None)


def _probabilities(lines: Sequence[Line], names: Sequence[str]) -> Array:
    """Return the probabilities of all labels, [rows, labels], each row summing to one."""
    found = np.array([[line["prediction"]["scores"].get(name, 0.0) for name in names] for line in lines])
    positive: Array = np.maximum(found, 1e-9)
    return positive / positive.sum(1, keepdims=True)  # type: ignore[no-any-return]


def _issues(gold: Array, probabilities: Array) -> Array:
    """Return for each row whether confident learning takes it for wrong, bool [rows]."""
    if len(set(gold.tolist())) < 2:
        return np.zeros(len(gold), dtype=bool)
    return np.asarray(find_label_issues(gold, probabilities, n_jobs=1))


def _issue_count(gold: Array, probabilities: Array) -> int:
    """Return how many rows are estimated to be wrong: those off the diagonal of the confident joint."""
    kept = sorted(set(gold.tolist()))
    if len(kept) < 2:
        return 0
    # A draw may lack a label, which cleanlab does not expect.
    renumbered = np.searchsorted(kept, gold)
    some = probabilities[:, kept]
    return int(num_label_issues(renumbered, some / some.sum(1, keepdims=True), estimation_method="off_diagonal"))


def _noise(rows: int, wrong: Callable[[Array], int], per_row: int = 1) -> Noise:
    rate = wrong(np.arange(rows)) / (rows * per_row)
    draws = max(min(DRAWS, MOST_CELLS // max(rows * per_row, 1)), 20)
    of = "labels" if per_row == 1 else "decisions for and against a label"
    if rows < FEWEST_ROWS:
        return Noise(rate, None, None, of)
    generator = np.random.default_rng(0)
    rates = [wrong(generator.integers(rows, size=rows)) / (rows * per_row) for _ in range(draws)]
    low, high = np.percentile(rates, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Noise(rate, min(float(low), rate), max(float(high), rate), of)
