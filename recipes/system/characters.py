"""Characters that a page of HTML must not have, or that hide what a text says, made visible."""


def visible(text: object) -> str:
    r"""Return a text with its control characters as visible signs: HTML must not have them, and they may hide others.

    >>> print(visible("a\x1b[31mb\u202ec"))
    a␛[31mb\u202ec
    """
    return "".join(map(_visible, str(text)))


def _visible(sign: str) -> str:
    code = ord(sign)
    if sign in "\n\t" or (code >= 0x20 and code != 0x7F and not _hides(code)):
        return sign
    if code < 0x20:
        return chr(0x2400 + code)
    return f"\\u{code:04x}"


def _hides(code: int) -> bool:
    """Tell whether a character is a C1 control, turns the direction of text, is half of a pair, or is no character."""
    return (
        0x7F <= code < 0xA0
        or 0x202A <= code <= 0x202E
        or 0x2066 <= code <= 0x2069
        or 0xD800 <= code <= 0xDFFF
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
    )
