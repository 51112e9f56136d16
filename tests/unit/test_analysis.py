"""What a model gets wrong: worked out by hand, against nervaluate, and against a naive loop."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.reporting.measured import Measured, MeasuredBreakdown, MeasuredPart, measure, weaknesses
from tasks.analysis.answers import EXACT, NOT_ANSWERED, PARTLY, SENTENCE, TOO_BOLD
from tasks.analysis.entities import BORDERS, BOTH, CORRECT, INVENTED, KINDS, MISSED, TYPE, matches
from tasks.analysis.parts import Analysis, Breakdown, Counts, Line
from tasks.analysis.slices import quarters
from tasks.classification import Classification
from tasks.data.records import Origin
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.scoring.entities import entity_scores
from tasks.task import AnyTask, Head

ORIGIN = Origin("a.csv", 1)
CLASSES = Head("", ("no", "yes"))


def breakdown(analysis: Analysis, title: str) -> Breakdown:
    return next(one for one in analysis.breakdowns if one.title == title)


def scores(found: Breakdown) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return the count and the scores of each part."""
    return {
        part.name: (part.count, {name: part.rescore(np.ones((1, part.units)))[name].item() for name in found.scores})
        for part in found.parts
    }


def cells(table: Counts) -> dict[tuple[str, str], int]:
    return {
        (row, column): count
        for row, counts in zip(table.rows, table.counts, strict=True)
        for column, count in zip(table.columns, counts, strict=True)
        if count
    }


def classified(gold: Any, label: Any, **more: Any) -> dict[str, Any]:
    sure = {"yes": 0.1, "no": 0.1, str(label): 0.9} if isinstance(label, str) else {"yes": 0.6, "no": 0.2}
    prediction = {"label": label, "scores": sure}
    return {"id": "1", "file": "a.csv", "line": 2, "text": "t", "gold": gold, "prediction": prediction, **more}


def test_classes_and_confusions() -> None:
    lines = [classified(*pair) for pair in [("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", "no"), ("no", "yes")]]
    found = Classification(kind="single_label").analyse(lines, CLASSES, {})
    by_class = scores(breakdown(found, "By class"))
    assert by_class["no"] == (
        3,
        {"precision": pytest.approx(2 / 3), "recall": pytest.approx(2 / 3), "f1": pytest.approx(2 / 3)},
    )
    assert by_class["yes"] == (2, {"precision": 0.5, "recall": 0.5, "f1": 0.5})
    (table,) = found.counts
    assert cells(table) == {("yes", "yes"): 1, ("yes", "no"): 1, ("no", "no"): 2, ("no", "yes"): 1}
    assert table.right == {("yes", "yes"), ("no", "no")}


def test_of_many_classes_those_with_mistakes_are_shown() -> None:
    names = [f"c{number:02}" for number in range(40)]
    lines = [classified(name, name) for name in names] + [classified("c05", "c31")] * 3
    (table,) = Classification(kind="single_label").analyse(lines, Head("", tuple(names)), {}).counts
    assert table.rows[:2] == ["c05", "c31"]
    assert len(table.rows) == 20
    assert sum(map(sum, table.counts)) == 43
    assert cells(table)["c05", "c31"] == 3
    assert cells(table)["(all others)", "(all others)"] == 21
    assert ("(all others)", "(all others)") not in table.right


def test_mistakes_come_with_the_surest_first_and_none_is_right() -> None:
    lines = [
        classified("yes", "no", prediction={"label": "no", "scores": {"no": sure, "yes": 1 - sure}})
        for sure in (0.6, 0.99, 0.7)
    ] + [classified("yes", "yes")]
    found = Classification(kind="single_label").analyse(lines, CLASSES, {}).mistakes
    assert [(one.place, one.score) for one in found] == [(1, 0.99), (2, 0.7), (0, 0.6)]
    many = Classification(kind="single_label").analyse(lines[:3] * 20, CLASSES, {}).mistakes
    assert len(many) == 20


