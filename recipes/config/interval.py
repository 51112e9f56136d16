"""How often something is done: an interval in time or in steps."""

import re
from dataclasses import dataclass

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Interval:
    """Every so many seconds, or every so many steps."""

    seconds: float | None = None
    steps: int | None = None

    def is_over(self, seconds: float, steps: int) -> bool:
        """Tell whether the interval is over after this much time and this many steps."""
        if self.steps is not None:
            return steps >= self.steps
        return self.seconds is not None and seconds >= self.seconds


def parse_interval(text: str) -> Interval:
    """Read `10min`, `30s`, `2h` or `500steps`.

    >>> parse_interval("1.5min"), parse_interval("500steps")
    (Interval(seconds=90.0, steps=None), Interval(seconds=None, steps=500))

    Raises:
        ValueError: it is none of these, or zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h|steps?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"'{text}': write minutes as 10min, seconds as 30s, hours as 2h, steps as 500steps")
    if match[2].startswith("step"):
        if "." in match[1]:
            raise ValueError(f"'{text}': a whole number of steps")
        return Interval(steps=int(match[1]))
    return Interval(seconds=float(match[1]) * UNITS[match[2]])
