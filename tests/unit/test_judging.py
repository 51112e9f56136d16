"""What windows show about rows, compared with counts of whole texts."""

from collections.abc import Sequence
from typing import Any

import pytest

from recipes.windows.columns import Windows, to_table
from recipes.windows.judging import judge_windows
from tasks.classification import Classification, Text
from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError
from tasks.loading.rows import AnyRows, Rows
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.task import AnyTask, Head
from tests import tiny

PLACE = Origin("a.csv", 2)
HEAD = Head("AutoModelForSequenceClassification", ("bad", "good"), "single_label_classification")
LENGTH = 16
TRUNCATING = Classification(kind="single_label", long_texts="truncate")


def text(words: str, pair: str | None = None) -> Text:
    return Text("0", words, pair, "good", PLACE)


def judged(task: AnyTask, rows: Sequence[Any], head: Head = HEAD, accepted: Sequence[str] = ()) -> list[str]:
    """Return the notes on training rows that are encoded with the tiny word-piece tokenizer."""
    tokenizer = tiny.wordpiece()
    windows = Windows(to_table(task.encode(rows, tokenizer, head, LENGTH)))
    loaded: AnyRows = Rows(task, head, {"train": list(rows), "validation": [], "test": []}, ReadReport())
    return judge_windows(loaded, {"train": windows}, tokenizer, accepted)


def tokens(words: str) -> int:
    return len(tiny.wordpiece()(words, add_special_tokens=False)["input_ids"])


def test_texts_that_are_cut_are_counted_with_their_tokens() -> None:
    short, exact = "in Oslo", " ".join(["in"] * (LENGTH - 2))
    assert tokens(exact) == LENGTH - 2, "fills the window, and is whole"
    long, longer = " ".join(["in"] * 20), " ".join(["in"] * 50)
    rows = [text(words) for words in (short, exact, long, longer)]
    lost = tokens(long) + tokens(longer) - 2 * (LENGTH - 2)
    assert judged(TRUNCATING, rows) == [
        f"train: 2 of 4 texts are too long, and {lost} tokens at their ends are not read "
        "(task.long_texts, task.max_length)"
    ]
    assert judged(TRUNCATING, rows[:2]) == []


@pytest.mark.parametrize(("first", "second"), [(20, 2), (2, 20), (20, 20), (7, 40)])
def test_pairs_that_are_cut_are_counted_with_the_tokens_of_both(first: int, second: int) -> None:
    lost = first + second + 3 - LENGTH
    notes = judged(TRUNCATING, [text("in " * first, "in " * second)])
    assert notes == [
        f"train: 1 of 1 texts are too long, and {lost} tokens at their ends are not read "
        "(task.long_texts, task.max_length)"
    ]


def test_questions_that_are_cut_are_counted_once_whatever_their_windows() -> None:
    context = "in Oslo " * 20
    rows = [Question(str(n), "in " * n, context, (), (), None, PLACE) for n in (2, 4, 6, 9)]
    (note,) = judged(Qa(version="v2.0", max_question_tokens=4, stride=2), rows, Head("AutoModelForQuestionAnswering"))
    assert note == (
        "train: 2 of 4 questions are too long: 7 tokens at their ends are not read (task.max_question_tokens)"
    )


UNKNOWN = "柏 林"


def test_a_model_that_knows_few_tokens_is_refused_unless_the_user_means_it() -> None:
    unknown = tiny.wordpiece()(UNKNOWN)["input_ids"].count(tiny.wordpiece().unk_token_id)
    assert unknown == 2
    row = Sentence("0", tuple((UNKNOWN + " " + UNKNOWN + " " + UNKNOWN).split()), ("O",) * 6, PLACE)
    head = Head("AutoModelForTokenClassification", ("O",))
    with pytest.raises(InputError, match=r"6 of 8 training tokens are unknown .* in '柏 林 柏 林 柏 林'"):
        judged(Ner(scheme="iob2"), [row], head)
    (note,) = judged(Ner(scheme="iob2"), [row], head, accepted=["unknown_tokens"])
    assert note.startswith("6 of 8 training tokens are unknown")


def test_a_few_unknown_tokens_are_noted_and_one_in_many_is_not() -> None:
    task = Classification(kind="single_label")
    assert judged(task, [text(f"in in in in in {UNKNOWN}")]) == [
        "2 of 9 training tokens are unknown to this model's tokenizer"
    ]
    assert judged(task, [text("in " * 14)] * 3 + [text("in " * 13 + "柏")]) == []