def test_several_labels_and_numbers() -> None:
    lines = [
        classified(["a"], ["a", "b"], prediction={"label": ["a", "b"], "scores": {"a": 0.9, "b": 0.8}}),
        classified(["b"], [], prediction={"label": [], "scores": {"a": 0.3, "b": 0.05}}),
        classified([], [], prediction={"label": [], "scores": {"a": 0.1, "b": 0.1}}),
    ]
    found = Classification(kind="multi_label").analyse(lines, Head("", ("a", "b")), {})
    assert [(one.what, one.gold, one.predicted) for one in found.mistakes] == [
        ("b is missing", "b", ""),
        ("b is too much", "a", "a, b"),
    ]
    assert scores(breakdown(found, "By class"))["b"] == (1, {"precision": 0.0, "recall": 0.0, "f1": 0.0})
    numbers = [
        classified(gold, label, prediction={"label": label}) for gold, label in [(1.0, 1.0), (2.0, 4.5), (3.0, 2.0)]
    ]
    wrong = Classification(kind="regression").analyse(numbers, Head("", ("score",)), {}).mistakes
    assert [(one.what, one.gold, one.predicted, one.score) for one in wrong] == [
        ("too high", "2", "4.5", 2.5),
        ("too low", "3", "2", 1.0),
    ]


def test_slices_by_length_source_and_copies_are_scored_as_their_rows_alone() -> None:
    generator = random.Random(1)  # noqa: S311
    lines = []
    for number in range(60):
        gold, label = generator.choice("yn"), generator.choice("yn")
        traits = {"in_training": number % 10 == 0, "columns": {"source": "shop" if number % 3 else "app"}}
        lines.append(classified(gold, label, text="x" * number, traits=traits))
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})

    def accuracy(some: Sequence[Line]) -> tuple[int, dict[str, Any]]:
        right = [line["gold"] == line["prediction"]["label"] for line in some]
        return len(some), {"accuracy": pytest.approx(sum(right) / len(right))}

    assert scores(breakdown(found, "By length of the text")) == {
        "up to 14 characters": accuracy(lines[:15]),
        "15 to 29 characters": accuracy(lines[15:30]),
        "30 to 44 characters": accuracy(lines[30:45]),
        "45 characters or more": accuracy(lines[45:]),
    }
    assert scores(breakdown(found, "By column “source”")) == {
        "shop": accuracy([line for number, line in enumerate(lines) if number % 3]),
        "app": accuracy(lines[::3]),
    }
    assert scores(breakdown(found, "Rows that training has, too")) == {
        "not in training": accuracy([line for number, line in enumerate(lines) if number % 10]),
        "in training, too": accuracy(lines[::10]),
    }


def test_a_column_that_says_the_label_is_no_slice() -> None:
    lines = [classified(gold, "y", traits={"columns": {"code": str(gold)}}) for gold in "ynyn"]
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})
    assert "By column “code”" not in [one.title for one in found.breakdowns]


def test_intervals_of_parts_are_those_of_their_own_rows() -> None:
    lines = [classified("y" if number % 2 else "n", "y", text="x" * number) for number in range(80)]
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})
    measured = measure(breakdown(found, "By length of the text"))
    for part in measured.parts:
        score = part.scores["accuracy"]
        assert score.bounds is not None
        assert score.value == 0.5
        assert score.bounds[0] < 0.4 < 0.6 < score.bounds[1]


