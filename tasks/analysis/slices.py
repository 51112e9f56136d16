"""Breakdowns by what rows are like: their length, whether training has them, too, and the columns of their file."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from tasks.analysis.parts import (
    Breakdown,
    Line,
    Part,
    RescorePlaces,
    renumbered,
    traits,
    unit_numbers,
    unused_name,
)

MOST_PARTS = 12
"Of more values the rarest are one part together."
QUARTERS = (0.25, 0.5, 0.75)
OTHERS = "all others"


def slices(
    lines: Sequence[Line], rescore: RescorePlaces, scores: tuple[str, ...], counted: str = "rows"
) -> Iterator[Breakdown]:
    """Yield the breakdowns that go for every task: by columns of the file, and by whether training has the row, too."""
    copies = ["in training, too" if traits(line).get("in_training") else "not in training" for line in lines]
    if len(set(copies)) > 1:
        yield Breakdown(
            "Rows that training has, too",
            counted,
            scores,
            parts_of(lines, copies, rescore),
            "A score on copies tells what the model remembers, not what it has learnt.",
        )
    for column in dict.fromkeys(name for line in lines for name in traits(line).get("columns", {})):
        values = [traits(line).get("columns", {}).get(column, "-") for line in lines]
        if len(set(values)) > 1 and not _says_the_label(values, lines):
            yield Breakdown(f"By column “{column}”", counted, scores, parts_of(lines, values, rescore))


def _says_the_label(values: Sequence[str], lines: Sequence[Line]) -> bool:
    """Tell whether each value goes with one gold label, and each label with one value."""
    pairs = {(value, repr(line["gold"])) for value, line in zip(values, lines, strict=True)}
    return len(pairs) == len({value for value, _ in pairs}) == len({gold for _, gold in pairs})


def by_size(
    title: str,
    lines: Sequence[Line],
    sizes: Sequence[float],
    rescore: RescorePlaces,
    scores: tuple[str, ...],
    what: str,
    counted: str = "rows",
) -> Iterator[Breakdown]:
    """Yield a breakdown into quarters by a size of each line; nothing if all are of about the same size.

    Args:
        title: of the breakdown.
        lines: the lines.
        sizes: the size of each.
        rescore: scores some of the lines.
        scores: which scores are shown.
        what: what sizes count, such as `words`.
        counted: what the lines are.
    """
    names = quarters(sizes, what)
    if len(set(names)) > 1:
        order = [name for _, name in sorted({(size, name) for size, name in zip(sizes, names, strict=True)})]
        yield Breakdown(title, counted, scores, parts_of(lines, names, rescore, list(dict.fromkeys(order))))


def quarters(sizes: Sequence[float], what: str) -> list[str]:
    """Return the name of the quarter that each size is in. Equal sizes are in the same one.

    >>> quarters([1, 2, 3, 4, 5, 6, 7, 8], "words")[::2]
    ['up to 2 words', '3 to 4 words', '5 to 6 words', '7 words or more']
    """
    whole = all(float(size).is_integer() for size in sizes)
    ordered = np.sort(np.asarray(sizes, dtype=float))
    ends = sorted({float(ordered[int(np.ceil(len(ordered) * share)) - 1]) for share in QUARTERS} - {ordered[-1]})
    by_digits = (_quarter_names(ends, float(ordered[0]), what, whole, digits) for digits in (4, 7, 10, 17))
    by_place = next(names for names in by_digits if len(set(names)) == len(names))
    return [by_place[int(np.searchsorted(ends, size))] for size in sizes]


def _quarter_names(ends: Sequence[float], least: float, what: str, whole: bool, digits: int) -> list[str]:
    """Return the name of each quarter, the lowest first.

    Args:
        ends: the largest size in each but the last.
        least: the smallest size.
        what: what sizes count.
        whole: whether all sizes are whole numbers.
        digits: of the numbers in the names.
    """

    def sized(value: float) -> str:
        return f"{number(value)} {what[:-1] if value == 1 else what}".strip()

    def number(value: float) -> str:
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.{digits}g}"

    if not ends:
        return [sized(least)]
    names = [sized(least) if least == ends[0] else f"up to {sized(ends[0])}"]
    for before, last in pairwise(ends):
        low = before + 1 if whole else before
        names.append(sized(last) if low == last else f"{number(low)} to {sized(last)}")
    return [*names, f"{sized(ends[-1] + 1)} or more" if whole else f"above {sized(ends[-1])}"]


def parts_of(
    lines: Sequence[Line], names: Sequence[str], rescore: RescorePlaces, order: Sequence[str] | None = None
) -> list[Part]:
    """Return the parts that lines with the same name make up.

    Args:
        lines: all lines.
        names: the name of each one's part.
        rescore: scores some of the lines.
        order: the names in the order in which they are to stand. None: the most frequent first.
    """
    units = unit_numbers(lines)
    frequent = [name for name, _ in Counter(names).most_common()]
    kept = frequent if len(frequent) <= MOST_PARTS else frequent[: MOST_PARTS - 1]
    others_name = unused_name(OTHERS, frequent)
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[name if name in kept else others_name].append(place)
    rarer = [others_name] if len(kept) < len(frequent) else []
    parts = []
    for name in (*(one for one in order or kept if one in kept), *rarer):
        of_part = renumbered([units[place] for place in places[name]])
        others = sorted(place for one, some in places.items() if one != name for place in some)
        of_others = renumbered([units[place] for place in others])
        rest = rescore(others, of_others) if others else None
        most = max(of_others, default=-1) + 1
        parts.append(Part(name, len(of_part), max(of_part) + 1, rescore(places[name], of_part), rest, most))
    return parts
