"""The values of cells: which count as empty, and lists and dicts that a program printed into a text cell."""

import ast
import json
import math
import re
import warnings
from typing import Any

BRACKETS = {"[": "]", "{": "}", "(": ")"}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>[rRbBuU]{0,2}(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
      | (?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)(?![\w.+-]))
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<mark>[\[\]{}(),:=])
    )""",
    re.VERBOSE,
)
HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_NAMES: dict[str, Any] = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}
_NAMES |= {"nan": None, "NaN": None, "NaT": None}
_WRAPPER = re.compile(r"(?:np\.|numpy\.)?(?:array|str_|bytes_|bool_?|u?int\d+|float\d+)|tensor")
"What NumPy and PyTorch write around their values: `array([...])`, `np.int64(3)`."
_DEEPEST = 50


def is_blank(value: Any) -> bool:
    """Tell whether a cell holds nothing: None, NaN (which JSON and pandas write for a missing value) or only blanks."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and not value.strip()


def begins_like_printed(text: str) -> bool:
    """Tell whether a text begins as a printed list or dict does, and ends so too, or was cut off."""
    text = text.strip()
    if text[:1] not in ("[", "{"):
        return False
    return text.endswith(BRACKETS[text[0]]) or re.match(r"[\[{]\s*(['\"\[{]|-?\d+\s*,)", text) is not None


def read_printed(cell: Any) -> Any:
    r"""Return the list or dict that a text is the printed form of. Any other value is returned unchanged.

    JSON, Python and NumPy print differently; all three are read. Tuples and sets become lists.

    >>> read_printed("['Ida', 'left']"), read_printed("['Ida' 'left']"), read_printed("[deleted] by its author")
    (['Ida', 'left'], ['Ida', 'left'], '[deleted] by its author')
    >>> read_printed("{'text': array(['May'], dtype=object), 'answer_start': array([32])}")
    {'text': ['May'], 'answer_start': [32]}

    Raises:
        ValueError: the text begins and ends like a list or dict, or was cut off, and can't be read as one.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if not begins_like_printed(text):
        return cell
    try:
        value = _parsed(text)
        if HALF_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{_shown(text)} holds half of a surrogate pair, which is no character") from error
    except ValueError as error:
        raise ValueError(f"{_shown(text)} begins like a list or dict, but can't be read as one: {error}") from error
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _Printed(text).whole()


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


class _Printed:
    """A reader of one printed value. The tokens are few, so that `eval` and its dangers are not needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.kind, self.word = "", ""
        self._next()

    def whole(self) -> Any:
        value = self._value(0)
        if self.kind:
            raise ValueError(f"more text follows: {self.word}")
        return value

    def _next(self) -> None:
        if not self.text[self.position :].strip():
            self.kind, self.word = "", ""
            return
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            raise ValueError(f"character {self.position + 1}")
        self.position = match.end()
        self.kind = match.lastgroup or ""
        self.word = match[self.kind]

    def _value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        kind, token = self.kind, self.word
        if not kind:
            raise ValueError("it ends too early")
        self._next()
        if kind == "string":
            return _string(token)
        if kind == "number":
            return int(token) if re.fullmatch(r"[-+]?\d+", token) else float(token)
        if kind == "name" and token in _NAMES:
            return _NAMES[token]
        if kind == "name" and self.word == "(" and _WRAPPER.fullmatch(token):
            return self._wrapped(depth)
        if token in BRACKETS:
            return self._items(BRACKETS[token], depth)
        raise ValueError(f"unexpected {token}")

    def _wrapped(self, depth: int) -> Any:
        """Read the brackets after a wrapper, such as `([...], dtype=object)`: the first argument counts."""
        self._next()
        value = self._value(depth + 1)
        while self.kind and self.word != ")":
            self._next()
        self._close(")")
        return value

    def _items(self, end: str, depth: int) -> Any:
        values: list[Any] = []
        keys: list[Any] = []
        commas = 0
        while self.word != end or self.kind != "mark":
            values.append(self._value(depth + 1))
            if end == "}" and self.kind == "mark" and self.word == ":":
                self._next()
                keys.append(values.pop())
                values.append(self._value(depth + 1))
            if self.kind == "mark" and self.word == ",":
                self._next()
                commas += 1
            elif not self.kind:
                raise ValueError("it is not closed")
        self._close(end)
        # NumPy writes no commas at all. One that is missing may have joined two texts in Python.
        if commas < len(values) - 1 and (commas or keys):
            raise ValueError("a comma is missing")
        if not keys:
            return {} if end == "}" and not values else values
        if len(keys) != len(values) or not all(isinstance(key, str | int | float | bool) for key in keys):
            raise ValueError("keys and values don't match")
        return dict(zip(map(str, keys), values, strict=True))

    def _close(self, end: str) -> None:
        if self.word != end:
            raise ValueError("it is not closed")
        self._next()


def _string(token: str) -> str:
    """Return the text that a quoted text stands for; bytes are UTF-8."""
    if "\\" not in token and token[0] in "'\"":
        return token[1:-1]
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes that mean nothing, which stay as they are
            value = ast.literal_eval(token)
    except SyntaxError as error:
        raise ValueError(f"{token} is no text") from error
    return value.decode() if isinstance(value, bytes) else str(value)


def whole_number(value: Any) -> int | None:
    """Return the whole number that a cell holds, whatever its type: 32, 32.0, "32" or "32.0". None: it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    match = re.fullmatch(r"\s*(-?\d+)(?:\.0*)?\s*", value) if isinstance(value, str) else None
    return int(match[1]) if match else None


def truth(value: Any) -> bool | None:
    """Return the truth value that a cell holds: true, 1, "True", "yes", ... Blank is false. None: it is none of these.

    >>> [truth(value) for value in (True, 0, "False", "1.0", None, "perhaps")]
    [True, False, False, True, False, None]
    """
    if isinstance(value, bool):
        return value
    if is_blank(value):
        return False
    number = whole_number(value)
    if number is not None:
        return bool(number) if number in (0, 1) else None
    return {"true": True, "yes": True, "t": True, "y": True, "false": False, "no": False, "f": False, "n": False}.get(
        str(value).strip().casefold()
    )
