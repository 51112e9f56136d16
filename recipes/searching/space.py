"""The space of a search: keys with the values to try, from Hydra's words for sweeps to Optuna's distributions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
)
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from recipes.command.keys import is_key, no_key
from recipes.command.line import key_of
from tasks.errors import InputError

DIGITS = 4
"Significant digits of a number that is tried: more would only make names of directories longer."
WORDS = (
    "Values: a,b,c or choice(a,b,c); interval(0.1,0.3); range(1,10); tag(log,interval(1e-5,1e-3)); int(interval(2,6))"
)

Space = Mapping[str, BaseDistribution]
"Distributions by key, in the order that they were named in."


def split_overrides(overrides: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the overrides with a single value, and what the others sweep over by their keys."""
    single, swept = [], {}
    for text in overrides:
        override = _parsed(text)
        if override.is_sweep_override():
            swept[key_of(text)] = text.partition("=")[2]
        else:
            single.append(text)
    return single, swept


def space_of(values: Mapping[str, str]) -> dict[str, BaseDistribution]:
    """Return the distribution of each key.

    Args:
        values: for each key, what is tried in Hydra's words.

    Raises:
        InputError: a key does not exist, or its values can't be understood; all such errors in one message.
    """
    space, errors = {}, []
    for key, text in values.items():
        try:
            space[key] = _distribution(key, text)
        except ValueError as error:
            errors.append(str(error))
    if errors:
        raise InputError("\n".join([*errors, WORDS]))
    return space


def _distribution(key: str, text: str) -> BaseDistribution:
    if key.startswith(("search.", "hydra.")):
        raise ValueError(f"{key}={text}: a search can't try values of this key, only of those of a run")
    if "." in key and not is_key(key):
        raise ValueError(no_key(key))
    try:
        sweep = _parsed(f"{key}={text}").value()
    except InputError as error:
        raise ValueError(f"{key}={text}: can't be read as values to try") from error
    log = isinstance(sweep, IntervalSweep | RangeSweep) and "log" in sweep.tags
    try:
        if isinstance(sweep, IntervalSweep):
            return _interval(sweep.start, sweep.end, log)
        if isinstance(sweep, RangeSweep) and not sweep.shuffle:
            return _range(sweep, log)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{key}={text}: {error}") from error
    if isinstance(sweep, ChoiceSweep | RangeSweep):
        names = list(dict.fromkeys(_parsed(f"{key}={text}").sweep_string_iterator()))
        return CategoricalDistribution(names)
    raise ValueError(f"{key}={text}: these are no values to choose from")


def _interval(start: Any, end: Any, log: bool) -> BaseDistribution:
    if start is None or end is None or not start <= end:
        raise ValueError("an interval begins at its lower end")
    if isinstance(start, int) and isinstance(end, int):
        return IntDistribution(start, end, log=log)
    return FloatDistribution(float(start), float(end), log=log)


def _range(sweep: RangeSweep, log: bool) -> BaseDistribution:
    values = list(sweep.range())
    if not values:
        raise ValueError("the range is empty")
    step = sweep.step
    if all(isinstance(value, int) for value in values) and isinstance(step, int) and step > 0:
        return IntDistribution(values[0], values[-1], log=log, step=1 if log else step)
    if log or step <= 0:
        raise ValueError("a range of fractions goes upwards, in even steps; for others: interval")
    return FloatDistribution(float(values[0]), float(values[-1]), step=float(step))


def rounded(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return the values with few digits, within their bounds.

    >>> rounded({"x": 0.000123456}, {"x": FloatDistribution(1e-5, 1e-3)})
    {'x': 0.0001235}
    """
    return {key: _rounded(value, space[key]) for key, value in params.items()}


def _rounded(value: Any, distribution: BaseDistribution) -> Any:
    if not isinstance(distribution, FloatDistribution):
        return value
    if distribution.step is not None:
        return float(f"{value:.12g}")
    return min(max(float(f"{value:.{DIGITS}g}"), distribution.low), distribution.high)


def overrides_of(params: Mapping[str, Any]) -> list[str]:
    """Return the overrides of a trial.

    >>> overrides_of({"hparams.learning_rate": 2e-05, "model": "minilm"})
    ['hparams.learning_rate=2e-05', 'model=minilm']
    """
    return [f"{key}={value!r}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items()]


def within(value: Any, distribution: BaseDistribution) -> Any:
    """Return a config's value as the distribution has it, or None if it does not have it.

    >>> within(16, CategoricalDistribution(["8", "16"])), within(0.5, FloatDistribution(0.0, 0.3))
    ('16', None)
    """
    if isinstance(distribution, CategoricalDistribution):
        names = {str(value), str(value).lower(), "null" if value is None else repr(value)}
        return next((choice for choice in distribution.choices if choice in names), None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    number = float(value) if isinstance(distribution, FloatDistribution) else value
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    steps = 0.0 if distribution.step is None else (number - distribution.low) / distribution.step
    inside = distribution.low <= number <= distribution.high and math.isclose(steps, round(steps), abs_tol=1e-9)
    return number if inside else None


def describe_values(distribution: BaseDistribution) -> str:
    """Return the values to try in words.

    >>> describe_values(FloatDistribution(1e-5, 5e-4, log=True)), describe_values(CategoricalDistribution(["8", "16"]))
    ('1e-05 to 0.0005, evenly by order of magnitude', '8, 16')
    """
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(str, distribution.choices))
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    steps = f", in steps of {distribution.step:g}" if distribution.step not in (None, 1) else ""
    spacing = ", evenly by order of magnitude" if distribution.log else steps
    return f"{distribution.low:g} to {distribution.high:g}{spacing}"


def grid_of(space: Space) -> dict[str, list[Any]]:
    """Return all values of each key.

    Raises:
        InputError: a key has an interval, which has no end of values.
    """
    return {key: _all_values(key, distribution) for key, distribution in space.items()}


def _all_values(key: str, distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution) and not distribution.log:
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        count = round((distribution.high - distribution.low) / distribution.step) + 1
        return [float(f"{distribution.low + number * distribution.step:.12g}") for number in range(count)]
    raise InputError(f"search=grid: {key} has an interval, of which a grid can't try everything. List values instead")


def _parsed(text: str) -> Override:
    try:
        return OverridesParser.create().parse_overrides([text])[0]
    except HydraException as error:
        raise InputError(f"{text}: {str(error).splitlines()[0]}") from error
