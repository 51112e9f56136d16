"""A comparison as a page, and the table of all forms that it is written in."""

from collections.abc import Callable
from dataclasses import dataclass

from recipes.comparing.outputs import csv_lines, heading, json_text, markdown, notes, pair_cells
from recipes.comparing.sentences import sentences
from recipes.comparing.verdicts import Comparison, Pair, Scored
from recipes.reporting.measured import Measured
from recipes.reporting.pages import render

SCORE = "score"


@dataclass(frozen=True)
class ShownGroup:
    """A group with what is shown of it."""

    name: str
    seeds: list[int]
    scores: dict[str, Measured]
    deviation: float | None
    single: list[float]
    directories: list[str]


def page(comparison: Comparison) -> str:
    """Return a comparison as HTML."""
    return render(
        "comparison",
        title=f"Comparison: {heading(comparison)}",
        score=comparison.score.name,
        sentences=list(sentences(comparison)),
        notes=notes(comparison),
        groups=list(map(_shown, comparison.groups)),
        pairs=[(pair_cells(pair), _difference(pair)) for pair in comparison.pairs],
    )


def _shown(one: Scored) -> ShownGroup:
    return ShownGroup(
        one.group.name,
        one.group.seeds,
        {SCORE: Measured(one.mean.value, (one.mean.low, one.mean.high))},
        one.deviation,
        one.single,
        [str(run.directory) for run in one.group.runs],
    )


def _difference(pair: Pair) -> dict[str, Measured]:
    estimate = pair.difference.estimate
    return {SCORE: Measured(estimate.value, (estimate.low, estimate.high))}


FORMATS: dict[str, Callable[[Comparison], str]] = {
    ".html": page,
    ".md": markdown,
    ".csv": csv_lines,
    ".json": json_text,
}
"What makes the text of a file, by its extension."
