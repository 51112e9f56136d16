"""Which rows to label next: those that the model is least sure of, but not many of a kind."""

import random
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from recipes.serving.trained_model import TrainedModel
from recipes.suggesting.embedding import embed
from tasks.checks.duplicates import Item, near_pairs
from tasks.checks.lengths import word_count
from tasks.inspecting.suggestions import weighing_of
from tasks.task import AnyTask, Prediction, Row

Array: TypeAlias = "np.ndarray[Any, Any]"
CANDIDATES = 10
"How many times the rows that are asked for are candidates, those with the highest priority (Zhdanov 2019)."


@dataclass(frozen=True)
class Candidate:
    """A row that may be labelled next."""

    row: Row
    prediction: Prediction
    uncertainty: float
    "0 where predictions do not tell it (`Chosen.says_something`)."
    priority: float
    words: int


@dataclass(frozen=True)
class Chosen:
    """Rows to label next, those first that the model is least sure of, and why others are not among them."""

    rows: list[Candidate]
    near: int
    "Candidates that are nearly like a labelled row or another candidate, and were passed over."
    says_something: bool
    "Whether predictions tell how sure they are."


def candidates_of(model: TrainedModel, rows: Sequence[Row], counts: Counter[str] | None = None) -> list[Candidate]:
    """Predict for rows, and return how worthwhile each is, in order.

    Args:
        model: what is to learn from them.
        rows: rows without a label.
        counts: what happened to them on their way to windows is added to it.
    """
    task = model.task
    weighing = weighing_of(task, model.trained.calibration)
    found = []
    for row, prediction in zip(rows, model.predict_rows(rows, counts), strict=True):
        words, unsure = word_count(task.content(row)), weighing.uncertainty(prediction)
        found.append(Candidate(row, prediction, unsure, weighing.priority(unsure, words), words))
    return found


def unknown_rows(task: AnyTask, rows: Sequence[Row], known: Sequence[Row]) -> tuple[list[Row], int, int]:
    """Return the rows that are there once and not labelled yet; how many are labelled; and how many are repetitions."""
    labelled = {task.content(row) for row in known}
    first: dict[str, Row] = {}
    among_known = 0
    for row in rows:
        content = task.content(row)
        if content in labelled:
            among_known += 1
        else:
            first.setdefault(content, row)
    return [*first.values()], among_known, len(rows) - among_known - len(first)


def choose(
    model: TrainedModel,
    candidates: Sequence[Candidate],
    known: Sequence[Row],
    count: int,
    most_words: int | None = None,
) -> Chosen:
    """Choose rows to label next.

    Of the candidates with the highest priority, ten times as many as are asked for, the rows in the middle of clusters
    are taken: of k-means over their embeddings, weighted by uncertainty (Zhdanov 2019). So no two say the same.

    Args:
        model: what is to learn from them.
        candidates: rows without a label.
        known: rows with labels.
        count: how many rows are wanted.
        most_words: how many words they may have together. None: any number.
    """
    says_something = weighing_of(model.task, model.trained.calibration).says_something
    ranked = sorted(candidates, key=lambda one: -one.priority)
    if not says_something:
        random.Random(0).shuffle(ranked)  # noqa: S311, or those that stand first in the file would be the candidates
    ranked, near = _without_near(model, ranked, known, count)
    clusters = count if most_words is None else min(count, _fitting(ranked, most_words))
    few = ranked[: CANDIDATES * clusters]
    if 0 < clusters < len(few):
        weights = np.array([one.uncertainty for one in few])
        places = central(embed(model, [one.row for one in few]), weights, clusters)
        few = [few[place] for place in places]
    if most_words is not None:
        taken = {one.row.origin for one in few}
        others = [one for one in ranked if one.row.origin not in taken]
        few = sorted(_within([*few, *others], most_words)[:count], key=lambda one: -one.priority)
    return Chosen(few, near, says_something)


def central(vectors: Array, weights: Array, count: int) -> list[int]:
    """Return the places of vectors in the middle of clusters, in order, as many as there are clusters.

    Args:
        vectors: [rows, size], more than `count` rows.
        weights: how much each draws the middle of its cluster, [rows]. If all are 0, all draw alike.
        count: the number of clusters.
    """
    means = KMeans(count, n_init=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different vectors than clusters
        distances = means.fit(vectors, sample_weight=weights if weights.any() else None).transform(vectors)
    places = {
        int(np.argmin(np.where(means.labels_ == cluster, distances[:, cluster], np.inf)))
        for cluster in {*means.labels_}
    }
    others = (place for place in range(len(vectors)) if place not in places)
    return sorted([*places, *(next(others) for _ in range(count - len(places)))])


def _without_near(
    model: TrainedModel, ranked: Sequence[Candidate], known: Sequence[Row], count: int
) -> tuple[list[Candidate], int]:
    """Return the first candidates without those that are nearly like a labelled row, or like an earlier candidate.

    Twice as many as are needed are looked at; if fewer than `count` of them are left, twice as many again.
    """
    task = model.task
    size = 2 * CANDIDATES * count
    if not weighing_of(task, model.trained.calibration).compares_texts:
        return list(ranked[:size]), 0
    while True:
        some = ranked[:size]
        rows = [*known, *(one.row for one in some)]
        items = [Item(place, task.content(row), "train", row.origin) for place, row in enumerate(rows)]
        near = {item.key for item, _ in near_pairs(items)}
        left = [one for place, one in enumerate(some, len(known)) if place not in near]
        if len(left) >= count or len(some) == len(ranked):
            return left, len(some) - len(left)
        size *= 2


def _fitting(ranked: Sequence[Candidate], most_words: int) -> int:
    """Return about how many rows have so many words together."""
    total = np.cumsum([one.words for one in ranked])
    return max(int(np.searchsorted(total, most_words, side="right")), 1)


def _within(chosen: Sequence[Candidate], most_words: int) -> list[Candidate]:
    """Return the rows, from the first on, that have no more words together; longer ones are passed over."""
    kept, left = [], most_words
    for one in chosen:
        if one.words <= left:
            kept.append(one)
            left -= one.words
    return kept
