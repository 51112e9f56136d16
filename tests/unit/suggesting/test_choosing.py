"""Which rows are suggested, and what a replay says of them."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recipes.suggesting import choosing
from recipes.suggesting.choosing import Candidate, central, choose, unknown_rows
from recipes.suggesting.comparing_lines import RANDOM, SUGGESTED, answer_of, name_of
from tasks.classification import Classification, Text
from tasks.data.records import Origin
from tasks.inspecting.suggestions import weighing_of
from tasks.ner import Ner
from tasks.qa import Qa

TASK = Classification(kind="single_label")
TEXTS = (
    "the parcel from oslo is late",
    "a letter of mine got lost",
    "rain fell on every box there",
    "who pays for that",
)


def text(place: int, words: str) -> Text:
    return Text(str(place), words, None, None, Origin("new.csv", place))


def candidates(texts: tuple[str, ...], unsure: tuple[float, ...]) -> list[Candidate]:
    return [
        Candidate(text(place, words), {}, one, one, len(words.split()))
        for place, (words, one) in enumerate(zip(texts, unsure, strict=True))
    ]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a model to which texts are as far apart as their places."""
    monkeypatch.setattr(choosing, "embed", lambda _, rows: np.array([[float(row.origin.number)] for row in rows]))
    return SimpleNamespace(task=TASK, trained=SimpleNamespace(calibration={}))


def test_the_least_sure_first_without_what_is_nearly_known(model: Any) -> None:
    known = [text(9, "The parcel from Oslo is LATE!")]
    found = choose(model, candidates(TEXTS, (0.9, 0.2, 0.7, 0.4)), known, 4)
    assert [one.row.origin.number for one in found.rows] == [2, 3, 1]
    assert found.near == 1


def test_more_rows_are_looked_at_if_the_least_sure_ones_are_nearly_the_same(model: Any) -> None:
    alike = tuple(f"{'the room was cold and the soup was late again today, ' * 3}{place % 10}" for place in range(60))
    other = ("breakfast was warm and the staff was kind to all of us",)
    unsure = tuple(1 - place / 100 for place in range(61))
    found = choose(model, candidates((*alike, *other), unsure), [], 2)
    assert [one.row.origin.number for one in found.rows] == [0, 60]
    assert found.near == 59


def test_one_of_each_cluster(model: Any) -> None:
    texts = tuple(f"{TEXTS[place % 4]} {'abcdefghijkl'[place] * 9} {'mnopqrstuvwx'[place] * 7}" for place in range(12))
    places = (0, 1, 2, 50, 51, 52, 90, 91, 92, 93, 94, 95)
    rows = [Candidate(text(at, words), {}, 0.5, 0.5, 8) for at, words in zip(places, texts, strict=True)]
    found = choose(model, rows, [], 3)
    numbers = sorted(one.row.origin.number for one in found.rows)
    assert len(numbers) == 3
    assert numbers[0] == 1
    assert numbers[1] == 51
    assert numbers[2] in (92, 93)


def test_words_are_a_budget(model: Any) -> None:
    rows = candidates(TEXTS, (0.9, 0.8, 0.7, 0.6))  # of 6, 6, 6 and 4 words
    assert [one.words for one in choose(model, rows, [], 4, most_words=11).rows] == [6, 4]
    assert sum(one.words for one in choose(model, rows, [], 4, most_words=17).rows) <= 17
    assert choose(model, rows, [], 4, most_words=3).rows == []


def test_numbers_are_chosen_among_all_rows(model: Any) -> None:
    model.task = Classification(kind="regression")
    found = choose(model, candidates(tuple(f"word{place}" for place in range(1000)), (0.0,) * 1000), [], 5)
    assert not found.says_something
    assert max(one.row.origin.number for one in found.rows) > 500


def test_centres() -> None:
    line = np.array([[0.0], [1.0], [2.0], [10.0]])
    assert central(line, np.ones(4), 2) == [1, 3]
    assert central(line, np.array([1.0, 1.0, 9.0, 1.0]), 2) == [2, 3], "weights draw the middle"
    assert central(np.zeros((5, 2)), np.zeros(5), 3) == [0, 1, 2], "all are alike, and as many are returned"


def test_rows_that_have_a_label_or_are_there_already() -> None:
    rows = [text(place, words) for place, words in enumerate(("a", "b", "a", "c"))]
    left, labelled, repeated = unknown_rows(TASK, rows, [text(7, "c")])
    assert [row.origin.number for row in left] == [0, 1]
    assert (labelled, repeated) == (1, 1)