def test_a_part_that_is_worse_by_more_than_chance_is_named() -> None:
    lines = [
        classified("y", "y" if number >= 30 or number % 5 == 0 else "n", text="x" * (number // 30))
        for number in range(90)
    ]
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})
    named = weaknesses([measure(one) for one in found.breakdowns if one.title == "By length of the text"])
    assert [one.part.name for one in named] == ["0 characters"]
    assert named[0].elsewhere == 1.0
    lines = [classified("y", "n" if number < 30 else "y", text="x" * (number // 30)) for number in range(90)]
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})
    (worst, *_) = weaknesses([measure(one) for one in found.breakdowns if one.title == "By length of the text"])
    assert worst.part.scores["accuracy"].value == 0.0, "a part of which nothing is right has no interval, and is weak"


# Entities


def tagged(gold: str, predicted: str, score: float = 0.5, **more: Any) -> dict[str, Any]:
    from tasks.tags import spans

    found = [
        {"type": kind, "start": start, "end": end, "text": "", "score": score}
        for kind, start, end in spans(predicted.split())
    ]
    tokens = [f"w{place}" for place in range(len(gold.split()))]
    prediction = {"tags": predicted.split(), "entities": found}
    return {
        "id": "1",
        "file": "a.conll",
        "line": 1,
        "tokens": tokens,
        "gold": gold.split(),
        "prediction": prediction,
        **more,
    }


def test_mistakes_of_taggers_by_kind() -> None:
    lines = [
        tagged("B-a I-a O B-b", "B-a I-a O B-b", 0.9),
        tagged("B-a I-a O B-b", "B-b I-b O O", 0.8),
        tagged("O B-a I-a O B-b", "O B-a O O B-a", 0.7),
        tagged("O B-a I-a O O", "B-b I-b O O B-b", 0.6),
    ]
    found = Ner().analyse(lines, Head("", ()), {})
    kinds, types = found.counts
    assert cells(kinds) == {
        ("a", CORRECT): 1,
        ("a", TYPE): 1,
        ("a", BORDERS): 1,
        ("a", BOTH): 1,
        ("b", CORRECT): 1,
        ("b", TYPE): 1,
        ("b", MISSED): 1,
        ("b", INVENTED): 1,
    }
    assert cells(types) == {
        ("a", "a"): 2,
        ("a", "b"): 2,
        ("b", "b"): 1,
        ("b", "a"): 1,
        ("b", "(nothing)"): 1,
        ("(nothing)", "b"): 1,
    }
    assert scores(breakdown(found, "By type"))["a"] == (
        4,
        {"precision": pytest.approx(1 / 3), "recall": 0.25, "f1": pytest.approx(2 / 7)},
    )
    assert scores(breakdown(found, "Entities by their length")) == {
        "1 word": (3, {"recall": pytest.approx(1 / 3)}),
        "2 words": (4, {"recall": 0.25}),
    }
    assert [(one.place, one.what, one.gold, one.predicted) for one in found.mistakes] == [
        (1, TYPE, "a: w0 w1", "b: w0 w1"),
        (2, BORDERS, "a: w1 w2", "a: w1"),
        (3, BOTH, "a: w1 w2", "b: w0 w1"),
        (3, INVENTED, "(nothing)", "b: w4"),
        (1, MISSED, "b: w3", "(nothing)"),
        (2, TYPE, "b: w4", "a: w4"),
    ]
    assert found.mistakes[1].text == [
        ("w0", ""),
        (" ", ""),
        ("w1", "both"),
        (" ", ""),
        ("w2", "gold"),
        (" ", ""),
        ("w3", ""),
        (" ", ""),
        ("w4", "both"),
    ]


TAGS = st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=5))
def test_mistakes_are_those_that_nervaluate_counts(sentences: list[tuple[list[str], list[str]]]) -> None:
    from nervaluate.evaluator import Evaluator

    from tasks.tags import spans, to_iob2

    pairs = []
    for gold, predicted in sentences:
        length = min(len(gold), len(predicted))
        pairs.append(tuple(to_iob2(tags[:length], "iob2")[0] for tags in (gold, predicted)))
    outcome = Evaluator([one for one, _ in pairs], [two for _, two in pairs], tags=["a", "b"], loader="list").evaluate()
    strict, exact, types = (outcome["overall"][name] for name in ("strict", "exact", "ent_type"))
    counts = Counter(match.kind for gold, predicted in pairs for match in matches(spans(gold), spans(predicted)))
    assert counts[CORRECT] == strict.correct
    assert counts[TYPE] + counts[BORDERS] + counts[BOTH] == strict.incorrect
    assert (counts[MISSED], counts[INVENTED]) == (strict.missed, strict.spurious)
    assert counts[CORRECT] + counts[TYPE] == exact.correct
    assert types.correct >= counts[CORRECT] + counts[BORDERS]
    assert set(counts) <= set(KINDS)


def test_entities_that_training_has_and_those_that_it_has_not() -> None:
    train = [Sentence("1", ("Oslo", "waits"), ("B-a", "O"), ORIGIN)]
    rows = [
        Sentence("2", ("Oslo", "and", "Bergen"), ("B-a", "O", "B-a"), ORIGIN),
        Sentence("3", ("Oslo", "waits"), ("B-a", "O"), ORIGIN),
    ]
    traits = Ner().traits(train, rows)
    assert traits == [{"in_training": False, "unseen": [False, True]}, {"in_training": True, "unseen": [False]}]
    lines = [tagged("B-a O B-a", "B-a O O", traits=traits[0]), tagged("B-a O", "O O", traits=traits[1])]
    found = breakdown(
        Ner().analyse(lines, Head("", ()), {}), "Entities by whether training has the same words as an entity"
    )
    assert scores(found) == {"in training": (2, {"recall": 0.5}), "not in training": (1, {"recall": 0.0})}


# Answers


def answered(question: str, gold: list[str], answer: str, score: float = 0.5, **more: Any) -> dict[str, Any]:
    prediction = {
        "answer": answer,
        "start": more.pop("start", None),
        "end": more.pop("end", None),
        "score": score,
        "no_answer_score": 0.0,
    }
    return {
        "id": "1",
        "file": "a.json",
        "question": question,
        "gold": gold,
        "unit": 0,
        "prediction": prediction,
        **more,
    }


