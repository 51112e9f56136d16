"""The length of texts in words."""

import pytest

from tasks.checks.lengths import word_count


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("two words", 2), ("schöne  Wörter", 2), ("柏林 is 大城", 5), ("東京へ", 3)]
)
def test_words_between_blanks_and_signs_of_scripts_without(text: str, words: int) -> None:
    assert word_count(text) == words
