"""The format of scores, the same everywhere, and what stands among them and is none."""

import math
from collections.abc import Sequence

TIMING_ENTRIES = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")
"What transformers logs with each evaluation besides the scores."


def format_score(value: float | None) -> str:
    """Write a score: four decimals for shares, two for percentages and counts, a dash for none.

    >>> format_score(0.57672), format_score(57.672), format_score(None)
    ('0.5767', '57.67', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 1.5 else f"{value:.2f}"


def format_score_in(value: float | None, bounds: Sequence[float] | None) -> str:
    """Write a score with its interval, which has a decimal less.

    >>> format_score_in(0.43121, [0.4014, 0.4609]), format_score_in(57.67, [54.14, 60.31]), format_score_in(0.5, None)
    ('0.4312 (0.401 to 0.461)', '57.67 (54.1 to 60.3)', '0.5000')
    """
    return format_score(value) + (f" ({format_bounds(bounds)})" if bounds is not None else "")


def format_bounds(bounds: Sequence[float]) -> str:
    """Write an interval: three decimals for shares, one for percentages and counts.

    >>> format_bounds([-0.0021, 0.0609])
    '-0.002 to 0.061'
    """
    decimals = 3 if max(map(abs, bounds)) < 1.5 else 1
    return " to ".join(f"{end:.{decimals}f}" for end in bounds)
