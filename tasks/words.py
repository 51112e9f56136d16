"""Cutting a text into words, by rules that know no language."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import regex

WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"Scripts that write words without blanks between them: each of their characters is a word."
JOINERS = r"\u200c\u200d\u00ad"
"Zero-width joiners and the soft hyphen, which stand inside of words."
_BLANK = r"\s\x1c-\x1f\u200b\ufeff"

_UNICODE = regex.compile(
    rf"""(?V1)
    [{WITHOUT_BLANKS}] \p{{M}}*
    | [\p{{L}}\p{{N}}_] [\p{{L}}\p{{N}}\p{{M}}_{JOINERS}--{WITHOUT_BLANKS}]*
    | \p{{GCB=Prepend}}  # such as the Arabic sign for a number: \X would join it with a blank after it
    | (?![{_BLANK}]) \X
    """,
    regex.VERBOSE,
)
_BETWEEN_BLANKS = regex.compile(r"[^\s\x1c-\x1f]+")

Bounds = tuple[int, int]
"The first character of a word, and the one after its last."


def unicode_words(text: str) -> list[Bounds]:
    """Return the bounds of words: runs of letters, digits and underscores; any other character is a word by itself.

    A combining mark belongs to the character before it, and emoji that are joined are one. A character of a script
    without blanks between words, such as Chinese, is a word by itself.

    >>> text = "Mara's 2 hats, 柏林"
    >>> [text[start:end] for start, end in unicode_words(text)]
    ['Mara', "'", 's', '2', 'hats', ',', '柏', '林']
    """
    return [match.span() for match in _UNICODE.finditer(text)]


def words_between_blanks(text: str) -> list[Bounds]:
    """Return the bounds of everything between white space.

    >>> words_between_blanks("Mara's hats,")
    [(0, 6), (7, 12)]
    """
    return [match.span() for match in _BETWEEN_BLANKS.finditer(text)]


WORD_RULES: Mapping[str, Callable[[str], list[Bounds]]] = MappingProxyType(
    {"unicode": unicode_words, "blanks": words_between_blanks}
)
"The rules, by the values of `task.words`."
