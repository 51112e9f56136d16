"""Work in portions of bounded size, so that memory does not grow with the data."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def portions_of(
    items: Sequence[Item], size: Callable[[Item], int], most: int, most_items: int | None = None
) -> Iterator[Sequence[Item]]:
    """Yield neighbouring items together as long as their sizes add up to `most` at most; a larger one stands alone.

    >>> [list(portion) for portion in portions_of([3, 2, 2, 9, 1], size=int, most=5)]
    [[3, 2], [2], [9], [1]]
    """
    first = total = 0
    for position, item in enumerate(items):
        here = size(item)
        if position > first and (total + here > most or position - first == most_items):
            yield items[first:position]
            first, total = position, 0
        total += here
    if len(items) > first:
        yield items[first:]


def overlapping_parts(size: int, most: int, overlap: int) -> list[tuple[int, int]]:
    """Return the bounds of parts of at most `most`, each of which shares `overlap` with the next one.

    >>> overlapping_parts(10, most=5, overlap=2)
    [(0, 5), (3, 8), (6, 10)]
    """
    parts = [(0, min(size, most))]
    while parts[-1][1] < size:
        start = parts[-1][1] - overlap
        parts.append((start, min(start + most, size)))
    return parts
