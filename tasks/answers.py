"""The answers of a question, in whichever of their usual forms a record holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.data.cells import is_blank, read_printed, whole_number

TEXT_KEYS = ("text", "answer", "answer_text")
START_KEYS = ("answer_start", "answer_starts", "start", "offset")

Answer = tuple[str, int | None]
"An answer's text, and its offset if the file gives one."


def read_answers(cell: Any, start: Any = None) -> list[Answer]:
    """Return the answers of a cell. Blank, null and missing ones are left out: the question then has no answer.

    These forms are read: `{"text": [...], "answer_start": [...]}`, the same with single values, a list of such objects
    or of texts, a text with its offset in another column, and any of these printed into a text cell.

    Args:
        cell: the answers.
        start: the cell of the column with offsets, for answers that are given as texts.

    Raises:
        ValueError: it is none of these forms, or an offset is not a whole number.
    """
    cell, start = read_printed(cell), read_printed(start)
    if is_blank(cell):
        return []
    if isinstance(cell, Mapping):
        if cell and not any(key in cell for key in (*TEXT_KEYS, *START_KEYS)):
            raise ValueError(f"the answers have none of the keys {', '.join(TEXT_KEYS)}: {dict(cell)!r}")
        texts, starts = _as_list(_first(cell, TEXT_KEYS)), _as_list(_first(cell, START_KEYS))
    elif isinstance(cell, list | tuple) and cell and all(isinstance(item, Mapping) for item in cell):
        return [answer for item in cell for answer in read_answers(item)]
    elif isinstance(cell, list | tuple):
        texts, starts = list(cell), _as_list(start)
    elif isinstance(cell, str | int | float) and not isinstance(cell, bool):
        texts, starts = [cell], [start]
    else:
        raise ValueError(f"{cell!r} is not an answer")
    if not starts:
        starts = [None] * len(texts)
    if len(texts) != len(starts):
        raise ValueError(f"{len(texts)} answer texts but {len(starts)} offsets")
    return [
        (_text(text), _offset(place, text)) for text, place in zip(texts, starts, strict=True) if not is_blank(text)
    ]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _first(item: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the answer {value!r} is not a text")
    return str(value)


def _offset(value: Any, text: Any) -> int | None:
    if is_blank(value):
        return None
    offset = whole_number(value)
    if offset is None:
        raise ValueError(f"the offset {value!r} of answer {text!r} is not a whole number")
    return offset


def located(text: str, start: int | None, context: str) -> int:
    """Return where an answer without an offset stands; an offset that is given is returned as it is.

    Raises:
        ValueError: the text does not occur in the passage, or more than once.
    """
    if start is not None:
        return start
    places = occurrences(context, text)
    if len(places) == 1:
        return places[0]
    found = "does not occur in the passage" if not places else f"occurs {len(places)} times in the passage"
    raise ValueError(f"answer {text!r} {found}: give its offset (answer_start, or data.columns.answer_start)")


def occurrences(context: str, text: str) -> list[int]:
    """Return every place where a text begins in the passage."""
    places, place = [], context.find(text)
    while place != -1:
        places.append(place)
        place = context.find(text, place + 1)
    return places
