"""JSON texts: one value, a value on each line, or values one after another; and where in them the rows are."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
ROWS_LOOKED_AT = 50
LINE_SUFFIXES = (".jsonl", ".ndjson")

Shape = Literal["lines", "whole", "concatenated"]


@dataclass(frozen=True)
class JsonText:
    """A text of one or several JSON values. `shape` says how they stand in it."""

    text: str
    shape: Shape

    @cached_property
    def whole(self) -> Any:
        """The only value of a text of shape "whole"."""
        return parse(self.text)

    @cached_property
    def values(self) -> list[tuple[int, Any]]:
        """The values of a text of shape "concatenated", each with the line that it begins on.

        Raises:
            ValueError: one of them is no JSON, or has half a surrogate pair. RecursionError: it is nested too deeply.
        """
        values = list(_concatenated(self.text))
        _refuse_half_pairs(self.text, values)
        return values

    @cached_property
    def sample(self) -> list[Any]:
        """The first rows, as far as they can be read; lines that can't be are skipped."""
        if self.shape == "lines":
            return list(islice(_readable_lines(self.text), ROWS_LOOKED_AT))
        if self.shape == "concatenated":
            return [value for _, value in islice(_up_to_fault(_concatenated(self.text)), ROWS_LOOKED_AT)]
        try:
            rows = top_list(self.whole)
        except (ValueError, RecursionError):
            rows = None  # the reader says what is wrong with it
        return [] if rows is None else rows[:ROWS_LOOKED_AT]


def read_json_text(text: str, suffix: str) -> JsonText | None:
    """Return how a text that begins like JSON is to be read, or None if it can't be any of these.

    A text of lines is recognised by its first line, which is a value by itself. Its other lines may hold faults, which
    are reported line by line when they are read.
    """
    first, _, rest = text.strip().partition("\n")
    if rest.strip() and _parses(first):
        return JsonText(text, "lines")
    if suffix in LINE_SUFFIXES and not rest.strip() and _parses(first):
        return JsonText(text, "lines" if first.startswith("{") else "whole")
    if not suffix and not rest.strip() and _is_single_row(first):
        return JsonText(text, "lines")
    if _parses(text):
        return JsonText(text, "whole")
    if len(list(islice(_up_to_fault(_concatenated(text)), 2))) == 2:
        return JsonText(text, "concatenated")
    if suffix in LINE_SUFFIXES:
        return JsonText(text, "lines")
    return JsonText(text, "whole") if suffix == ".json" else None


def _is_single_row(line: str) -> bool:
    """Tell whether a line holds one object with the values of one row, and not the rows or columns of a file."""
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(tree, dict) or any(isinstance(value, dict) for value in tree.values()):
        return False
    return bool(tree) and top_list(tree) is None and not _has_equal_columns(tree)


def top_list(tree: Any) -> list[Any] | None:
    """Return the list of rows of a JSON value: itself, or the only list of objects or lists inside an object."""
    if isinstance(tree, list):
        return tree
    if not isinstance(tree, Mapping):
        return None
    lists: list[list[Any]] = [value for value in tree.values() if _is_list_of_rows(value)]
    if len(lists) != 1 or (_has_equal_columns(tree) and not _holds_pairs(lists[0])):
        return None
    return lists[0]


def _is_list_of_rows(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    # Some annotation tools write null for a text without entities.
    rows = [item for item in value if item is not None]
    return bool(rows) and all(isinstance(item, dict | list) for item in rows)


def _holds_pairs(rows: list[Any]) -> bool:
    """Tell whether rows are pairs of a text and an object, as in spaCy's training data, which no column would hold."""
    pairs = [row for row in rows if isinstance(row, list)]
    return bool(pairs) and all(len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], dict) for row in pairs)


def _has_equal_columns(tree: Mapping[str, Any]) -> bool:
    """Tell whether an object has several lists of the same length: columns, of which one may hold lists."""
    lengths = [len(value) for value in tree.values() if isinstance(value, list)]
    return len(lengths) > 1 and len(set(lengths)) == 1 and len(lengths) == len(tree)


def parse(text: str) -> Any:
    """Parse JSON, and refuse texts with half a surrogate pair, which JSON allows but no tokenizer accepts.

    Raises:
        ValueError: it is no JSON, or has half a surrogate pair. RecursionError: it is nested too deeply.
    """
    value = json.loads(text)
    _refuse_half_pairs(text, value)
    return value


def _refuse_half_pairs(text: str, value: Any) -> None:
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()


def json_fault(error: Exception, *, with_line: bool = True) -> str:
    """Return where and why a text is not JSON, in words."""
    if isinstance(error, json.JSONDecodeError):
        place = f"line {error.lineno}, column {error.colno}" if with_line else f"column {error.colno}"
        trailing = error.doc[: error.pos].rstrip().endswith(",") and error.doc[error.pos : error.pos + 1] in ("]", "}")
        return f"{place}: {error.msg}" + (". The comma before this bracket is one too many" if trailing else "")
    if isinstance(error, UnicodeEncodeError):
        before = error.object[max(error.start - 20, 0) : error.start]
        return f"half of a surrogate pair, {error.object[error.start]!r}, after {before!r}"
    return f"{type(error).__name__}: {error}"


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _readable_lines(text: str) -> Iterator[Any]:
    # Not splitlines(): it also splits at U+2028 and others, which JSON allows in a string.
    for line in text.split("\n"):
        if line.strip() and _parses(line):
            yield json.loads(line)


def _up_to_fault(values: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    with suppress(ValueError, RecursionError):
        yield from values


def _concatenated(text: str) -> Iterator[tuple[int, Any]]:
    """Yield values that stand one after another, with the line of each.

    Raises:
        ValueError: one of them is no JSON. RecursionError: it is nested too deeply.
    """
    decoder = json.JSONDecoder()
    position, line = 0, 1
    while True:
        blank = re.compile(r"[\s,]*").match(text, position)
        begin = blank.end() if blank else position
        line += text.count("\n", position, begin)
        if begin == len(text):
            return
        value, end = decoder.raw_decode(text, begin)
        yield line, value
        line += text.count("\n", begin, end)
        position = end
