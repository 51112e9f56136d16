"""From templates to pages: all values are escaped, and what a template does not know is an error."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from recipes.reporting.measured import Measured
from recipes.reporting.pictures import Scale, axis_ticks, bar, scale_of, strip
from recipes.results.scores import format_bounds, format_score, format_score_in
from recipes.system.characters import visible
from recipes.system.console import counted, duration

LONGEST_TEXT = 500
"Characters that are shown of a label, a text, a note and so on."


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("recipes.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "score": format_score,
        "score_in": format_score_in,
        "bounds": lambda bounds: "-" if bounds is None else format_bounds(bounds),
        "number": _number,
        "breakable": _breakable,
        "whole": lambda text: escape(visible(text)),
        "uncapitalised": lambda text: text[:1].lower() + text[1:],
        "capitalised": lambda text: text[:1].upper() + text[1:],
        "counted": counted,
        "duration": duration,
    }
    found.globals |= {
        "strip": strip,
        "bar": bar,
        "scale_of": _scale,
        "close_scale_of": _close_scale,
        "difference_scale_of": _difference_scale,
    }
    return found


def render(template: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: the name of its template, without extension.
        **values: what the template shows.
    """
    return _environment().get_template(f"{template}.html.jinja").render(**values)


def _number(value: float | None, digits: int = 4) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}g}"


def _plain(value: Any) -> Any:
    """Return what a template shows of a value: of a text its beginning, without signs that hide anything."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return visible(value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]} …")


def _breakable(text: str) -> Markup:
    """Return a name with places where a line may break."""
    parts = re.split(r"(?<=[_/.-])(?=\w)", _plain(text))
    return Markup("<wbr>").join(parts)


def _scale(scores: Sequence[Mapping[str, Measured]], name: str) -> Scale:
    """Return the scale on which all scores of a name stand."""
    return scale_of(_numbers(scores, name))


def _close_scale(scores: Sequence[Mapping[str, Measured]], name: str, single: Sequence[Sequence[float]] = ()) -> Scale:
    """Return a scale that is no wider than it must be, to tell scores apart that are close to each other.

    Args:
        scores: what has places on it, with intervals.
        name: the name of the score.
        single: scores that others are the means of, which have places on it, too.
    """
    numbers = [*_numbers(scores, name), *(score for some in single for score in some if isfinite(score))]
    if not numbers:
        return 0.0, 1.0
    ticks = axis_ticks(min(numbers), max(numbers))
    return ticks[0], ticks[-1]


def _difference_scale(scores: Sequence[Mapping[str, Measured]], name: str) -> Scale:
    """Return a scale for differences, with 0 on it."""
    ticks = axis_ticks(min([0.0, *_numbers(scores, name)]), max([0.0, *_numbers(scores, name)]))
    return ticks[0], ticks[-1]


def _numbers(scores: Sequence[Mapping[str, Measured]], name: str) -> list[float]:
    found = [one[name] for one in scores if name in one]
    values = [one.value for one in found if one.value is not None]
    return [number for number in (*values, *(end for one in found for end in one.bounds or ())) if isfinite(number)]