def test_mistakes_of_answers_by_kind() -> None:
    sentence: dict[str, Any] = {"traits": {"answer_sentences": [[10, 40]], "passage_characters": 90}}
    lines = [
        answered("Who signs?", ["Ida"], "Ida", **sentence),
        answered("Who waits?", ["Ida Moe"], "Moe", 0.8, **sentence),
        answered("What rains?", ["cats"], "dogs", 0.9, start=12, end=16, **sentence),
        answered("What snows?", ["cats"], "dogs", 0.7, start=50, end=54, **sentence),
        answered("Is it?", ["cats"], "", **sentence),
        answered("Is it not?", [], "dogs", 0.6, **sentence),
        answered("Is it so?", [], "", **sentence),
    ]
    found = Qa(version="v2.0").analyse(lines, Head("", ()), {})
    (table,) = found.counts
    assert cells(table) == {
        ("who", EXACT): 1,
        ("who", PARTLY): 1,
        ("what", SENTENCE): 1,
        ("what", "wrong sentence"): 1,
        ("other", NOT_ANSWERED): 1,
        ("other", TOO_BOLD): 1,
        ("other", "rightly not answered"): 1,
    }
    by_answer = scores(breakdown(found, "Questions by whether they have an answer"))
    assert by_answer["has none"] == (2, {"f1": 50.0, "exact_match": 50.0})
    assert by_answer["has an answer"] == (5, {"f1": pytest.approx((100 + 200 / 3) / 5), "exact_match": 20.0})
    assert [one.what for one in found.mistakes] == [SENTENCE, PARTLY, "wrong sentence", TOO_BOLD, NOT_ANSWERED]


def test_the_sentence_of_an_answer_is_a_trait() -> None:
    context = "It rains. Ada waits. Ida sings."
    row = Question("1", "Who waits?", context, ("Ada", "Ida"), (10, 21), None, ORIGIN)
    (traits,) = Qa().traits([row], [row])
    assert traits == {
        "in_training": True,
        "passage_characters": 31,
        "answer_sentences": [[10, 20], [21, 31]],
        "answer_sentence": "Ada waits.",
    }


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (Classification(kind="single_label"), classified("no", "no")),
        (Classification(kind="multi_label"), classified(["no"], ["no"])),
        (Classification(kind="regression"), classified(1.0, 1.5, prediction={"label": 1.5})),
        (Ner(), tagged("O", "O")),
        (Qa(version="v1.1"), answered("Who?", ["x"], "x")),
    ],
)
def test_one_row_is_analysed(task: AnyTask, line: dict[str, Any]) -> None:
    for found in task.analyse([line], Head("", ("no", "yes")), {}).breakdowns:
        measure(found)


# What is odd


def test_elsewhere_is_the_score_of_everything_else() -> None:
    generator = random.Random(3)  # noqa: S311
    tags = ["O", "B-a", "B-b", "B-c"]
    lines = []
    for _ in range(60):
        gold = [generator.choice(tags) for _ in range(5)]
        lines.append(tagged(" ".join(gold), " ".join(tag if generator.random() < 0.7 else "O" for tag in gold)))
    found = measure(breakdown(Ner().analyse(lines, Head("", ()), {}), "By type"))
    for part in found.parts:
        others = [{**line, "gold": without(line["gold"], part.name)} for line in lines]
        predicted = [without(line["prediction"]["tags"], part.name) for line in lines]
        expected = entity_scores(predicted, [line["gold"] for line in others])["f1"]
        assert part.elsewhere["f1"] == pytest.approx(expected)


def without(tags: Sequence[str], kind: str) -> list[str]:
    return ["O" if tag[2:] == kind else tag for tag in tags]


def test_elsewhere_of_slices_and_classes() -> None:
    lines = [classified("y" if n % 3 else "n", "y" if n % 4 else "n", text="x" * n) for n in range(60)]
    found = Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {})
    (first, *_) = measure(breakdown(found, "By length of the text")).parts
    rest = lines[15:]
    assert first.elsewhere == {
        "accuracy": pytest.approx(sum(line["gold"] == line["prediction"]["label"] for line in rest) / len(rest))
    }
    generator = random.Random(5)  # noqa: S311
    pairs = [(generator.choice("abbc"), generator.choice("abc")) for _ in range(90)]
    found = Classification(kind="single_label").analyse(
        [classified(*pair) for pair in pairs], Head("", tuple("abc")), {}
    )
    for part in measure(breakdown(found, "By class")).parts:
        hits = sum(gold == label != part.name for gold, label in pairs)
        both = sum(label != part.name for pair in pairs for label in pair)
        assert part.elsewhere["f1"] == pytest.approx(2 * hits / both)


