"""What a comparison says in words."""

from collections.abc import Iterator

from recipes.comparing.verdicts import Comparison, Pair
from recipes.results.scores import format_bounds
from recipes.statistics.comparison import Needed
from tasks.scoring.score import Score

ONE_SEED = "With one seed, it may be the seed: train with more, seed=1,2,3"


def sentences(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence for each pair that has the best group in it; with three groups or more, others follow."""
    best = comparison.groups[0].group
    for pair in sorted(comparison.pairs, key=lambda pair: pair.better is not best):
        yield sentence(pair, comparison.score)


def sentence(pair: Pair, score: Score) -> str:
    """Return the verdict on a pair."""
    estimate = pair.difference.estimate
    bounds = format_bounds([estimate.low, estimate.high])
    amount = f"{estimate.value:+.4f}" if pair.size < 1 else f"{estimate.value:+.2f}"
    point = f"{pair.size:g}" if pair.size < 1 else "1 point"
    better, worse = pair.better.name, pair.worse.name
    if pair.verdict == "better":
        text = f"{better} is better than {worse}: {amount} {score.name} ({bounds}), {chance(pair.p_value)}"
        return text if min(len(pair.worse.runs), len(pair.better.runs)) > 1 else f"{text}. {ONE_SEED}"
    if pair.verdict == "tied":
        return f"{better} and {worse} are tied: they differ by less than {point} ({amount}, {bounds})"
    found = f"{better} against {worse}: too few to tell ({amount}, {bounds}, {chance(pair.p_value)})"
    text = f"{found}: {what_would_tell(pair.needed, point)}"
    return text if min(len(pair.worse.runs), len(pair.better.runs)) > 1 else f"{text}. {ONE_SEED}"


def what_would_tell(needs: Needed, point: str) -> str:
    """Return how many rows or seeds would tell a difference of a point."""
    ways = [
        *([f"about {needs.rows:,} rows"] if needs.rows else []),
        *([f"{needs.seeds} seeds each"] if needs.seeds else []),
    ]
    if not ways:
        return f"it takes both more rows and more seeds to tell a difference of {point}"
    return f"{' or '.join(ways)} would tell a difference of {point}"


def chance(p_value: float) -> str:
    """Write a chance.

    >>> chance(0.01234), chance(0.00001), chance(0.5)
    ('p = 0.012', 'p < 0.001', 'p = 0.5')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
