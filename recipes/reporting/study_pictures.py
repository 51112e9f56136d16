"""Pictures of scores over the number of training rows: a learning curve, and lines that are to be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from markupsafe import Markup

from recipes.reporting.pictures import BOTTOM, LEFT, RIGHT, TOP, axis_ticks, picture, segment, words_at

WIDTH, HEIGHT = 920, 320


@dataclass(frozen=True)
class CurvePoint:
    """A score that is predicted for a number of rows, with its interval."""

    rows: float
    score: float
    low: float
    high: float


def learning_curve_chart(
    runs: Sequence[tuple[int, float]],
    line: Sequence[CurvePoint],
    predicted: Sequence[CurvePoint],
    description: str,
) -> Markup:
    """Return scores over rows, by order of magnitude: a ring for each run, the curve with its band, and predictions.

    Args:
        runs: the rows and the score of each run.
        line: points along the curve, with rows that grow.
        predicted: points beyond the runs that stand out.
        description: the picture in words.
    """
    scores = [score for _, score in runs] + [end for point in line for end in (point.low, point.high)]
    ticks = axis_ticks(min(scores), max(scores))
    first, last = min(rows for rows, _ in runs), max(point.rows for point in line)
    width, height = WIDTH - LEFT - RIGHT - 20, HEIGHT - TOP - BOTTOM

    def at(rows: float, score: float) -> tuple[str, str]:
        up = (score - ticks[0]) / (ticks[-1] - ticks[0])
        return f"{LEFT + width * log(rows / first) / log(last / first):.1f}", f"{TOP + height * (1 - up):.1f}"

    parts = []
    for tick in ticks:
        y = float(at(first, tick)[1])
        parts += [segment("grid", LEFT, y, WIDTH - RIGHT, y), words_at(LEFT - 6, y + 4, f"{tick:.4g}", "end")]
    for rows in sorted({*(rows for rows, _ in runs), *(point.rows for point in predicted)}):
        parts.append(words_at(float(at(rows, ticks[0])[0]), HEIGHT - BOTTOM + 16, f"{rows:,.0f}", "middle"))
    parts.append(words_at(LEFT + width / 2, HEIGHT - 6, "training rows", "middle"))
    edge = [at(point.rows, point.high) for point in line] + [at(point.rows, point.low) for point in reversed(line)]
    parts.append(Markup('<polygon class="band" points="{}"/>').format(_path(edge)))
    middle = [at(point.rows, point.score) for point in line]
    parts.append(Markup('<polyline class="line line1" points="{}"/>').format(_path(middle)))
    dots = [("ring", at(*run)) for run in runs] + [("dot", at(one.rows, one.score)) for one in predicted]
    parts += [Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(kind, *place) for kind, place in dots]
    return picture("chart wide", WIDTH, HEIGHT, description, parts)


def growth_chart(lines: Sequence[Sequence[CurvePoint]], description: str) -> Markup:
    """Return scores over rows as a line for each way of choosing them, with a bar for each interval.

    Args:
        lines: two or more points of each, with rows that grow.
        description: the picture in words.
    """
    ticks = axis_ticks(
        min(point.low for line in lines for point in line), max(point.high for line in lines for point in line)
    )
    rows = sorted({point.rows for line in lines for point in line})
    width, height = WIDTH - LEFT - RIGHT - 20, HEIGHT - TOP - BOTTOM

    def at(rows_there: float, score: float) -> tuple[float, float]:
        up = (score - ticks[0]) / (ticks[-1] - ticks[0])
        return LEFT + 10 + (width - 10) * (rows_there - rows[0]) / (rows[-1] - rows[0]), TOP + height * (1 - up)

    parts = []
    for tick in ticks:
        y = at(rows[0], tick)[1]
        parts += [segment("grid", LEFT, y, WIDTH - RIGHT, y), words_at(LEFT - 6, y + 4, f"{tick:.4g}", "end")]
    parts += [words_at(at(there, ticks[0])[0], HEIGHT - BOTTOM + 16, f"{there:,.0f}", "middle") for there in rows]
    parts.append(words_at(LEFT + width / 2, HEIGHT - 6, "labelled rows", "middle"))
    for number, line in enumerate(lines):
        aside = 3 * (2 * number - 1)  # so that the bars of two lines do not cover each other
        places = [at(point.rows, point.score) for point in line]
        path = _path([(f"{x + aside:.1f}", f"{y:.1f}") for x, y in places])
        parts.append(Markup('<polyline class="line line{}" points="{}"/>').format(number, path))
        for point, (x, y) in zip(line, places, strict=True):
            ends = at(point.rows, point.low)[1], at(point.rows, point.high)[1]
            parts.append(segment(f"line line{number}", x + aside, ends[0], x + aside, ends[1]))
            parts.append(Markup('<circle class="dot{}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(number, x + aside, y))
    return picture("chart wide", WIDTH, HEIGHT, description, parts)


def _path(points: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
