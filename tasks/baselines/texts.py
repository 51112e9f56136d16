"""Baselines for texts: what is most frequent in training, and a linear model of TF-IDF."""

import re
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import Any, TypeVar

import numpy as np

from tasks.scoring.resampling import Numbers

MOST_ROWS = 20_000
"Of more training rows the linear model sees a random part, so that it takes seconds."
EVEN_ODDS = 0.5
MOST_STEPS = 200
SEED = 1
WORD = re.compile(r"\w+|[^\w\s]")
"Every run of letters or digits, and every other sign: emoji and single characters tell much."

Label = TypeVar("Label", bound=Hashable)


def most_frequent(labels: Sequence[Label]) -> Label:
    """Return the most frequent label, and of equally frequent ones that which comes first.

    >>> most_frequent(["b", "a", "a", "b"])
    'b'
    """
    return Counter(labels).most_common(1)[0][0]


def usual_labels(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the labels that most rows have; if there is none, the most frequent label.

    >>> usual_labels([["a", "b"], ["b"], ["b", "c"]])
    ['b']
    >>> usual_labels([["a"], ["b"], ["c"], ["c"], []])
    ['c']
    """
    counts = Counter(label for row in rows for label in row)
    return [label for label, count in counts.items() if count > len(rows) / 2] or [
        most_frequent(list(counts.elements()))
    ]


def mean_number(numbers: Sequence[float]) -> float:
    """Return the mean, which has the least squared error of all constants."""
    return fmean(numbers)


def linear_classes(train: Sequence[str], labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the class of each text by a logistic regression on TF-IDF of words and pairs of words.

    Args:
        train: the training texts.
        labels: the class of each.
        texts: the texts to predict for.
    """
    from sklearn.linear_model import LogisticRegression

    train, labels = _part(train, labels)
    if len(set(labels)) < 2:
        return [most_frequent(labels)] * len(texts)
    features, of_texts = _tf_idf(train, texts)
    with _unfinished_is_good_enough():
        model = LogisticRegression(C=10, max_iter=MOST_STEPS).fit(features, labels)
    return [str(label) for label in model.predict(of_texts)]


def linear_labels(train: Sequence[str], labels: Sequence[Sequence[str]], texts: Sequence[str]) -> list[list[str]]:
    """Return the labels of each text by a logistic regression for each label, at even odds; else its likeliest label.

    The arguments are those of `linear_classes`, with several labels for each text.
    """
    from sklearn.linear_model import LogisticRegression

    train, labels = _part(train, labels)
    features, of_texts = _tf_idf(train, texts)
    names = sorted({label for row in labels for label in row})
    probabilities = np.zeros((len(texts), len(names)))
    for place, name in enumerate(names):
        gold = np.array([name in row for row in labels])
        if gold.all():
            probabilities[:, place] = 1
            continue
        with _unfinished_is_good_enough():
            model = LogisticRegression(C=10, solver="liblinear", max_iter=MOST_STEPS).fit(features, gold)
        probabilities[:, place] = model.predict_proba(of_texts)[:, 1]
    chosen = (probabilities > EVEN_ODDS) | (probabilities == probabilities.max(axis=1, keepdims=True))
    return [[names[place] for place in np.flatnonzero(row)] for row in chosen]


def linear_numbers(train: Sequence[str], numbers: Sequence[float], texts: Sequence[str]) -> list[float]:
    """Return the number for each text by a ridge regression on TF-IDF; the arguments are those of `linear_classes`."""
    from sklearn.linear_model import Ridge

    train, numbers = _part(train, numbers)
    features, of_texts = _tf_idf(train, texts)
    predicted: list[float] = Ridge(alpha=1.0, solver="lsqr").fit(features, numbers).predict(of_texts).tolist()
    return predicted


@contextmanager
def _unfinished_is_good_enough() -> Iterator[None]:
    """Keep scikit-learn from warning that a solver stops at `MOST_STEPS`: a baseline need not be exact."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _part(train: Sequence[str], gold: Sequence[Any]) -> tuple[Sequence[str], Sequence[Any]]:
    if len(train) <= MOST_ROWS:
        return train, gold
    chosen = np.random.default_rng(SEED).choice(len(train), MOST_ROWS, replace=False)
    return [train[row] for row in chosen], [gold[row] for row in chosen]


def _tf_idf(train: Sequence[str], texts: Sequence[str]) -> tuple[Numbers, Numbers]:
    """Return sparse features of both, by the words of the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, tokenizer=WORD.findall, token_pattern=None)
    return vectorizer.fit_transform(train), vectorizer.transform(texts)


LINEAR = "linear TF-IDF"


def text_baselines(kind: str, train: Sequence[str], gold: Sequence[Any], texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return the labels that each baseline gives to texts, the baseline that looks at no text first.

    Args:
        kind: single_label, multi_label or regression.
        train: the training texts.
        gold: the label, the labels or the number of each.
        texts: the texts to predict for.
    """
    if kind == "regression":
        return {"mean": [mean_number(gold)] * len(texts), LINEAR: linear_numbers(train, gold, texts)}
    if kind == "multi_label":
        return {"usual labels": [usual_labels(gold)] * len(texts), LINEAR: linear_labels(train, gold, texts)}
    return {"majority class": [most_frequent(gold)] * len(texts), LINEAR: linear_classes(train, gold, texts)}
