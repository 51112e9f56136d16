"""A comparison as a table for the console, and as Markdown, CSV and JSON."""

from typing import Any

from recipes.comparing.sentences import chance, sentences
from recipes.comparing.verdicts import Comparison, Pair, Scored
from recipes.results.scores import format_bounds, format_score
from recipes.system.characters import visible
from recipes.system.console import table
from tasks.writing.csv_cells import csv_text
from tasks.writing.writer import to_json

HEAD = ("runs", "seeds", "mean", "95% interval", "deviation between seeds")
PAIR_HEAD = ("ahead", "behind", "difference", "95% interval", "chance", "rows alone", "verdict")

ROWS_ALONE = "rows alone: the chance over rows, for these very seeds"


def group_cells(one: Scored) -> list[str]:
    """Return the cells of a group."""
    return [
        one.group.name,
        str(len(one.group.runs)),
        format_score(one.mean.value),
        format_bounds([one.mean.low, one.mean.high]),
        format_score(one.deviation),
    ]


def pair_cells(pair: Pair) -> list[str]:
    """Return the cells of a pair."""
    estimate = pair.difference.estimate
    return [
        pair.better.name,
        pair.worse.name,
        format_score(estimate.value),
        format_bounds([estimate.low, estimate.high]),
        chance(pair.p_value),
        chance(pair.of_rows),
        pair.verdict,
    ]


def console_lines(comparison: Comparison) -> list[str]:
    """Return the lines for the console: a table of groups, one of pairs if there are several, and the verdicts."""
    lines = [heading(comparison), table([list(HEAD), *map(group_cells, comparison.groups)])]
    if len(comparison.pairs) > 1:
        lines += ["", table([list(PAIR_HEAD), *map(pair_cells, comparison.pairs)]), ROWS_ALONE]
    return [*lines, "", *sentences(comparison), *notes(comparison)]


def heading(comparison: Comparison) -> str:
    """Return what is compared, in a line."""
    units = "" if comparison.units == comparison.rows else f" in {comparison.units} articles or documents"
    split = comparison.groups[0].group.runs[0].split
    return f"{comparison.score.name} on {comparison.rows} {split} rows{units}"


def notes(comparison: Comparison) -> list[str]:
    """Return what more is known of the pairs, and what is not."""
    found = []
    for pair in comparison.pairs:
        names = f"{pair.better.name} against {pair.worse.name}"
        if pair.mcnemar is not None:
            found.append(f"McNemar's exact test, {names}: {chance(pair.mcnemar)}")
        if pair.order is not None:
            found.append(
                f"almost stochastic order over seeds, {names}: violation at most {pair.order:.2f} (below 0.2: "
                "ahead on these very rows; other rows may show another picture)"
            )
    if len(comparison.pairs) > 1:
        found.append(f"Chances are corrected for {len(comparison.pairs)} pairs (Holm)")
    if not comparison.pairs:
        found.append("One group of runs: nothing to compare it with")
    return found


def markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown."""
    parts = [f"**{heading(comparison)}**", _markdown_table([list(HEAD), *map(group_cells, comparison.groups)])]
    if comparison.pairs:
        parts += [_markdown_table([list(PAIR_HEAD), *map(pair_cells, comparison.pairs)]), ROWS_ALONE]
    return "\n\n".join([*parts, *sentences(comparison), *notes(comparison)]) + "\n"


def _markdown_table(rows: list[list[str]]) -> str:
    head, *body = [
        "| " + " | ".join(" ".join(visible(cell).split()).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def csv_lines(comparison: Comparison) -> str:
    """Return the pairs, or where there is none the group, as CSV."""
    if comparison.pairs:
        rows = [dict(zip(PAIR_HEAD, pair_cells(pair), strict=True)) for pair in comparison.pairs]
        return csv_text(list(PAIR_HEAD), rows)
    return csv_text(list(HEAD), [dict(zip(HEAD, group_cells(one), strict=True)) for one in comparison.groups])


def json_text(comparison: Comparison) -> str:
    """Return all numbers as JSON."""
    groups = [
        {
            "name": one.group.name,
            "runs": [str(run.directory) for run in one.group.runs],
            "seeds": one.group.seeds,
            "mean": one.mean.value,
            "interval": [one.mean.low, one.mean.high],
            "deviation": one.deviation,
        }
        for one in comparison.groups
    ]
    tree: dict[str, Any] = {
        "score": comparison.score.name,
        "rows": comparison.rows,
        "units": comparison.units,
        "groups": groups,
        "pairs": list(map(_pair, comparison.pairs)),
        "verdict": list(sentences(comparison)),
    }
    return to_json(tree) + "\n"


def _pair(pair: Pair) -> dict[str, Any]:
    estimate = pair.difference.estimate
    return {
        "better": pair.better.name,
        "worse": pair.worse.name,
        "difference": estimate.value,
        "interval": [estimate.low, estimate.high],
        "p_value": pair.difference.p_value,
        "p_value_corrected": pair.p_value,
        "p_value_rows_alone": pair.of_rows,
        "p_value_mcnemar": pair.mcnemar,
        "order_violation": pair.order,
        "verdict": pair.verdict,
        "rows_needed": pair.needed.rows,
        "seeds_needed": pair.needed.seeds,
    }
