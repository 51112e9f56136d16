"""Entities given by character offsets, in the many forms in which tools write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.data.cells import is_blank, whole_number

START_KEYS = ("start", "start_offset", "start_char", "startOffset", "start_index", "begin", "from")
END_KEYS = ("end", "end_offset", "end_char", "endOffset", "end_index", "stop", "to")
LABEL_KEYS = ("label", "labels", "type", "tag", "entity", "entity_type", "entity_group", "category", "class")
TEXT_KEYS = ("text", "word", "mention")


@dataclass(frozen=True, slots=True)
class CharacterSpan:
    """An entity: its type, the characters it covers, and its text if the file has it.

    A discontinuous entity covers several fragments, from left to right; others cover one. Ends are exclusive.
    """

    label: str
    fragments: tuple[tuple[int, int], ...]
    text: str | None = None

    @property
    def start(self) -> int:
        """The first character."""
        return self.fragments[0][0]

    @property
    def end(self) -> int:
        """The character after the last one."""
        return self.fragments[-1][1]


def looks_like_spans(cell: Any) -> bool:
    """Tell whether a cell is a list of entities in any known form. An empty list is one, too."""
    if not isinstance(cell, list | tuple):
        return False
    try:
        read_spans(cell)
    except ValueError:
        return False
    return True


def read_spans(cell: Any) -> list[CharacterSpan]:
    """Return the entities of a cell, in its order.

    >>> read_spans([[0, 9, "PER"]]) == read_spans([{"start_offset": 0, "end_offset": 9, "label": "PER"}])
    True

    Raises:
        ValueError: it is not a list of entities with offsets and a type.
    """
    if cell is None:
        return []
    if not isinstance(cell, list | tuple):
        raise ValueError(f"{str(cell)[:40]!r} is not a list of entities")
    return [span for item in cell for span in _read_span(item)]


def _read_span(item: Any) -> list[CharacterSpan]:
    if isinstance(item, CharacterSpan):
        return [item]
    if isinstance(item, Mapping):
        if isinstance(item.get("value"), Mapping):
            item = item["value"]  # Label Studio
        if isinstance(item.get("points"), list):
            return _of_points(item)
        return [_of_mapping(item)]
    if isinstance(item, list | tuple) and len(item) >= 3:
        return [_of_list(item)]
    raise ValueError(f"{item!r} is not an entity such as [0, 9, 'PER'] or {{'start': 0, 'end': 9, 'label': 'PER'}}")


def _of_list(item: list[Any] | tuple[Any, ...]) -> CharacterSpan:
    # A type may be a number written as a text: then only the offsets are numbers.
    if all(isinstance(value, int) for value in item[:2]) and isinstance(item[2], str):
        return CharacterSpan(_label(item[2]), ((item[0], item[1]),))
    numbers = [whole_number(value) for value in item[:3]]
    names = [value for value, number in zip(item[:3], numbers, strict=True) if number is None]
    offsets = [number for number in numbers if number is not None]
    if len(offsets) != 2 or len(names) != 1 or not isinstance(names[0], str):
        raise ValueError(f"{item!r} is not an entity such as [0, 9, 'PER']")
    return CharacterSpan(_label(names[0]), ((offsets[0], offsets[1]),))


def _of_mapping(item: Mapping[str, Any]) -> CharacterSpan:
    start = _first(item, START_KEYS)
    end = _first(item, END_KEYS)
    if start is None and end is None and "offset" in item and "length" in item:
        start, length = whole_number(item["offset"]), whole_number(item["length"])
        end = None if start is None or length is None else start + length
    first, last = whole_number(start), whole_number(end)
    if first is None or last is None:
        raise ValueError(f"{dict(item)!r} has no start and end")
    return CharacterSpan(_label(_first(item, LABEL_KEYS)), ((first, last),), _text(item))


def _of_points(item: Mapping[str, Any]) -> list[CharacterSpan]:
    """Read an entity of Dataturks, whose ends are inclusive."""
    spans = []
    for point in item["points"]:
        if not isinstance(point, Mapping):
            raise ValueError(f"{point!r} has no start and end")
        start, end = whole_number(point.get("start")), whole_number(point.get("end"))
        if start is None or end is None:
            raise ValueError(f"{point!r} has no start and end")
        spans.append(CharacterSpan(_label(_first(item, LABEL_KEYS)), ((start, end + 1),), _text(point)))
    return spans


def _text(item: Mapping[str, Any]) -> str | None:
    text = _first(item, TEXT_KEYS)
    return text if isinstance(text, str) else None


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _label(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or is_blank(value):
        raise ValueError(f"{value!r} is not the type of an entity")
    return value.strip()
