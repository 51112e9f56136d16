"""Pure functions that cut rows into splits. They look at rows only through the key functions that callers pass.

Splits depend only on the rows' order and the seed, so the same files give the same splits on every machine.
"""

import random
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from tasks.errors import InputError

Row = TypeVar("Row")
Key = Callable[[Row], Hashable]
Unit = list[int]
"Positions of rows that must stay together."


def cut(
    rows: Sequence[Row],
    fraction: float,
    seed: int,
    stratum: Key[Row] | None,
    group: Key[Row] | None,
    identity: Key[Row],
) -> tuple[list[Row], list[Row]]:
    """Cut off about `fraction` of the rows. Return the rows that remain and those cut off, each in the order of `rows`.

    Rows of equal identity always stay together, and so do rows of an equal group that is not None. Without groups, the
    same share of each stratum is cut off, as nearly as whole units allow, and at least one unit of each remains.

    >>> cut(["a1", "a2", "a3", "b1", "b2", "b3"], 0.3, 1, stratum=lambda row: row[0], group=None, identity=str)
    (['a1', 'a2', 'b2', 'b3'], ['a3', 'b1'])

    Raises:
        InputError: the rows are too few to leave one on each side, or all of them belong together.
    """
    if not 0 < fraction < 1:
        raise InputError(
            f"A share of {fraction:.3g} of the training rows can't be cut off: "
            "data.validation_fraction and data.test_fraction must leave some for training"
        )
    units = _units(rows, [identity] if group is None else [identity, group])
    if len(units) < 2:
        why = "they have the same content or belong to the same group" if len(rows) > 1 else "that is too few"
        raise InputError(
            f"No split can be cut off {len(rows)} training row{'' if len(rows) == 1 else 's'}: {why}. "
            "Give more rows, or files for data.validation and data.test (or data.test_fraction=0)"
        )
    strata = _strata(rows, units, stratum if group is None else None)
    generator = random.Random(seed)  # noqa: S311
    for members in strata:
        generator.shuffle(members)
    quotas = _quotas(strata, fraction)
    taken = [unit for members, quota in zip(strata, quotas, strict=True) for unit in _take(members, quota)]
    if not taken:
        largest = max(strata, key=len)
        taken = [min(largest, key=len)]
    off = {position for unit in taken for position in unit}
    rest = [row for position, row in enumerate(rows) if position not in off]
    return rest, [rows[position] for position in sorted(off)]


def folds(
    rows: Sequence[Row],
    count: int,
    seed: int,
    stratum: Key[Row] | None,
    group: Key[Row] | None,
    identity: Key[Row],
) -> list[list[int]]:
    """Share the rows among folds of like size. Return the positions of each fold's rows, in order.

    Rows stay together as in `cut`. Without groups, each fold gets the same share of each stratum, as nearly as whole
    units allow. There are fewer folds than `count` if there are fewer units.

    >>> folds(["a1", "a2", "a3", "b1", "b2", "b3"], 3, 1, stratum=lambda row: row[0], group=None, identity=str)
    [[1, 5], [2, 3], [0, 4]]
    """
    units = _units(rows, [identity] if group is None else [identity, group])
    generator = random.Random(seed)  # noqa: S311
    shared: list[list[int]] = [[] for _ in range(min(count, len(units)))]
    for members in _strata(rows, units, stratum if group is None else None):
        generator.shuffle(members)
        of_stratum = [0] * len(shared)
        # Large units first: small ones then even out what they leave uneven.
        for unit in sorted(members, key=len, reverse=True):
            fold = min(range(len(shared)), key=lambda fold: (of_stratum[fold], len(shared[fold])))
            shared[fold] += unit
            of_stratum[fold] += len(unit)
    return [sorted(fold) for fold in shared]


def limit(rows: Sequence[Row], most: int | None, seed: int) -> list[Row]:
    """Return `most` rows, chosen at random with the seed, in their original order. None: all of them."""
    if most is None or most >= len(rows):
        return list(rows)
    positions = list(range(len(rows)))
    random.Random(seed).shuffle(positions)  # noqa: S311
    return [rows[position] for position in sorted(positions[:most])]


