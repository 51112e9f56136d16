"""Words of texts by borders that lists of words show."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.word_borders import FEWEST, WordBorders, learn_borders
from tasks.words import Bounds, words_between_blanks

TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \t\u00a0\u200b.,'’\"()@#-!?"),
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("abéß1👍🏽👩\u200d🚀\u0301柏林שלוםสวัสดี"),
    ),
    max_size=40,
)


def cut(borders: WordBorders, text: str) -> list[str]:
    return [text[start:end] for start, end in borders.words(text)]


@given(TEXTS)
def test_words_are_all_that_is_between_blanks(text: str) -> None:
    words = WordBorders(kept_before="@", clitics=("'s",), split_inside="-").words(text)
    assert all(start < end for start, end in words)
    assert all(before[1] <= after[0] for before, after in pairwise(words))
    assert covered(words) == covered(words_between_blanks(text))


def covered(words: list[Bounds]) -> set[int]:
    return {position for start, end in words for position in range(start, end)}


@given(TEXTS)
def test_the_first_character_of_a_word_is_no_mark_or_joiner_of_another(text: str) -> None:
    for start, _ in WordBorders().words(text):
        if start and not text[start - 1].isspace():
            assert text[start] not in "\u0301\u200d🏽"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mara met Anna.", ["Mara", "met", "Anna", "."]),
        ('"Anna," she said...', ['"', "Anna", ",", '"', "she", "said", "..."]),
        ("well-known U.S. firm", ["well-known", "U.S", ".", "firm"]),
        ("hi👍🏽 👩\u200d🚀", ["hi", "👍🏽", "👩\u200d🚀"]),
        ("?! --", ["?!", "--"]),
        ("in 柏林, OK", ["in", "柏", "林", ",", "OK"]),
        ("", []),
        ("(((", ["((("]),
        ("\u06dda \u0600\u0661,", ["\u06dda", "\u0600\u0661", ","]),
        ("=-" * 300 + "a", ["=", "-"] * 50 + ["=-" * 250 + "a"]),
    ],
)
def test_without_examples_signs_at_the_ends_are_separated(text: str, expected: list[str]) -> None:
    assert cut(WordBorders(), text) == expected


TWEETS = [["@mara", "it", "'s", "Anna", "'s", "U.S.", "trip", ",", "don't", "!"]] * FEWEST + [["the", "end", "."]] * 9


def test_what_training_keeps_together_stays_together() -> None:
    borders = learn_borders(TWEETS)
    assert borders.kept_before == "@"
    assert borders.clitics == ("'s",)
    assert borders.whole == {"U.S.", "'s"}
    assert cut(borders, "@nils: don't miss Sue's U.S. trip. #now!") == [
        "@nils", ":", "don't", "miss", "Sue", "'s", "U.S.", "trip", ".", "#", "now", "!",
    ]  # fmt: skip


def test_signs_that_are_words_inside_of_words_are_separated_there_too() -> None:
    borders = learn_borders([["BRCA1", "-", "mutated", "cells", "-"]])
    assert borders.split_inside == "-"
    assert cut(borders, "BRCA1-mutated (x-y)") == ["BRCA1", "-", "mutated", "(", "x", "-", "y", ")"]


def test_rare_words_of_training_are_not_stored() -> None:
    secret = ["@anna.lind@example.org", "likes", "."]
    assert learn_borders([secret] * (FEWEST - 1)).whole == frozenset()


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b.", ".", ",", "'s", "@x", "x-y", "U.S.", "don't"]), max_size=6), max_size=8
    )
)
def test_borders_read_back_from_json(sentences: list[list[str]]) -> None:
    borders = learn_borders(sentences)
    assert WordBorders.from_json(borders.to_json()) == borders


@pytest.mark.parametrize("tree", [{}, None, [], {"kept_before": 1}, {**WordBorders().to_json(), "whole": "abc"}])
def test_other_json_is_refused(tree: object) -> None:
    with pytest.raises(ValueError, match="no "):
        WordBorders.from_json(tree)  # type: ignore[arg-type]
