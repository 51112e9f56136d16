"""Characters that a page of HTML must not have, or that hide what a text says, made visible."""

import re

from recipes.system.console import escape_control_characters

NO_CHARACTERS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
HIDING = re.compile(f"[\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef{NO_CHARACTERS}]")
"What turns the direction of text, halves of pairs, and what is no character; control characters are no part of it."


def visible(text: object) -> str:
    r"""Return a text with such characters as escapes.

    >>> print(visible("a\x1b[31mb\u202ec"))
    a\x1b[31mb\u202ec
    """
    shown = escape_control_characters(str(text))
    return HIDING.sub(lambda match: f"\\u{ord(match[0]):04x}", shown)