def nested(
    rows: Sequence[Row],
    most: int | None,
    seed: int,
    stratum: Key[Row] | None,
    group: Key[Row] | None,
    identity: Key[Row],
) -> list[Row]:
    """Return `most` rows in their original order, of which fewer ones are part of more. None: all of them.

    Rows are put into an order of which the first so many are taken. In it, each stratum is spread evenly, so that it
    keeps its share, to within a row; or groups follow each other, each as a whole, in random order. Rows of equal
    identity are one, as everywhere.

    >>> nested(["a1", "a2", "a3", "a4", "b1", "b2"], 3, 1, stratum=lambda row: row[0], group=None, identity=str)
    ['a1', 'a4', 'b1']
    """
    if most is None or most >= len(rows):
        return list(rows)
    units = _units(rows, [identity] if group is None else [identity, group])
    generator = random.Random(seed)  # noqa: S311
    places: list[tuple[float, float, int]] = []
    for members in _strata(rows, units, stratum if group is None else None):
        generator.shuffle(members)
        positions = [position for unit in members for position in unit]
        tie = generator.random()
        places += [((place + 0.5) / len(positions), tie, position) for place, position in enumerate(positions)]
    return [rows[position] for position in sorted(position for _, _, position in sorted(places)[:most])]


def shared(first: Sequence[Row], second: Sequence[Row], identity: Key[Row]) -> int:
    """Return how many rows of `second` occur in `first`.

    >>> shared(["rain", "snow"], ["snow", "snow", "hail"], identity=str)
    2
    """
    known = {identity(row) for row in first}
    return sum(identity(row) in known for row in second)


def _units(rows: Sequence[Row], keys: Sequence[Key[Row]]) -> list[Unit]:
    """Group the positions of rows into units: rows that share a key, directly or through other rows, form one unit.

    If two articles share a question word for word, all questions of both are one unit.
    """
    parents = list(range(len(rows)))

    def root(position: int) -> int:
        while parents[position] != position:
            parents[position] = parents[parents[position]]
            position = parents[position]
        return position

    for key in keys:
        first: dict[Hashable, int] = {}
        for position, row in enumerate(rows):
            value = key(row)
            if value is not None:
                parents[root(position)] = root(first.setdefault(value, position))
    units: dict[int, Unit] = {}
    for position in range(len(rows)):
        units.setdefault(root(position), []).append(position)
    return list(units.values())


def _strata(rows: Sequence[Row], units: Sequence[Unit], stratum: Key[Row] | None) -> list[list[Unit]]:
    """Group the units by the stratum of their first row.

    If most units are alone in their stratum, as combinations of several labels may be, shares mean nothing. All units
    then form one stratum.
    """
    strata: dict[Hashable, list[Unit]] = {}
    for unit in units:
        strata.setdefault(None if stratum is None else stratum(rows[unit[0]]), []).append(unit)
    alone = sum(len(members) == 1 for members in strata.values())
    return [list(units)] if alone > len(units) / 2 else list(strata.values())


def _quotas(strata: Sequence[Sequence[Unit]], fraction: float) -> list[int]:
    """Return how many rows to cut off each stratum: its share rounded down, or up for the largest remainders.

    Their sum is the share of all rows, rounded. It is less if many strata hold a single unit, which always remains.
    """
    sizes = [sum(map(len, members)) for members in strata]
    # The largest unit of each stratum remains, so that training loses no label.
    most = [size - max(map(len, members)) for size, members in zip(sizes, strata, strict=True)]
    quotas = [min(int(fraction * size), room) for size, room in zip(sizes, most, strict=True)]
    missing = max(round(fraction * sum(sizes)), 1) - sum(quotas)
    by_remainder = sorted(range(len(strata)), key=lambda index: quotas[index] - fraction * sizes[index])
    for index in [index for index in by_remainder if quotas[index] < most[index]][:missing]:
        quotas[index] += 1
    return quotas


def _take(members: Sequence[Unit], quota: int) -> list[Unit]:
    """Return, of all units but the largest, those that bring the number of rows nearer to the quota, in order."""
    stays = max(range(len(members)), key=lambda index: len(members[index]))
    taken, rows = [], 0
    for index, unit in enumerate(members):
        if index != stays and abs(rows + len(unit) - quota) <= abs(rows - quota):
            taken.append(unit)
            rows += len(unit)
    return taken
