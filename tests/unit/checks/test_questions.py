"""Checks of questions: what each finds and what it leaves alone, with counts worked out by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tasks.checks.finding import Finding
from tasks.checks.questions import long_answers, question_checks
from tasks.data.records import Origin

PASSAGE = "The ferry Solveig left Bergen at noon with 120 people and an old piano."


@dataclass(frozen=True)
class Row:
    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]
    origin: Origin


def row(*answers: str, number: int = 1, question: str = "When did the ferry leave?", context: str = PASSAGE) -> Row:
    starts = tuple(context.index(answer) for answer in answers)
    return Row(question, context, answers, starts, Origin("train.json", number, "question"))


def asking(question: str, context: str = PASSAGE, number: int = 1) -> Row:
    return row(context[:1], question=question, context=context, number=number)


def checked(train: Sequence[Row], kind: str, **others: Sequence[Row]) -> list[Finding]:
    return [found for found in question_checks(train, {"train": train, **others}) if found.kind == kind]


def one(train: Sequence[Row], kind: str) -> Finding:
    (found,) = checked(train, kind)
    return found


def numbers(found: Finding) -> list[int]:
    return [example.origin.number for example in found.examples if example.origin is not None]


def test_nothing_is_found_in_nothing() -> None:
    assert list(question_checks([], {"train": [], "validation": [], "test": []})) == []
    assert list(long_answers([], [], 30)) == []


def test_nothing_is_found_in_clean_questions() -> None:
    other = "Two gulls sat on the pier of Molde."
    train, test = [row("noon"), row("Bergen")], [row("Molde", question="Where were the gulls?", context=other)]
    assert list(question_checks(train, {"train": train, "test": test})) == []


# empty_answers


def test_answers_of_which_nothing_is_left() -> None:
    train = [row("noon"), row(".", "an", number=2), row("an old piano")]
    found = one(train, "empty_answers")
    assert (found.grade, found.count, found.of) == ("warning", 2, 4)
    assert found.examples[0].text == "'.', an answer to: When did the ferry leave?"
    assert numbers(found) == [2, 2]


def test_empty_answers_of_other_splits() -> None:
    (found,) = checked([row("noon")], "empty_answers", test=[row("The", number=7)])
    assert (found.count, found.of, numbers(found)) == (1, 2, [7])


def test_questions_without_an_answer_have_no_empty_one() -> None:
    assert checked([row(), row("noon")], "empty_answers") == []


# partial_words


@pytest.mark.parametrize("answer", ["erry", "ferr", "olvei", "20", "12", "n old", "120 peop"])
def test_answers_that_cut_a_word(answer: str) -> None:
    found = one([row(answer, number=4)], "partial_words")
    assert (found.grade, found.count, found.of) == ("warning", 1, 1)
    assert f"[{answer}]" in found.examples[0].text
    assert numbers(found) == [4]


def test_an_answer_is_shown_with_what_stands_around_it() -> None:
    assert one([row("olveig")], "partial_words").examples[0].text == ("The ferry S[olveig] left Bergen at noon with")
    long = one([row("erry Solveig left Bergen at noon with 120 people and an old")], "partial_words")
    assert long.examples[0].text == "The f[erry Solveig left Bergen ... ith 120 people and an old] piano."


@pytest.mark.parametrize(
    ("answer", "context"),
    [
        ("The ferry", PASSAGE),
        ("piano", PASSAGE),
        ("piano.", PASSAGE),
        (PASSAGE, PASSAGE),
        ("120", "the 120s"),
        ("Solveig", "Solveig's crew, Solveig-like"),
        ("Norway", "(Norway)"),
        ("京都", "昨日京都に行った"),
        ("กรุงเทพ", "ในกรุงเทพมหานคร"),
        ("서울", "서울은 크다"),
        ("بيت", "البيت كبير"),
    ],
)
def test_answers_that_cut_no_word(answer: str, context: str) -> None:
    assert checked([row(answer, context=context)], "partial_words") == []


@pytest.mark.parametrize(("others", "grade"), [(99, "warning"), (100, "note")])
def test_from_one_in_a_hundred_on_cut_words_are_a_warning(others: int, grade: str) -> None:
    found = one([*[row("noon")] * others, row("noo")], "partial_words")
    assert (found.grade, found.count, found.of) == (grade, 1, others + 1)


# foreign_questions


@pytest.mark.parametrize("question", ["Whose horse won?", "Who?", "Is it so?", "Wer schrieb Romane?"])
def test_questions_that_share_no_word(question: str) -> None:
    found = one([asking("Which ferry?"), asking(question, number=5)], "foreign_questions")
    assert (found.grade, found.count, found.of) == ("warning", 1, 2)
    assert found.examples[0].text.startswith(f"{question} | The ferry Solveig")
    assert numbers(found) == [5]


@pytest.mark.parametrize(
    "question",
    ["Whose ferries?", "WHO SAILED ON SOLVEIG?", "Sólveig?", "Is it at?", "???", "Of whose pianos?"],
)
def test_questions_that_share_a_word_or_have_none(question: str) -> None:
    assert checked([asking(question)], "foreign_questions") == []


@pytest.mark.parametrize(("others", "with_als", "count"), [(1, 1, 0), (38, 2, 0), (37, 2, 1), (38, 3, 1)])
def test_short_words_count_if_they_are_rare(others: int, with_als: int, count: int) -> None:
    train = [asking("Boats?", f"Boats at pier {number}.") for number in range(others)]
    train += [asking("Boats?", f"Boats of ALS at pier {number}.") for number in range(with_als)]
    found = checked([*train, asking("What does ALS mean?", train[-1].context)], "foreign_questions")
    assert [each.count for each in found] == [1] * count
    # All passages have "at", which therefore says nothing.
    assert one([*train, asking("What rang at night?", train[0].context)], "foreign_questions").count == 1


def test_pairs_of_characters_count_in_scripts_without_blanks() -> None:
    passage = "昨日京都に行った"
    assert checked([asking("京都はどこ", passage)], "foreign_questions") == []
    assert one([asking("東京はどこ", passage)], "foreign_questions").count == 1


@pytest.mark.parametrize(("others", "grade"), [(8, "warning"), (9, "note")])
def test_over_one_in_ten_foreign_questions_are_a_warning(others: int, grade: str) -> None:
    found = one([*[asking("Which ferry?")] * others, asking("Whose horse won?")], "foreign_questions")
    assert (found.grade, found.count, found.of) == (grade, 1, others + 1)


def test_questions_without_an_answer_or_a_word_are_not_compared() -> None:
    train = [asking("Which ferry?"), row(question="Whose horse won?"), asking("?"), asking("Whose horse won?")]
    found = one(train, "foreign_questions")
    assert (found.count, found.of) == (1, 2)
    assert checked(train[:3], "foreign_questions") == []


# unanswerable


def test_some_questions_without_an_answer() -> None:
    found = one([row("noon"), row(number=2), row("noon"), row(number=4)], "unanswerable")
    assert (found.grade, found.count, found.of) == ("note", 2, 4)
    assert "(50%)" in found.message
    assert numbers(found) == [2, 4]


@pytest.mark.parametrize("train", [[row("noon"), row("noon")], [row(), row()]])
def test_all_or_none_without_an_answer(train: list[Row]) -> None:
    assert checked(train, "unanswerable") == []


# shared_passages


def test_passages_of_other_splits() -> None:
    train, other = [row("noon")], asking("Which?", "Two gulls.", 3)
    found = checked(
        train,
        "shared_passages",
        validation=[other, asking("Which?", f" {PASSAGE}\n", 8), other],
        test=[asking("Which?", PASSAGE, 9)],
    )
    assert [(each.grade, each.count, each.of, numbers(each)) for each in found] == [
        ("warning", 1, 3, [8]),
        ("warning", 1, 1, [9]),
    ]
    assert "1 of 3 validation questions (33%)" in found[0].message
    assert "1 of 1 test questions (100%)" in found[1].message


def test_other_passages_are_not_shared() -> None:
    others = [asking("Which?", "Two gulls."), asking("Which?", PASSAGE.upper()), asking("Which?", PASSAGE[:-1])]
    assert checked([row("noon")], "shared_passages", validation=[], test=others) == []


# long_answers


def test_answers_of_which_all_are_too_long() -> None:
    train = [row("noon"), row("an old piano", "old piano", number=2), row(number=3), row("people and an", number=4)]
    (found,) = long_answers(train, [[1], [3, 2], [], [4]], 1)
    assert (found.kind, found.grade, found.count, found.of) == ("long_answers", "warning", 2, 3)
    assert [example.text for example in found.examples] == ["4 tokens: people and an", "2 tokens: old piano"]
    assert numbers(found) == [4, 2]
    assert "at most 1 tokens" in found.message


def test_an_answer_of_the_most_tokens_is_not_too_long() -> None:
    assert list(long_answers([row("noon", "at noon"), row()], [[30, 31], []], 30)) == []
    assert len(list(long_answers([row("noon", "at noon"), row()], [[31, 32], []], 30))) == 1
