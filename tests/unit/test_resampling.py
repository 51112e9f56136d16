"""Scores of weighted rows: those that the task's own scores give where each row is repeated as often as it counts."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.classification import Classification, Text
from tasks.data.records import Origin
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.scoring.regression import regression_rescore
from tasks.scoring.resampling import Ranks, rank_correlation
from tasks.tags import to_iob2
from tasks.task import AnyTask, Head, Prediction, Row

LABELS = ("bad", "fair", "good")
ORIGIN = Origin("a.csv", 1)
Case = tuple[AnyTask, Head, list[Row], list[Prediction]]


def _texts(kind: str, generator: random.Random, size: int) -> tuple[list[Row], list[Prediction]]:
    def label() -> Any:
        if kind == "regression":
            return float(generator.randrange(5))
        if kind == "multi_label":
            return tuple(name for name in LABELS if generator.random() < 0.4)
        return generator.choice(LABELS)

    rows: list[Row] = [Text(str(number), "a", None, label(), ORIGIN) for number in range(size)]
    found = [label() for _ in rows]
    return rows, [{"label": list(one) if kind == "multi_label" else one} for one in found]


def _sentences(generator: random.Random, size: int) -> tuple[list[Row], list[Prediction]]:
    def tags(words: int) -> list[str]:
        return to_iob2([generator.choice(("O", "B-x", "I-x", "B-y", "I-y")) for _ in range(words)], "iob2")[0]

    lengths = [generator.randrange(1, 6) for _ in range(size)]
    rows: list[Row] = [
        Sentence(str(number), ("w",) * words, tuple(tags(words)), ORIGIN) for number, words in enumerate(lengths)
    ]
    return rows, [{"tags": tags(words)} for words in lengths]


def _questions(version: str, generator: random.Random, size: int) -> tuple[list[Row], list[Prediction]]:
    def answer() -> str:
        return " ".join(generator.choice(("Ada", "Bo", "the", "Cy")) for _ in range(generator.randrange(1, 4)))

    rows: list[Row] = []
    for number in range(size):
        answers = tuple(answer() for _ in range(generator.randrange(0 if version == "v2.0" else 1, 3)))
        rows.append(Question(str(number), "q", "c", answers, (0,) * len(answers), None, ORIGIN))
    texts = [answer() if version == "v1.1" or generator.random() < 0.7 else "" for _ in rows]
    return rows, [{"answer": text, "no_answer_score": generator.random()} for text in texts]


KINDS = ("single_label", "multi_label", "regression", "ner", "v1.1", "v2.0")


def case(kind: str, seed: int, size: int) -> Case:
    generator = random.Random(seed)  # noqa: S311
    if kind == "ner":
        return Ner(), Head("", ("O", "B-x", "I-x", "B-y", "I-y")), *_sentences(generator, size)
    if kind in ("v1.1", "v2.0"):
        return Qa(version=kind), Head(""), *_questions(kind, generator, size)
    return Classification(kind=kind), Head("", LABELS), *_texts(kind, generator, size)


def repeated(rows: Sequence[Any], times: Sequence[int]) -> list[Any]:
    return [row for row, count in zip(rows, times, strict=True) for _ in range(count)]


@given(st.sampled_from(KINDS), st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=2, max_size=12))
def test_weighted_scores_are_those_of_repeated_rows(kind: str, seed: int, times: list[int]) -> None:
    task, head, rows, predictions = case(kind, seed, len(times))
    if sum(times) == 0:
        times[0] = 1
    of_weights = task.rescore(rows, predictions, head, range(len(rows)))(
        np.array([times, [1] * len(rows)], dtype=float)
    )
    for draw, counts in enumerate((times, [1] * len(rows))):
        again: list[Any] = repeated(rows, counts)
        numbered = [replace(row, id=str(number)) for number, row in enumerate(again)]
        expected = task.score(numbered, repeated(predictions, counts), head)
        shared = set(of_weights) & set(expected)
        assert set(task.headline()) <= set(of_weights)
        for name in shared:
            value = float(of_weights[name][draw])
            assert value == pytest.approx(expected[name], abs=1e-9) or (
                math.isnan(value) and math.isnan(expected[name])
            )


def test_rows_of_a_unit_have_the_same_weight() -> None:
    rescore = Ner().rescore(*_three_sentences(), Head(""), [0, 1, 0])
    # Of the unit with the first and the last sentence: one of two entities found, none invented.
    scores = rescore(np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]))
    assert scores["recall"].tolist() == [0.5, 1.0, pytest.approx(2 / 3)]
    assert scores["precision"].tolist() == [1.0, 1.0, 1.0]


def _three_sentences() -> tuple[list[Sentence], list[Prediction]]:
    rows = [Sentence(str(number), ("w", "w"), ("B-x", "O"), ORIGIN) for number in range(3)]
    return rows, [{"tags": tags} for tags in (["B-x", "O"], ["B-x", "O"], ["O", "O"])]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=10))
def test_ranks_of_weighted_rows_are_those_of_repeated_ones(pairs: list[tuple[int, int]]) -> None:
    from scipy import stats

    values, times = [value for value, _ in pairs], [count for _, count in pairs]
    if sum(times) == 0:
        return
    found = Ranks.of(values)
    ranks = found.of_groups(np.array([times], dtype=float).T)[0][found.group, 0]
    expected = stats.rankdata(repeated(values, times))
    assert repeated(ranks, times) == pytest.approx(expected)


def test_a_correlation_with_a_constant_is_not_a_number() -> None:
    weights = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    found = rank_correlation(weights, Ranks.of([2.0, 2.0, 3.0]), Ranks.of([1.0, 2.0, 3.0]))
    assert math.isnan(found[0])
    assert found[1] == pytest.approx(0.8660254)
    rescore = regression_rescore([0.1] * 3, [0.1, 0.2, 0.3], range(3))
    assert math.isnan(rescore(weights)["pearson"][1])
    assert rescore(weights)["r2"][1] == pytest.approx(-1.5)
    assert math.isnan(regression_rescore([0.1, 0.2], [0.3, 0.3], range(2))(np.ones((1, 2)))["r2"][0])
