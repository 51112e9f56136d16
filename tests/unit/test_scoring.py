"""Scores, compared with values worked out by hand and with independent scorers on random data."""

import math
import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.scoring.entities import entity_scores
from tasks.scoring.labels import label_scores
from tasks.scoring.multilabel import multilabel_scores
from tasks.scoring.regression import regression_rescore, regression_scores
from tasks.scoring.squad import best_threshold, normalize, question_scores, squad_scores


def test_labels_by_hand() -> None:
    # gold: a a a b; predicted: a a b b. a: P 2/2, R 2/3, F1 0.8. b: P 1/2, R 1/1, F1 2/3.
    scores = label_scores(["a", "a", "b", "b"], ["a", "a", "a", "b"], labels=["a", "b", "never"])
    assert scores["accuracy"] == 0.75
    assert scores["f1/a"] == pytest.approx(0.8)
    assert scores["f1/b"] == pytest.approx(2 / 3)
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores["weighted_f1"] == pytest.approx((3 * 0.8 + 2 / 3) / 4)
    # Matthews: (2*1 - 0*1) / sqrt(2 * 3 * 1 * 2)
    assert scores["matthews"] == pytest.approx(2 / math.sqrt(12))
    assert scores["support/a"] == 3
    assert "f1/never" not in scores


def test_several_labels_by_hand() -> None:
    # Hits 2 (a, b), predicted 3, gold 4: micro P 2/3, R 1/2, F1 4/7. Rows: 2*1/(1+2), 2*1/(2+2), and 1 for no labels.
    scores = multilabel_scores([["a"], ["b", "c"], []], [["a", "b"], ["b", "a"], []], labels=["a", "b", "c", "d"])
    assert scores["micro_f1"] == pytest.approx(4 / 7)
    assert scores["samples_f1"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert scores["subset_accuracy"] == pytest.approx(1 / 3)
    assert scores["hamming_loss"] == pytest.approx(3 / 12)
    # a: P 1, R 1/2, F1 2/3; b: P 1, R 1/2, F1 2/3; c: 0; d occurs nowhere and does not count.
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert "f1/d" not in scores


def test_numbers_by_hand() -> None:
    scores = regression_scores([1.0, 2.0, 6.0], [1.0, 3.0, 5.0])
    assert scores["rmse"] == pytest.approx(math.sqrt(2 / 3))
    assert scores["mae"] == pytest.approx(2 / 3)
    assert scores["spearman"] == pytest.approx(1.0)
    # Deviations from the means 3 and 3: (-2, -1, 3) and (-2, 0, 2): 10 / sqrt(14 * 8).
    assert scores["pearson"] == pytest.approx(10 / math.sqrt(112))
    assert scores["r2"] == pytest.approx(1 - 2 / 8)
    assert math.isnan(regression_scores([1.0, 1.0, 1.0], [1.0, 2.0, 4.0])["pearson"])


def test_two_numbers_have_no_correlation() -> None:
    """It would be 1 or -1 whatever they are."""
    for name in ("pearson", "spearman"):
        assert math.isnan(regression_scores([1.0, 2.0], [5.0, 3.0])[name])
        assert not math.isnan(regression_scores([1.0, 2.0, 4.0], [5.0, 3.0, 1.0])[name])
        rescored = regression_rescore([1.0, 2.0, 5.0], [5.0, 3.0, 7.0], [0, 1, 2])(np.array([[1.0, 1, 0], [1, 1, 1]]))
        assert np.isnan(rescored[name]).tolist() == [True, False]


def test_entities_by_hand() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-creative-work", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-creative-work", "B-LOC"]]
    scores = entity_scores(predicted, gold)
    # Correct: LOC and creative-work. Predicted 4, gold 3.
    assert scores["precision"] == pytest.approx(2 / 4)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx(4 / 7)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["f1/creative-work"] == 1.0
    assert scores["precision/LOC"] == 0.5
    assert scores["support/PER"] == 1


@pytest.mark.parametrize("tags", [["PER"], [""], ["B-"]])
def test_tags_that_seqeval_misreads_are_refused(tags: list[str]) -> None:
    with pytest.raises(InputError, match="neither 'O' nor a prefix"):
        entity_scores([tags], [["O"]])
    with pytest.raises(InputError, match="1 predicted tags but 2 gold"):
        entity_scores([["O"]], [["O", "O"]])


TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-creative-work", "I-creative-work"])


def conlleval_chunks(tags: list[str]) -> set[tuple[str, int, int]]:
    """Return the chunks of a sentence by conlleval's rule, without any code of ours."""
    chunks: set[tuple[str, int, int]] = set()
    start: int | None = None
    kind = ""
    for position, tag in enumerate([*tags, "O"]):
        prefix, _, here = tag.partition("-")
        if start is not None and (prefix in ("O", "B") or here != kind):
            chunks.add((kind, start, position))
            start = None
        if prefix == "B" or (prefix == "I" and start is None):
            start, kind = position, here
    return chunks


