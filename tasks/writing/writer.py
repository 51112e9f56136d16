"""What a writer is, and what all of them share: ids, bad rows, and lines of JSON."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from tasks.classification import Text
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.ner import Sentence
from tasks.qa import Question

AnyRow = TypeVar("AnyRow", Sentence, Text, Question)

ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029]")
"Characters that JSON may leave bare, but that terminals obey, or that other readers take for the end of a line."


@dataclass
class Written:
    """The text of a file, and what became of the rows on their way into it."""

    text: str
    rows: Sequence[Any]
    "The rows as the file holds them, in its order: what it has no place for is gone."
    losses: dict[str, int] = field(default_factory=dict)
    "What the format has no place for, and how many rows lost it."
    notes: list[str] = field(default_factory=list)
    "Sentences about what was added or may surprise."


Write: TypeAlias = Callable[[Sequence[Any], bool, ReadReport], Written]
"""A function of the rows of one task, whether they have labels, and the report, which takes rows that the format can't
hold and raises `InputError` or counts them."""


@dataclass(frozen=True)
class Writer:
    """A format that the rows of one task can be written in."""

    name: str
    task: str
    suffix: str
    "The extension of its files. Readers of the others must not mistake them."
    write: Write
    ways: tuple[Mapping[str, str], ...] = ({},)
    "Options of the task with which a file may have to be read to give the same rows, the fewest first."
    holds_words: bool = True
    "Whether the words of a text stand in the file. If not, a reader cuts the text anew."


def holdable(
    rows: Sequence[AnyRow], fault: Callable[[AnyRow], str | None], name: str, report: ReadReport
) -> list[AnyRow]:
    """Return the rows that a format can hold. The others go to `report`.

    Args:
        rows: the rows.
        fault: says why a row can't be held, or returns None.
        name: the format's name, for errors.
        report: raises an error for the first such row, or counts them.

    Raises:
        InputError: a row can't be held and is not to be skipped, or none can.
    """
    kept = []
    for row in rows:
        why = fault(row)
        if why is None:
            kept.append(row)
        else:
            report.bad_row(f"can't be written as {name}", f"{name} can't hold this row: {why}", row.origin)
    if rows and not kept:
        raise InputError(f"None of the {len(rows)} rows can be written as {name}")
    return kept


def has_own_ids(rows: Sequence[AnyRow]) -> bool:
    """Tell whether any row has an id of its own, and not only its position."""
    return any(row.id != str(position) for position, row in enumerate(rows))


def renumbered(rows: Iterable[AnyRow]) -> list[AnyRow]:
    """Return the rows with their positions as ids, which is what rows of a file without ids are given."""
    return [replace(row, id=str(position)) for position, row in enumerate(rows)]


def to_json(value: Any) -> str:
    r"""Return a value as JSON on one line. Control characters are escaped, and so is what may end a line elsewhere.

    >>> print(to_json({"text": "a\u2028b"}))
    {"text": "a\u2028b"}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_cell(value: Any) -> str:
    """Return a value as a cell of a table: a text as it is, nothing as an empty one, everything else as JSON.

    >>> as_cell("late"), as_cell(None), as_cell(["late", "wet"])
    ('late', '', '["late", "wet"]')
    """
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value)


def json_lines(values: Iterable[Mapping[str, Any]]) -> str:
    """Return JSON objects, one on each line."""
    return "".join(f"{to_json(value)}\n" for value in values)
