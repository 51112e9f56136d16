"""Cutting texts into words: examples from several scripts, and what holds for every text."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.words import unicode_words, words_between_blanks
from tests.rows import ANY_CHARACTER, texts

ZERO_WIDTH = "\u200b\ufeff"
"The zero-width space and the byte order mark, which Python does not count as blanks."
ASTRONAUT = "\U0001f469\u200d\U0001f680"
NORWAY, SWEDEN = "\U0001f1f3\U0001f1f4", "\U0001f1f8\U0001f1ea"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mara's 2 hats, red_one", "Mara|'|s|2|hats|,|red_one"),
        ("1.5 km/h", "1|.|5|km|/|h"),
        ("柏林和", "柏|林|和"),
        ("a柏b", "a|柏|b"),
        ("カメラ", "カ|メ|ラ"),
        ("가나다 라", "가나다|라"),
        # The Thai vowel signs above and below stand with their consonant; the others are letters.
        ("กรุงเทพ", "ก|รุ|ง|เ|ท|พ"),
        ("ไทยabc", "ไ|ท|ย|abc"),
        # A zero-width non-joiner stands inside of a Persian word.
        ("می\u200cخواهم بروم", "می\u200cخواهم|بروم"),
        ("شكرا، نعم", "شكرا|،|نعم"),
        ("co\u00adop", "co\u00adop"),
        ("e\u0301a n\u0303o", "e\u0301a|n\u0303o"),
        (f"ok{ASTRONAUT}\U0001f44d\U0001f3fd", f"ok|{ASTRONAUT}|\U0001f44d\U0001f3fd"),
        (f"{NORWAY}{SWEDEN}", f"{NORWAY}|{SWEDEN}"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("10\u00a0km", "10|km"),
        ("\ufeffMara\u200bleft\u200b", "Mara|left"),
        ("a\x1cb\x1f", "a|b"),
        # The Arabic sign for a number takes neither the blank nor the digits after it.
        ("\u0600 12", "\u0600|12"),
        ("\u060012", "\u0600|12"),
        (" \u0301a", "\u0301|a"),
        ("a\r\nb", "a|b"),
        ("\u200b \u00a0", ""),
    ],
)
def test_words_of_many_scripts(text: str, words: str) -> None:
    assert [text[start:end] for start, end in unicode_words(text)] == [word for word in words.split("|") if word]


def test_words_between_blanks() -> None:
    text = " Mara's hats,\u00a0柏林\x1f(red)\n"
    assert [text[start:end] for start, end in words_between_blanks(text)] == ["Mara's", "hats,", "柏林", "(red)"]


def is_blank(character: str, zero_width: str) -> bool:
    return character.isspace() or character in zero_width


@pytest.mark.parametrize(("rule", "zero_width"), [(unicode_words, ZERO_WIDTH), (words_between_blanks, "")])
@given(text=texts() | st.text(ANY_CHARACTER) | st.text("a\u0600 \u0301\u200b\u200d\u0e01\U0001f469\ufe0f\x1c"))
@example(text="")
def test_every_character_but_blanks_is_in_one_word(rule: object, zero_width: str, text: str) -> None:
    assert callable(rule)
    bounds = rule(text)
    assert all(start < end for start, end in bounds)
    assert all(before[1] <= after[0] for before, after in pairwise(bounds))
    covered = {place for start, end in bounds for place in range(start, end)}
    assert covered == {place for place, character in enumerate(text) if not is_blank(character, zero_width)}


@given(st.lists(st.text("aZ9é_ß", min_size=1), min_size=1))
def test_runs_of_letters_and_digits_are_whole(words: list[str]) -> None:
    text = " ".join(words)
    assert [text[start:end] for start, end in unicode_words(text)] == words
    assert unicode_words(text) == words_between_blanks(text)