@given(st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8), min_size=1, max_size=6))
def test_entities_equal_conlleval(sentences: list[list[tuple[str, str]]]) -> None:
    predicted = [[one for one, _ in sentence] for sentence in sentences]
    gold = [[two for _, two in sentence] for sentence in sentences]
    found, wanted, right = 0, 0, 0
    for one, two in zip(predicted, gold, strict=True):
        a, b = conlleval_chunks(one), conlleval_chunks(two)
        found, wanted, right = found + len(a), wanted + len(b), right + len(a & b)
    scores = entity_scores(predicted, gold)
    assert scores["precision"] == pytest.approx(right / found if found else 0)
    assert scores["recall"] == pytest.approx(right / wanted if wanted else 0)
    assert scores["f1"] == pytest.approx(2 * right / (found + wanted) if found + wanted else 0)


# An independent SQuAD scorer, written from the published rules.


def plain(text: str) -> str:
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(word for word in re.split(r"\s+", re.sub(r"\b(a|an|the)\b", " ", text)) if word)


def naive_f1(one: str, two: str, version: str) -> float:
    a, b = plain(one).split(), plain(two).split()
    if version == "v2.0" and (not a or not b):
        return float(a == b)
    common = sum(min(Counter(a)[word], Counter(b)[word]) for word in set(a))
    return 2 * common / (len(a) + len(b)) if common else 0.0


WORDS = st.lists(st.sampled_from(["the", "a", "Oslo", "fjord", "42", "?", "Oslo's", "an"]), max_size=4).map(" ".join)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3), st.sampled_from(["v1.1", "v2.0"]))
def test_answers_equal_a_naive_scorer(prediction: str, answers: list[str], version: str) -> None:
    golds = answers if version == "v1.1" else [answer for answer in answers if plain(answer)] or [""]
    exact_match, f1 = question_scores(prediction, answers, version)
    assert exact_match == max(float(plain(prediction) == plain(gold)) for gold in golds)
    assert f1 == pytest.approx(max(naive_f1(prediction, gold, version) for gold in golds))


def test_versions_differ_where_a_gold_answer_normalises_to_nothing() -> None:
    assert normalize("The A!") == ""
    assert question_scores("The A", ["the a"], "v1.1") == (1.0, 0.0)
    assert question_scores("The A", ["the a"], "v2.0") == (1.0, 1.0)


def answer(name: str, text: str, no_answer_score: float = 0.0) -> dict[str, object]:
    return {"id": name, "prediction_text": text, "no_answer_score": no_answer_score}


def gold(name: str, *texts: str) -> dict[str, object]:
    return {"id": name, "answers": {"text": list(texts), "answer_start": [0] * len(texts)}}


def test_v2_splits_by_hand() -> None:
    scores = squad_scores(
        [answer("1", "in Oslo", -1), answer("2", "", 3), answer("3", "Rome", 1)],
        [gold("1", "Oslo"), gold("2"), gold("3")],
        "v2.0",
    )
    assert scores["exact_match"] == pytest.approx(100 / 3)
    assert scores["f1"] == pytest.approx(100 * (2 / 3 + 1 + 0) / 3)
    assert scores["has_answer_f1"] == pytest.approx(200 / 3)
    assert scores["no_answer_exact_match"] == 50.0
    assert (scores["total"], scores["has_answer_total"], scores["no_answer_total"]) == (3, 1, 2)
    # With threshold -1, question 1 keeps its answer, and 2 and 3 get none: 2/3 + 1 + 1 of 3.
    assert scores["best_f1"] == pytest.approx(100 * (2 / 3 + 2) / 3)
    assert scores["best_f1_threshold"] == -1


@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[0],
    )
)
def test_the_best_threshold_is_the_best_of_all(rows: list[tuple[int, float, bool]]) -> None:
    silence, scores, has_answer = (list(column) for column in zip(*rows, strict=True))

    def total(threshold: float) -> float:
        said = [value <= threshold for value in silence]
        return sum(
            (score if speaks else 0) if has else float(not speaks)
            for score, has, speaks in zip(scores, has_answer, said, strict=True)
        )

    best, threshold = best_threshold(silence, scores, has_answer)
    assert best == pytest.approx(max(total(value) for value in [-1000, *silence]))
    if best > has_answer.count(False):
        assert total(threshold) == pytest.approx(best)


def test_missing_and_repeated_ids_are_refused() -> None:
    with pytest.raises(InputError, match="1 questions have no prediction, the first: 2"):
        squad_scores([answer("1", "x")], [gold("1", "x"), gold("2", "x")])
    with pytest.raises(InputError, match="once each"):
        squad_scores([answer("1", "x"), answer("1", "y")], [gold("1", "x")])


def test_labels_equal_scikit_learn_on_random_data() -> None:
    from sklearn.metrics import f1_score

    random = np.random.default_rng(0)
    gold_labels, predicted = random.choice(list("abcd"), 200).tolist(), random.choice(list("abcd"), 200).tolist()
    scores = label_scores(predicted, gold_labels)
    assert scores["macro_f1"] == pytest.approx(f1_score(gold_labels, predicted, average="macro"))