def test_each_kind_is_weighed_in_its_own_way() -> None:
    several = weighing_of(Classification(kind="multi_label"), {})
    assert several.uncertainty({"scores": {"a": 0.5, "b": 0.0}}) == 0.5
    number = weighing_of(Classification(kind="regression"), {})
    assert (number.uncertainty({"label": 3.0}), number.says_something) == (0.0, False)
    words = weighing_of(Ner(), {})
    assert words.uncertainty({"scores": [{"O": 0.5, "B-x": 0.5}, {"O": 1.0}]}) == 0.5
    assert words.priority(0.5, 2) > words.priority(0.5, 20), "long sentences are more work"
    answers = {"answer": "", "score": 0.1, "no_answer_score": 3.0}
    assert weighing_of(Qa(), {"no_answer_threshold": 3.0}).uncertainty(answers) == 1.0
    close = {**answers, "answer": "in May", "score": 0.9}
    assert weighing_of(Qa(), {"no_answer_threshold": 3.0}).uncertainty(close) == 1.0, "there may as well be none"
    assert weighing_of(Qa(), {}).uncertainty(answers) == pytest.approx(0.9)


def run(score: float) -> Any:
    verdict = SimpleNamespace(collapsed=None)
    report = SimpleNamespace(
        objective=SimpleNamespace(name="macro_f1"), metrics={"test": {"macro_f1": score}}, verdict=verdict
    )
    return SimpleNamespace(report=report, split="test", task=SimpleNamespace(point=0.01))


def runs_of(suggested: Mapping[int, tuple[float, ...]], others: Mapping[int, tuple[float, ...]]) -> Any:
    return {
        (name_of(arm, size), seed): run(score)
        for arm, scores in ((SUGGESTED, suggested), (RANDOM, others))
        for size, of_size in scores.items()
        for seed, score in enumerate(of_size, 1)
    }


def test_what_is_saved() -> None:
    start = {100: (0.40, 0.50, 0.45)}
    better, others = (
        {150: (0.60, 0.70, 0.67), 200: (0.70, 0.80, 0.77)},
        {150: (0.48, 0.60, 0.54), 200: (0.6, 0.66, 0.6)},
    )
    found = answer_of([100, 150, 200], [1, 2, 3], runs_of(better, {**start, **others}))
    # By seed, the mean gains are 0.11, 0.12 and 0.15: mean 0.12667, deviation 0.02082, t(2) = 4.303.
    assert "ahead of random ones by 0.1267 macro_f1 (0.0750 to 0.1784)" in found.sentences[0]
    # 0.62 lies 0.17 above 0.45, and 50 rows bring 0.2067.
    assert found.sentences[1].startswith("141 suggested rows (")
    assert found.sentences[1].endswith("are worth 200 random ones: 59 labels saved")
    assert found.lines is not None
    assert found.lines[SUGGESTED][0] == found.lines[RANDOM][0], "both begin with the same rows"
    assert [line.cells[3] for line in found.tables[0].lines] == ["-", "+0.1167", "+0.1367"]


def test_what_is_not_saved() -> None:
    start = {100: (0.40, 0.50)}
    found = answer_of([100, 150], [1, 2], runs_of({150: (0.3, 0.3)}, {**start, 150: (0.6, 0.7)}))
    assert found.lines is not None
    assert 0 <= found.lines[RANDOM][1][2] < found.lines[RANDOM][1][3] <= 1, "no interval leaves the range of a score"
    assert "Not told apart with so few seeds: macro_f1 of suggested rows -0.3500" in found.sentences[0]
    assert found.sentences[1] == "150 suggested rows do not reach what 150 random ones do"
    falling = answer_of([100, 150], [1, 2], runs_of({150: (0.3, 0.3)}, {100: (0.6, 0.7), 150: (0.5, 0.6)}))
    assert falling.sentences[1].startswith("The scores do not get better with more random rows")
    unsure = answer_of([100, 150], [1, 2], runs_of({150: (0.9, 0.3)}, {100: (0.4, 0.4), 150: (0.5, 0.5)}))
    assert unsure.sentences[1].endswith("are worth 150 random ones; it can't be told that labels are saved")
    lacking = runs_of({150: (0.3,)}, {**start, 150: (0.6, 0.7)})
    assert "over 1 seeds" in answer_of([100, 150], [1, 2], lacking).tables[0].title, (
        "a seed that lacks a run is left out"
    )
