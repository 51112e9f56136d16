"""Pictures of a search: how its best score came about, and which values went with which scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from markupsafe import Markup

from recipes.reporting.pictures import BOTTOM, CHART_HEIGHT, LEFT, RIGHT, TOP, axis_ticks, picture, segment, words_at

WIDTH = 920
AXIS_TOP, AXIS_BOTTOM, SIDE = 40, 40, 70
TRACES = 5
"Strengths of the lines of trials: the worst fifth is drawn weakest."


@dataclass(frozen=True)
class Point:
    """A trial with a score."""

    number: int
    score: float
    complete: bool
    "Whether it was trained to the end."


def history_chart(points: Sequence[Point], greater_is_better: bool, description: str) -> Markup:
    """Return the scores of trials in their order, and the best so far as a line of steps."""
    if not points:
        return Markup("")
    ticks = axis_ticks(min(point.score for point in points), max(point.score for point in points))
    last = max(point.number for point in points) or 1
    width, height = WIDTH - LEFT - RIGHT, CHART_HEIGHT - TOP - BOTTOM

    def across(number: int) -> float:
        return LEFT + width * number / last

    def up(score: float) -> float:
        return TOP + height * (1 - (score - ticks[0]) / (ticks[-1] - ticks[0]))

    parts = []
    for tick in ticks:
        parts += [
            segment("grid", LEFT, up(tick), WIDTH - RIGHT, up(tick)),
            words_at(LEFT - 6, up(tick) + 4, f"{tick:.4g}", "end"),
        ]
    for number in sorted({0, last // 2, last}):
        parts.append(words_at(across(number), CHART_HEIGHT - BOTTOM + 16, str(number), "middle"))
    parts.append(words_at(LEFT + width / 2, CHART_HEIGHT - 6, "trial", "middle"))
    steps = list(_best_so_far(points, greater_is_better, last))
    path = " ".join(f"{across(number):.1f},{up(score):.1f}" for number, score in steps)
    parts.append(Markup('<polyline class="line line1" points="{}"/>').format(path))
    for point in points:
        kind = "dot" if point.complete else "ring"
        where = f"{across(point.number):.1f}", f"{up(point.score):.1f}"
        parts.append(Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(kind, *where))
    return picture("chart wide", WIDTH, CHART_HEIGHT, description, parts)


def _best_so_far(points: Sequence[Point], greater_is_better: bool, last: int) -> Iterator[tuple[int, float]]:
    """Yield the corners of the line, from the first completed trial to the last trial.

    >>> list(_best_so_far([Point(0, 0.2, True), Point(1, 0.1, True), Point(2, 0.5, True)], True, 3))
    [(0, 0.2), (2, 0.2), (2, 0.5), (3, 0.5)]
    """
    best: float | None = None
    for point in sorted(points, key=lambda point: point.number):
        if not point.complete:
            continue
        if best is None:
            yield point.number, point.score
        elif (point.score > best) == greater_is_better and point.score != best:
            yield point.number, best
            yield point.number, point.score
        else:
            continue
        best = point.score
    if best is not None:
        yield last, best


@dataclass(frozen=True)
class Axis:
    """An axis of a picture with several: a key with its values, or the score."""

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[str, ...] = ()
    "If there are any, these are the places on the axis, evenly."

    def share(self, value: float | str) -> float:
        """Return how far up a value stands, from 0 to 1.

        >>> Axis("rate", 1e-5, 1e-3, log=True).share(1e-4), Axis("batch", choices=("8", "16", "32")).share("16")
        (0.5, 0.5)
        """
        if self.choices:
            return self.choices.index(str(value)) / max(len(self.choices) - 1, 1)
        low, high, number = self.low, self.high, float(value)
        if high == low:
            return 0.5
        if self.log:
            low, high, number = log(low), log(high), log(number)
        return round((number - low) / (high - low), 9)

    def ends(self) -> tuple[str, ...]:
        """Return what is written along the axis, from the bottom to the top."""
        return self.choices or (f"{self.low:.4g}", f"{self.high:.4g}")


def parallel_chart(
    axes: Sequence[Axis],
    trials: Sequence[Sequence[float | str]],
    winner: int,
    greater_is_better: bool,
    description: str,
) -> Markup:
    """Return a line for each trial over parallel axes; the better its score, the stronger, and the winner's strongest.

    Args:
        axes: one for each key, and that of the score last.
        trials: for each trial its values on the axes.
        winner: the index of the trial that stands out.
        greater_is_better: whether higher scores are better.
        description: the picture in words.
    """
    if len(axes) < 2 or not trials:
        return Markup("")
    height = CHART_HEIGHT + 40
    room = height - AXIS_TOP - AXIS_BOTTOM
    places = [SIDE + number * (WIDTH - 2 * SIDE) / (len(axes) - 1) for number in range(len(axes))]
    parts = []
    others = [values for number, values in enumerate(trials) if number != winner]
    others.sort(key=lambda values: axes[-1].share(values[-1]), reverse=not greater_is_better)
    for rank, values in enumerate([*others, trials[winner]]):
        strength = TRACES if rank == len(others) else 1 + rank * (TRACES - 1) // len(others)
        path = " ".join(
            f"{x:.1f},{AXIS_TOP + room * (1 - axis.share(value)):.1f}"
            for x, axis, value in zip(places, axes, values, strict=True)
        )
        parts.append(Markup('<polyline class="trace trace{}" points="{}"/>').format(strength, path))
    for number, (x, axis) in enumerate(zip(places, axes, strict=True)):
        parts += [segment("axis strong", x, AXIS_TOP, x, height - AXIS_BOTTOM)]
        parts.append(words_at(x, AXIS_TOP - 22 if number % 2 else AXIS_TOP - 8, axis.name, "middle"))
        ends = axis.ends()
        for place, end in enumerate(ends):
            share = place / max(len(ends) - 1, 1)
            parts.append(words_at(x + 6, AXIS_TOP + room * (1 - share) + (12 if share in (0, 1) else 4), end, "start"))
    return picture("chart wide", WIDTH, height, description, parts)