def test_names_of_ours_do_not_meet_names_of_the_data() -> None:
    values = ["all others"] * 40 + [f"v{n}" for n in range(13) for _ in range(3)]
    lines = [classified("y" if n % 2 else "n", "y", traits={"columns": {"s": value}}) for n, value in enumerate(values)]
    found = breakdown(Classification(kind="single_label").analyse(lines, Head("", ("n", "y")), {}), "By column “s”")
    assert sum(part.count for part in found.parts) == len(lines)
    assert found.parts[-1].name == "all others*"
    names = ["(all others)", *(f"c{n}" for n in range(30))]
    many = [classified(name, "c1") for name in names]
    (table,) = Classification(kind="single_label").analyse(many, Head("", tuple(names)), {}).counts
    assert table.rows[-1] == "(all others)*"
    assert table.mixed == {("(all others)*", "(all others)*")}
    nothing = Ner().analyse([tagged("B-(nothing) O", "O O")], Head("", ()), {}).counts[1]
    assert cells(nothing) == {("(nothing)", "(nothing)*"): 1}


def test_quarters_of_numbers_that_are_close_have_their_own_names() -> None:
    numbers = [12345.1 + n / 10 for n in range(16)]
    names = quarters(numbers, "")
    assert len(set(names)) == 4
    assert len(set(quarters([1 + n / 1e6 for n in range(16)], ""))) == 4


@pytest.mark.parametrize(
    ("version", "gold", "answer", "outcome"),
    [
        ("v2.0", [], "the", "rightly not answered"),
        ("v2.0", [], "...", "rightly not answered"),
        ("v2.0", ["the"], "", "rightly not answered"),
        ("v2.0", ["the"], "cats", TOO_BOLD),
        ("v2.0", ["cats"], "the", NOT_ANSWERED),
        ("v1.1", [], "", NOT_ANSWERED),
        ("v1.1", ["the"], "the", "rightly not answered"),
    ],
)
def test_outcomes_agree_with_the_scores(version: str, gold: list[str], answer: str, outcome: str) -> None:
    found = Qa(version=version).analyse([answered("Who?", gold, answer)], Head("", ()), {})
    assert found.counts[0].columns == [outcome]


def test_of_each_kind_the_surest_mistakes_are_shown() -> None:
    lines = [tagged("O", "B-a", 0.9)] * 30 + [tagged("B-a", "O")] * 3 + [tagged("B-a B-a B-a", "O O O")]
    found = Ner().analyse(lines, Head("", ()), {}).mistakes
    assert [one.what for one in found[:4]] == [INVENTED, MISSED, INVENTED, MISSED]
    assert found[1].place == 33
    assert len(found) == 20


def test_an_entity_invented_inside_of_another_has_wrong_borders() -> None:
    (line,) = [tagged("B-a I-a", "B-a B-a", 0.8)]
    found = Ner().analyse([line], Head("", ()), {})
    assert {one.what for one in found.mistakes} == {BORDERS}
    assert found.mistakes[0].text == [("w0 w1", "both")]


def a_breakdown(*parts: tuple[int, int, float, tuple[float, float] | None]) -> MeasuredBreakdown:
    """Return a breakdown of parts, by their rows, units, score and interval; all else has a score of 0.9."""
    measured = [
        MeasuredPart(f"p{n}", count, units, {"accuracy": Measured(value, bounds)}, {"accuracy": 0.9})
        for n, (count, units, value, bounds) in enumerate(parts)
    ]
    return MeasuredBreakdown("By x", "rows", ("accuracy",), measured, "")


SURE, HARDLY, GOOD = (30, 30, 0.6, (0.5, 0.7)), (30, 30, 0.8, (0.71, 0.89)), (200, 200, 0.9, (0.85, 0.95))


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ((SURE, GOOD), ["p0"]),
        ((HARDLY, GOOD), []),
        ((HARDLY,), []),
        ((SURE, *[GOOD] * 40), ["p0"]),
        (((30, 30, 0.785, (0.685, 0.885)), GOOD), ["p0"]),  # a chance of 0.024 ...
        (((30, 30, 0.785, (0.685, 0.885)), *[GOOD] * 9), []),  # ... is no rarity among ten
        (((19, 19, 0.0, None), GOOD), []),
        (((30, 4, 0.0, None), GOOD), []),
        (((30, 30, 0.0, None), GOOD), ["p0"]),
        (((201, 201, 0.6, (0.5, 0.7)), GOOD), []),
    ],
)
def test_what_is_weak(parts: Any, named: list[str]) -> None:
    assert [one.part.name for one in weaknesses([a_breakdown(*parts)])] == named
