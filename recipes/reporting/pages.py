"""From templates to pages: all values are escaped, and what a template does not know is an error."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recipes.reporting.characters import visible
from recipes.reporting.measured import Measured
from recipes.reporting.pictures import Scale, axis_ticks, bar, scale_of, strip
from recipes.results.scores import format_bounds, format_score, format_score_in
from recipes.system.console import duration


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("recipes.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "score": format_score,
        "score_in": format_score_in,
        "bounds": lambda bounds: "-" if bounds is None else format_bounds(bounds),
        "number": _number,
        "breakable": _breakable,
        "duration": duration,
    }
    found.globals |= {"strip": strip, "bar": bar, "scale_of": _scale, "close_scale_of": _close_scale}
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


def _breakable(text: str) -> Markup:
    """Return a name with places where a line may break."""
    parts = re.split(r"(?<=[_/.-])(?=\w)", visible(text))
    return Markup("<wbr>").join(parts)


def _scale(scores: Sequence[Mapping[str, Measured]], name: str) -> Scale:
    """Return the scale on which all scores of a name stand."""
    return scale_of(_numbers(scores, name))


def _close_scale(scores: Sequence[Mapping[str, Measured]], name: str) -> Scale:
    """Return a scale that is no wider than it must be, to tell scores apart that are close to each other."""
    numbers = _numbers(scores, name)
    if not numbers:
        return 0.0, 1.0
    ticks = axis_ticks(min(numbers), max(numbers))
    return ticks[0], ticks[-1]


def _numbers(scores: Sequence[Mapping[str, Measured]], name: str) -> list[float]:
    found = [one[name] for one in scores if name in one]
    values = [one.value for one in found if one.value is not None]
    return [*values, *(end for one in found for end in one.bounds or ())]
