"""The format of scores, the same everywhere."""

import math


def format_score(value: float | None) -> str:
    """Write a score: four decimals for shares, two for percentages and counts, a dash for none.

    >>> format_score(0.57672), format_score(57.672), format_score(None)
    ('0.5767', '57.67', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 1.5 else f"{value:.2f}"
