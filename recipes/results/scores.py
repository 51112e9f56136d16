"""What is shown while training goes on: a bar on a terminal, and a line for each evaluation."""


def format_score(value: float) -> str:
    """Write a score: four decimals for shares, two for percentages and counts."""
    return f"{value:.4f}" if abs(value) < 1.5 else f"{value:.2f}"
