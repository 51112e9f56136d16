"""Rows with fixes: what is taken over, what is left alone, and what is refused."""

from dataclasses import replace

import pytest

from tasks.auditing.suspect import Suspect
from tasks.classification import Classification, Text
from tasks.corrections import Fix, corrected
from tasks.data.records import Origin
from tasks.errors import InputError
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question

PLACE = Origin("rows.csv", 7)
ROW = Text("1", "where is it", None, "late", PLACE)
SENTENCE = Sentence("1", ("Ada", "Lund", "left", "New", "Oslo"), ("B-PER", "O", "O", "O", "B-LOC"), PLACE)
QUESTION = Question("1", "Who left?", "Ada left Oslo.", ("Oslo",), (9,), None, PLACE)


def fix(given: str, suggested: str, word: str = "yes", **at: tuple[int, int]) -> Fix:
    return Fix(Suspect(0, "label", given, suggested, 0.1, **at), word)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "label"), [("yes", "lost"), ("wet", "wet")])
def test_a_label(word: str, label: str) -> None:
    task = Classification(kind="single_label")
    assert corrected(task, ROW, [fix("late", "lost", word)]) == replace(ROW, label=label)


def test_several_labels() -> None:
    task, row = Classification(kind="multi_label"), replace(ROW, label=("late", "rude"))
    fixes = [fix("late", ""), fix("", "wet")]
    assert corrected(task, row, fixes).label == ("rude", "wet")
    with pytest.raises(InputError, match=r"rows\.csv, line 7: fix 'wet'"):
        corrected(task, row, [fix("late", "", "wet")])


def test_a_number() -> None:
    task, row = Classification(kind="regression"), replace(ROW, label=50.0)
    assert corrected(task, row, [fix("50", "4.9")]).label == 4.9
    assert corrected(task, row, [fix("50", "4.9", "5")]).label == 5.0
    with pytest.raises(InputError, match="neither yes nor a number"):
        corrected(task, row, [fix("50", "4.9", "five")])


@pytest.mark.parametrize(
    ("fixes", "tags"),
    [
        ([fix("LOC: Oslo", "", given_at=(4, 5))], "B-PER O O O O"),
        ([fix("", "LOC: New", suggested_at=(3, 4))], "B-PER O O B-LOC B-LOC"),
        ([fix("PER: Ada", "PER: Ada Lund", given_at=(0, 1), suggested_at=(0, 2))], "B-PER I-PER O O B-LOC"),
        ([fix("LOC: Oslo", "ORG: New Oslo", given_at=(4, 5), suggested_at=(3, 5))], "B-PER O O B-ORG I-ORG"),
        (
            [
                fix("PER: Ada", "ORG: Ada", given_at=(0, 1), suggested_at=(0, 1)),
                fix("LOC: Oslo", "", given_at=(4, 5)),
            ],
            "B-ORG O O O O",
        ),
    ],
)
def test_entities(fixes: list[Fix], tags: str) -> None:
    assert corrected(Ner(), SENTENCE, fixes) == replace(SENTENCE, tags=tuple(tags.split()))


def test_an_entity_that_is_in_the_way_is_gone_as_a_whole() -> None:
    row = replace(SENTENCE, tags=("O", "O", "B-ORG", "I-ORG", "I-ORG"))
    changed = corrected(Ner(), row, [fix("", "LOC: New", suggested_at=(3, 4))])
    assert changed.tags == ("O", "O", "O", "B-LOC", "O")


def test_another_word_for_an_entity_is_refused() -> None:
    with pytest.raises(InputError, match="here yes takes what is suggested"):
        corrected(Ner(), SENTENCE, [fix("LOC: Oslo", "", "PER", given_at=(4, 5))])


@pytest.mark.parametrize(
    ("one", "answers", "starts"),
    [
        (fix("Oslo", "Ada", suggested_at=(0, 3)), ("Ada",), (0,)),
        (fix("Oslo", ""), (), ()),
        (fix("Oslo", "Ada", "Ada left", suggested_at=(0, 3)), ("Ada left",), (0,)),
    ],
)
def test_answers(one: Fix, answers: tuple[str, ...], starts: tuple[int, ...]) -> None:
    assert corrected(Qa(), QUESTION, [one]) == replace(QUESTION, answers=answers, starts=starts)


def test_an_answer_that_is_not_in_the_passage_is_refused() -> None:
    with pytest.raises(InputError, match="neither yes nor a text of the passage"):
        corrected(Qa(), QUESTION, [fix("Oslo", "Ada", "Bergen")])
