"""Duplicates that are left out of training: which rows they are, what is counted, and what stays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.choosing.choice import rows_to_choose_on
from recipes.config.schema import Config
from tasks.classification import Classification, Text
from tasks.data.options import SPLITS, DataOptions, Limit, Split
from tasks.data.records import Origin
from tasks.errors import InputError
from tasks.loading.deduplication import Deduplicated, deduplicate
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.task import AnyTask

ONE, SEVERAL = Classification(kind="single_label"), Classification(kind="multi_label")
WORDS = "river stone window winter market garden letter bridge copper candle"
LONG = " ".join(f"{word} {''.join(reversed(word))} x{word} y{word} z{word}" for word in WORDS.split())
ALMOST = "River stone window, winter market garden letter bridge copper candle today!"


def place(number: int) -> Origin:
    return Origin("rows.csv", number)


def text(words: str, label: Any = "a", pair: str | None = None) -> Text:
    return Text("0", words, pair, label, place(0))


def texts(*rows: tuple[Any, ...]) -> list[Text]:
    return [Text(str(number), words, None, label, place(number)) for number, (words, label) in enumerate(rows)]


def sentence(words: str, *entities: tuple[int, str]) -> Sentence:
    tags = ["O"] * len(words.split())
    for start, kind in entities:
        tags[start] = f"B-{kind}"
    return Sentence("0", tuple(words.split()), tuple(tags), place(0))


def question(asked: str, passage: str, answers: Sequence[tuple[str, int]] = (("Oslo", 0),)) -> Question:
    found, starts = tuple(text for text, _ in answers), tuple(start for _, start in answers)
    return Question("0", asked, passage, found, starts, None, place(0))


def done(
    task: AnyTask, train: Sequence[Any], validation: Sequence[Any] = (), test: Sequence[Any] = (), how: str = "exact"
) -> Deduplicated[Any]:
    return deduplicate(task, {"train": train, "validation": validation, "test": test}, how)


def test_the_first_of_equal_rows_with_equal_gold_stays() -> None:
    train = texts(("x", "a"), ("y", "b"), ("x", "a"), ("x", "b"), ("y", "b"), ("x", "a"), ("x", "b"))
    found = done(ONE, train)
    assert [row.id for row in found.kept] == ["0", "1", "3"]
    assert [row.id for row in found.left_out] == ["2", "4", "5", "6"]
    assert found.note == "data.deduplicate=exact: 4 of 7 training rows left out: 4 repeat an earlier one"


def test_what_is_held_out_is_left_out_whatever_its_gold_and_counted_once() -> None:
    train = texts(("x", "a"), ("x", "a"), ("y", "b"), ("z", "a"), ("u", "b"), ("u", "b"))
    found = done(ONE, train, validation=texts(("y", "a")), test=texts(("x", "b"), ("y", "b")))
    assert [row.id for row in found.kept] == ["3", "4"]
    assert found.note == (
        "data.deduplicate=exact: 4 of 6 training rows left out: 1 repeats an earlier one, 1 stands in validation, "
        "2 stand in test"
    )


def test_where_nothing_is_left_out_this_is_said() -> None:
    train = texts(*((f"text {number}", "a") for number in range(1200)))
    found = done(ONE, train)
    assert (found.kept, found.left_out) == (train, [])
    assert found.note == "data.deduplicate=exact: none of 1,200 training rows is left out"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=30), st.sets(st.integers(0, 5), max_size=3)
)
def test_against_a_comparison_with_all_rows_before(rows: list[tuple[int, str]], held: set[int]) -> None:
    train = [*texts(*((str(words), label) for words, label in rows)), text("always there", "a")]
    test = texts(*((str(words), "a") for words in held))
    found = done(ONE, train, test=test)
    wanted = [row for n, row in enumerate(train[:-1]) if rows[n] not in rows[:n] and rows[n][0] not in held]
    assert found.kept == [*wanted, train[-1]]
    assert len(found.kept) + len(found.left_out) == len(train)


@pytest.mark.parametrize(
    ("task", "one", "other", "same"),
    [
        (SEVERAL, text("x", ("a", "b")), text("x", ("b", "a")), True),
        (SEVERAL, text("x", ("a", "b")), text("x", ("a",)), False),
        (Classification(kind="regression"), text("x", 0.5), text("x", 0.5), True),
        (Classification(kind="regression"), text("x", 0.5), text("x", 0.25), False),
        (ONE, text("x", pair="y"), text("x", pair="y"), True),
        (ONE, text("x", pair="y"), text("x", pair="z"), False),
        (Ner(), sentence("in Oslo", (1, "place")), sentence("in Oslo", (1, "place")), True),
        (Ner(), sentence("in Oslo", (1, "place")), sentence("in Oslo"), False),
        (Qa(), question("where?", "Oslo"), question("where?", "Oslo"), True),
        (Qa(), question("where?", "Oslo"), question("which town?", "Oslo"), False),
        (Qa(), question("where?", "Oslo"), question("where?", "Oslo !"), False),
        (Qa(), question("where?", "Oslo, Oslo"), question("where?", "Oslo, Oslo", [("Oslo", 6)]), False),
    ],
)
def test_what_is_equal_in_each_task(task: AnyTask, one: Any, other: Any, same: bool) -> None:
    assert len(done(task, [one, other]).left_out) == same


def test_rows_that_stay_with_other_gold_are_counted_where_nothing_else_tells_of_them() -> None:
    rows = [sentence("in Oslo", (1, "place")), sentence("in Oslo"), sentence("in Oslo"), sentence("in Rome")]
    assert done(Ner(), rows).note == (
        "data.deduplicate=exact: 1 of 4 training rows left out: 1 repeats an earlier one; 1 with the content of an "
        "earlier one, but not its gold, stays"
    )
    # One label each: a note on texts that are there with different labels is among those of every run.
    assert "stay" not in done(ONE, texts(("x", "a"), ("x", "b"))).note


def test_near_duplicates_stay_if_their_gold_is_another() -> None:
    train = texts((WORDS, "a"), (ALMOST, "b"), (f"{WORDS} 7", "b"), (f"{WORDS} 8", "a"), ("nothing like these", "a"))
    assert done(ONE, train).left_out == []
    found = done(ONE, train, how="near")
    assert [row.id for row in found.kept] == ["0", "1", "4"]
    assert found.note == (
        "data.deduplicate=near: 2 of 5 training rows left out: 2 nearly repeat an earlier one; 1 nearly like an "
        "earlier one, but not in gold, stays"
    )


def test_what_is_nearly_held_out_is_left_out_whatever_its_gold() -> None:
    train = texts((WORDS, "a"), (ALMOST, "b"), ("nothing like these", "a"), ("nothing like these", "a"))
    found = done(ONE, train, validation=texts((f"{WORDS} 7", "a")), how="near")
    assert [row.id for row in found.kept] == ["2"]
    assert "1 repeats an earlier one, 2 are nearly rows of validation" in found.note
    assert "1 is nearly a row of test" in done(ONE, train[1:], test=texts((WORDS, "a")), how="near").note


def test_rows_that_are_like_a_third_one_need_not_be_like_each_other() -> None:
    """Both have 75% in common with the first, but less with each other, and other gold than the first."""
    first = WORDS.split()
    one, other = " ".join(["golden", *first[1:]]), " ".join([*first[:-1], "wooden"])
    train = texts((WORDS, "a"), (one, "b"), (other, "b"))
    assert done(ONE, train[:2], how="near").left_out == []
    assert "1 nearly like" in done(ONE, train[:2], how="near").note
    assert done(ONE, train, how="near").left_out == []
    assert len(done(ONE, texts((WORDS, "b"), (one, "b"), (other, "b")), how="near").left_out) == 2


def test_equal_rows_with_other_gold_are_not_decided_on_for_being_near_a_third_one() -> None:
    train = texts((WORDS, "a"), (ALMOST, "b"), (WORDS, "b"))
    assert done(ONE, train, how="near").left_out == []


def test_a_row_that_stays_is_counted_for_one_reason_and_one_that_is_left_out_for_none() -> None:
    rows = [text(WORDS, ("a",)), text(WORDS, ("b",)), text("nothing like these", ("a", "b"))]
    equal = "1 with the content of an earlier one, but not its gold, stays"
    assert (
        done(SEVERAL, rows, how="near").note == f"data.deduplicate=near: none of 3 training rows is left out; {equal}"
    )
    assert done(SEVERAL, rows, test=[text(ALMOST, ("a",))], how="near").note == (
        "data.deduplicate=near: 2 of 3 training rows left out: 2 are nearly rows of test"
    )


def test_a_passage_has_many_questions_and_a_question_is_asked_of_many_passages() -> None:
    passage = f"Oslo. {LONG}"
    rows = [
        question("Which town does the letter come from today?", passage),
        question("Who crosses the bridge?", passage),
        question("which town does the letter come from today", f"{passage} 12", [("Oslo", 6)]),
        question("Which town does the letter come from today?", f"Oslo. {' '.join(reversed(LONG.split()))}"),
        question("Which town does the letter come from today ?", passage, [("market", 30)]),
    ]
    found = done(Qa(), rows, how="near")
    assert found.left_out == [rows[2]]
    assert "1 nearly like an earlier one, but not in gold, stays" in found.note


def test_pairs_are_nearly_the_same_if_both_of_their_texts_are() -> None:
    rows = [text(LONG, pair="It is cold in the winter market"), text(LONG, pair="Nobody writes")]
    assert done(ONE, rows, how="near").left_out == []
    assert len(done(ONE, [*rows, text(f"{LONG}!", pair="it is cold in the winter market!")], how="near").left_out) == 1


def test_sentences_that_are_nearly_the_same_need_the_same_entities_but_not_in_the_same_places() -> None:
    one = sentence(WORDS, (0, "water"), (4, "place"))
    later = sentence(f"Today {WORDS}", (1, "water"), (5, "place"))
    assert done(Ner(), [one, later], how="near").left_out == [later]
    assert done(Ner(), [one, sentence(f"Today {WORDS}", (1, "water"))], how="near").left_out == []
    assert done(Ner(), [one, sentence(f"Today {WORDS}", (1, "place"), (5, "water"))], how="near").left_out == []


def test_a_label_of_which_nothing_is_left_is_named() -> None:
    train = texts(("x", "rare"), ("y", "b"), ("z", "b"))
    found = done(ONE, train, test=texts(("x", "rare")))
    assert found.note.endswith("left out: 1 stands in test; no training row is left of rare")


def test_where_nothing_is_left_to_train_on() -> None:
    with pytest.raises(InputError, match=r"no training row is left: 2 stand in test\. Are these the right files\?"):
        done(ONE, texts(("x", "a"), ("y", "b")), test=texts(("x", "a"), ("y", "b")))
    with pytest.raises(
        InputError, match=r"1 is nearly a row of test\. To leave out equal ones alone: data.deduplicate=exact"
    ):
        done(ONE, texts((ALMOST, "a")), test=texts((WORDS, "a")), how="near")


# In the rows of a run


def lines(count: int, first: int = 0) -> list[str]:
    """Return lines of a table, none nearly like another one: numbers are letters, as all digits are the same there."""
    codes = (f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(count))
    return [f"parcel {code} of the week,{'ab'[number % 2]}" for number, code in enumerate(codes)][first:]


def read(folder: Path, train: list[str], seed: int = 1, **options: Any) -> AnyRows:
    """Read rows from files that are made of lines; `validation` and `test` are lines, too."""
    for split in SPLITS:
        of_split = train if split == "train" else options.pop(split, None)
        if of_split is not None:
            path = folder / f"{split}.csv"
            path.write_text("text,label\n" + "".join(f"{line}\n" for line in of_split))
            options[split] = str(path)
    return load(Classification(), DataOptions(**options), seed)


def numbers(rows: AnyRows, split: Split = "train") -> list[int]:
    return [row.origin.number for row in rows.splits[split]]


def test_only_training_rows_are_left_out_after_splits_are_cut(tmp_path: Path) -> None:
    train = [*lines(40), *lines(40)]
    plain, less = read(tmp_path, train), read(tmp_path, train, deduplicate="exact")
    for split in ("validation", "test"):
        assert numbers(plain, split) == numbers(less, split)
    assert numbers(less) == sorted({number for number in numbers(plain) if number <= 41})
    count = len(plain.splits["train"])
    assert f"{count // 2} of {count} training rows left out: {count // 2} repeat an earlier one" in "".join(less.notes)


def test_a_given_test_file_is_held_out_and_the_hint_is_gone(tmp_path: Path) -> None:
    hint = "3 of 3 test rows are also among the training rows. To leave them out there: data.deduplicate=exact"
    options: dict[str, Any] = {"test": lines(3), "validation": lines(60, 50)}
    assert hint in read(tmp_path, lines(40), **options).notes
    rows = read(tmp_path, lines(40), deduplicate="exact", **options)
    assert hint not in rows.notes
    assert numbers(rows) == list(range(5, 42))
    assert len(rows.splits["test"]) == 3


def test_a_limit_takes_some_of_the_rows_that_are_left(tmp_path: Path) -> None:
    rows = read(tmp_path, [*lines(40)] * 3, deduplicate="exact", limit=Limit(train=20), test_fraction=0)
    assert len({row.text for row in rows.splits["train"]}) == 20


def test_folds_are_held_out_as_they_are(tmp_path: Path) -> None:
    train = [*lines(30), *lines(30)]
    held = []
    for fold in (1, 2, 3):
        rows = read(tmp_path, train, deduplicate="near", folds=3, fold=fold)
        held += numbers(rows, "test")
        assert not {row.text for row in rows.splits["train"]} & {row.text for row in rows.splits["test"]}
        assert len({row.text for row in rows.splits["train"]}) == len(rows.splits["train"])
    assert sorted(held) == list(range(2, 62)), "every row once"


@pytest.mark.parametrize("how", ["exact", "near"])
def test_validation_rows_that_go_back_to_training_are_looked_at_as_well(how: str, tmp_path: Path) -> None:
    train = [*lines(40), *lines(40), f"{WORDS},a", f"{WORDS} 1,a"]
    config = Config(data=DataOptions(deduplicate=how))
    whole = rows_to_choose_on(read(tmp_path, train, deduplicate=how, test=lines(2)), config)
    assert numbers(whole) == [*range(4, 42), 82, *([] if how == "near" else [83])]
    assert whole.splits["validation"] is whole.splits["train"]
    (note,) = [note for note in whole.notes if note.startswith("data.deduplicate")]
    assert f"of 82 training rows left out: 38 repeat an earlier one, 4 stand in test{', 1' * (how == 'near')}" in note
    without = rows_to_choose_on(read(tmp_path, train, test=lines(2)), Config())
    assert numbers(without) == list(range(2, 84))
