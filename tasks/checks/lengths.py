"""How long a text is, in words."""

import regex

from tasks.words import WITHOUT_BLANKS

SIGN = regex.compile(f"[{WITHOUT_BLANKS}]")


def word_count(text: str) -> int:
    """Return the number of words between blanks; each character of a script without blanks is one.

    >>> word_count("two words"), word_count("柏林 is 大")
    (2, 4)
    """
    if text.isascii():
        return len(text.split())
    return sum(len(SIGN.findall(part)) or 1 for part in text.split())
