"""Pictures as SVG that stands inside of a page and takes its colours from the page's style sheet."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import floor, isfinite, log10

from markupsafe import Markup

from recipes.system.characters import visible
from tasks.analysis.parts import Reliability

STRIP_WIDTH, STRIP_HEIGHT = 200, 18
STRIP_MARGIN = 6
CHART_WIDTH, CHART_HEIGHT = 460, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 38
"Room for the axes of a chart."
SQUARE = 300
LONGEST_DESCRIPTION = 1_000
Scale = tuple[float, float]


def scale_of(values: Sequence[float]) -> Scale:
    """Return the ends of an axis: 0 and 1 for shares, 0 and 100 for percentages, else what the values need.

    >>> scale_of([0.2, 0.7]), scale_of([12.0, 57.5]), scale_of([-0.3, 0.2])
    ((0.0, 1.0), (0.0, 100.0), (-0.5, 0.5))
    """
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if low >= 0 and high <= 100:
        return (0.0, 1.0) if high <= 1 else (0.0, 100.0) if high > 5 else (0.0, _round_up(high))
    most = _round_up(max(abs(low), abs(high)))
    return (-most if low < 0 else 0.0), most


def _round_up(value: float) -> float:
    power = 10.0 ** floor(log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def strip(
    value: float | None, bounds: Sequence[float] | None, scale: Scale, description: str, single: Sequence[float] = ()
) -> Markup:
    """Return a dot for a score and a line for its interval on a scale, as wide as a cell of a table.

    Args:
        value: the score.
        bounds: its interval.
        scale: the ends of the axis.
        description: the picture in words.
        single: scores that `value` is the mean of, drawn as rings.
    """
    if value is None or not isfinite(value):
        return Markup("")
    width = STRIP_WIDTH - 2 * STRIP_MARGIN

    def place(number: float) -> float:
        share = (number - scale[0]) / (scale[1] - scale[0])
        return STRIP_MARGIN + width * min(max(share, 0.0), 1.0)

    middle = STRIP_HEIGHT / 2
    parts = [segment("axis", STRIP_MARGIN, middle, STRIP_WIDTH - STRIP_MARGIN, middle)]
    if scale[0] < 0:
        parts.append(segment("axis", place(0), 2, place(0), STRIP_HEIGHT - 2))
    if bounds is not None:
        low, high = place(bounds[0]), place(bounds[1])
        parts.append(
            Markup('<rect class="span" x="{}" y="{}" width="{}" height="8" rx="4"/>').format(
                _n(low), _n(middle - 4), _n(max(high - low, 1))
            )
        )
    parts += [
        Markup('<circle class="ring" cx="{}" cy="{}" r="3"/>').format(_n(place(one)), _n(middle)) for one in single
    ]
    parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(_n(place(value)), _n(middle)))
    return picture("strip", STRIP_WIDTH, STRIP_HEIGHT, description, parts)


def bar(share: float, description: str) -> Markup:
    """Return a bar for a share of the largest count, as wide as a cell of a table."""
    width = max(share * STRIP_WIDTH, 1)
    rectangle = Markup('<rect class="bar" x="0" y="3" width="{}" height="12" rx="2"/>').format(_n(width))
    return picture("strip", STRIP_WIDTH, STRIP_HEIGHT, description, [rectangle])


def bars(shares: Mapping[int, float], description: str) -> Markup:
    """Return up to three thin bars, one below the other, as wide as a cell of a table.

    Args:
        shares: for each bar the number of its colour, and its share of the longest bar that there can be.
        description: the picture in words.
    """
    thickness = (STRIP_HEIGHT - len(shares) + 1) / len(shares)
    parts = [
        Markup('<rect class="bar bar{}" x="0" y="{}" width="{}" height="{}"/>').format(
            colour, _n(place * (thickness + 1)), _n(max(share * STRIP_WIDTH, 1)), _n(thickness)
        )
        for place, (colour, share) in enumerate(shares.items())
        if share
    ]
    return picture("strip", STRIP_WIDTH, STRIP_HEIGHT, description, parts)


def curves(series: Mapping[str, Sequence[tuple[float, float]]], across: str, description: str) -> Markup:
    """Return a line chart.

    Args:
        series: for each line its name and its points; of several lines the first is drawn strongest.
        across: what the horizontal axis counts.
        description: the picture in words, for those who can't see it.
    """
    points = [point for line in series.values() for point in line if all(map(isfinite, point))]
    if not points:
        return Markup("")
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    ticks = axis_ticks(min(y for _, y in points), max(y for _, y in points))
    width, height = CHART_WIDTH - LEFT - RIGHT, CHART_HEIGHT - TOP - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        share = 0.5 if first == last else (x - first) / (last - first)
        up = (y - ticks[0]) / (ticks[-1] - ticks[0])
        return LEFT + width * share, TOP + height * (1 - up)

    parts = []
    for tick in ticks:
        _, y = at(first, tick)
        parts += [segment("grid", LEFT, y, CHART_WIDTH - RIGHT, y), words_at(LEFT - 6, y + 4, f"{tick:.4g}", "end")]
    for x in sorted({first, last, *_middle(first, last)}):
        parts.append(words_at(at(x, ticks[0])[0], CHART_HEIGHT - BOTTOM + 16, f"{x:.4g}", "middle"))
    parts.append(words_at(LEFT + width / 2, CHART_HEIGHT - 6, across, "middle"))
    for number, line in enumerate(series.values()):
        kept = [at(*point) for point in line if all(map(isfinite, point))]
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in kept)
        parts.append(Markup('<polyline class="line line{}" points="{}"/>').format(number, path))
        parts += [
            Markup('<circle class="dot dot{}" cx="{}" cy="{}" r="3"/>').format(number, _n(x), _n(y)) for x, y in kept
        ]
    return picture("chart", CHART_WIDTH, CHART_HEIGHT, description, parts)


def _middle(first: float, last: float) -> Iterator[float]:
    if last - first >= 2:
        yield float(round((first + last) / 2))


def axis_ticks(low: float, high: float) -> list[float]:
    """Return three to six round numbers that hold all values between them.

    >>> axis_ticks(0.21, 0.78), axis_ticks(3.0, 3.0)
    ([0.2, 0.4, 0.6, 0.8], [2.0, 3.0, 4.0])
    """
    if high - low < 1e-9 * max(abs(high), 1.0):
        return [low - 1.0, low, low + 1.0]
    power = 10.0 ** floor(log10(high - low))
    step = next(size * power for size in (0.2, 0.5, 1.0, 2.0, 5.0) if (high - low) / (size * power) <= 4.0 + 1e-9)
    start = floor(low / step + 1e-9)
    ticks = [round(start * step, 12)]
    while ticks[-1] < high - 1e-9 * step:
        start += 1
        ticks.append(round(start * step, 12))
    return ticks


def reliability_chart(found: Reliability, description: str) -> Markup:
    """Return how often predictions are right over their probability. A dot's size says how many they are."""
    low, high = 44.0, SQUARE - 12.0
    room = high - low
    most = max(one.count for one in found.bins)

    def at(x: float, y: float) -> tuple[float, float]:
        return low + room * x, high - 30 - (room - 30) * y

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = at(tick, tick)
        parts += [segment("grid", low, y, high, y), words_at(low - 6, y + 4, f"{tick:g}", "end")]
        parts.append(words_at(x, high - 12, f"{tick:g}", "middle"))
    parts.append(segment("diagonal", *at(0, 0), *at(1, 1)))
    dots = [(*at(one.probability, one.share_right), 3 + 7 * (one.count / most) ** 0.5) for one in found.bins]
    parts += [segment("line line0", *one[:2], *two[:2]) for one, two in pairwise(dots)]
    parts += [Markup('<circle class="dot" cx="{}" cy="{}" r="{}"/>').format(*map(_n, dot)) for dot in dots]
    parts.append(words_at((low + high) / 2, SQUARE - 4, "probability of the prediction", "middle"))
    return picture("chart square", SQUARE, SQUARE, description, parts)


def picture(kind: str, width: float, height: float, description: str, parts: Sequence[Markup]) -> Markup:
    """Return a picture of parts, with what it shows in words."""
    return Markup(
        '<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-label="{words}">{parts}</svg>'
    ).format(
        kind=kind,
        width=width,
        height=height,
        words=visible(description[:LONGEST_DESCRIPTION]),
        parts=Markup("").join(parts),
    )


def segment(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, _n(x1), _n(y1), _n(x2), _n(y2))


def words_at(x: float, y: float, text: str, anchor: str) -> Markup:
    """Return words at a place: where they start, their middle or their end."""
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(_n(x), _n(y), anchor, visible(text))


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
