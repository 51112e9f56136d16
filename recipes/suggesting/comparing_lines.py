"""What runs on suggested and on random rows say together: who is ahead, and how many labels that saves."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from recipes.comparing.stored_runs import StoredRun
from recipes.results.scores import format_score
from recipes.statistics.means import half_width
from recipes.studies.answer import Answer, Line, Runs, Table, bounds, collapsed, score_of
from recipes.system.console import counted
from tasks.scoring.score import range_of, score_named

RANDOM, SUGGESTED = "random", "suggested"
AHEAD = "Suggested rows are ahead of random ones"
DRAWS = 2000
"Of seeds, for the interval of how many rows are saved (bootstrap)."

Scores = Mapping[tuple[str, int, int], float]
"By way of choosing, number of rows, and seed."


def name_of(arm: str, size: int) -> str:
    """Return what runs are called that train on so many rows."""
    return f"{arm} {size:,} rows"


def answer_of(sizes: Sequence[int], seeds: Sequence[int], runs: Runs) -> Answer:
    """Return the scores of both ways by the number of rows, and what the suggestions save."""
    first = next(iter(runs.values()))
    name, sign = first.report.objective.name, score_named(first.report.objective.name).sign
    scores = _scores(sizes, runs)
    whole = [
        seed for seed in seeds if all((arm, size, seed) in scores for arm in (RANDOM, SUGGESTED) for size in sizes)
    ]
    if not whole:
        return Answer(["No seed has all its runs, so that nothing can be compared"], [], None)
    lowest, highest = range_of(name, first.task.point)
    lines: list[Line] = []
    drawn: dict[str, list[list[float]]] = {SUGGESTED: [], RANDOM: []}
    for size in sizes:
        single = {arm: [scores[arm, size, seed] for seed in whole] for arm in (SUGGESTED, RANDOM)}
        gains = [sign * (one - other) for one, other in zip(single[SUGGESTED], single[RANDOM], strict=True)]
        gain, interval = _mean_in(gains)
        for arm in drawn:
            middle, ends = _mean_in(single[arm])
            low, high = ends or [middle, middle]
            drawn[arm].append([size, middle, max(low, lowest), min(high, highest)])
        cells = [f"{size:,}", *(format_score(fmean(single[arm])) for arm in (SUGGESTED, RANDOM))]
        told = ["-", "-"] if size == sizes[0] else [f"{gain:+.4f}", bounds(interval)]
        lines.append(Line([*cells, *told], fmean(single[SUGGESTED]), None, single[SUGGESTED]))
    columns = ["rows", f"suggested: {first.split} {name}", "at random", "gain", "95% interval"]
    ahead = _ahead(sizes[1:], whole, scores, sign, name)
    sentences = [
        *ahead,
        *_saved(sizes, whole, scores, sign, ahead[0].startswith(AHEAD)),
        *collapsed(runs),
    ]
    title = f"Mean {name} over {len(whole)} seeds by labelled rows"
    return Answer(sentences, [Table(title, columns, lines)], None, drawn)


def _scores(sizes: Sequence[int], runs: Mapping[tuple[str, int], StoredRun]) -> Scores:
    found: dict[tuple[str, int, int], float] = {}
    for arm in (RANDOM, SUGGESTED):
        for size in sizes:
            name = name_of(RANDOM if size == sizes[0] else arm, size)
            found |= {(arm, size, seed): score_of(run) for (of, seed), run in runs.items() if of == name}
    return found


def _mean_in(values: Sequence[float]) -> tuple[float, list[float] | None]:
    """Return a mean with its 95% interval by Student's t; None with a single value."""
    middle = fmean(values)
    if len(values) < 2:
        return middle, None
    half = half_width(values)
    return middle, [middle - half, middle + half]


def _ahead(sizes: Sequence[int], seeds: Sequence[int], scores: Scores, sign: int, name: str) -> list[str]:
    """Return a sentence on the mean difference over all numbers of rows but the first, paired by seed."""
    of_seeds = [
        fmean(sign * (scores[SUGGESTED, size, seed] - scores[RANDOM, size, seed]) for size in sizes) for seed in seeds
    ]
    gain, interval = _mean_in(of_seeds)
    over = "on average over all numbers of rows, 95% interval over seeds"
    if interval is None:
        return [
            f"Suggested rows against random ones, with one seed: {name} {gain:+.4f} on average over all numbers of rows"
        ]
    low, high = interval
    if low <= 0 <= high:
        return [
            f"Not told apart with so few seeds: {name} of suggested rows {gain:+.4f} ({low:.4f} to {high:.4f}) {over}"
        ]
    who = AHEAD if gain > 0 else "Random rows are ahead of suggested ones"
    nearest, farthest = sorted((abs(low), abs(high)))
    return [f"{who} by {abs(gain):.4f} {name} ({nearest:.4f} to {farthest:.4f}) {over}"]


def _saved(sizes: Sequence[int], seeds: Sequence[int], scores: Scores, sign: int, told_apart: bool) -> list[str]:
    """Return a sentence on how many suggested rows reach what all the random ones reach."""

    def lines_of(some: Sequence[int]) -> list[list[float]]:
        return [
            [fmean(sign * scores[arm, size, seed] for seed in some) for size in sizes] for arm in (SUGGESTED, RANDOM)
        ]

    suggested, others = lines_of(seeds)
    if others[-1] <= others[0]:
        return ["The scores do not get better with more random rows, so that nothing can be said of labels saved"]
    needed = rows_needed(sizes, suggested, others)
    if needed is None:
        return [f"{sizes[-1]:,} suggested rows do not reach what {sizes[-1]:,} random ones do"]
    generator = np.random.default_rng(0)
    drawn = [rows_needed(sizes, *lines_of(generator.choice(seeds, len(seeds)).tolist())) for _ in range(DRAWS)]
    low, high = np.quantile([np.inf if one is None else one for one in drawn], [0.025, 0.975], method="nearest")
    at_most = f"{high:,.0f}" if np.isfinite(high) else f"more than {sizes[-1]:,}"
    worth = (
        f"{needed:,.0f} suggested rows ({low:,.0f} to {at_most}, 95% over seeds) are worth {sizes[-1]:,} random ones"
    )
    if told_apart and high < sizes[-1]:
        return [f"{worth}: {counted(round(sizes[-1] - needed), 'label')} saved"]
    return [f"In the mean, {worth}; it can't be told that labels are saved"]


def rows_needed(sizes: Sequence[int], suggested: Sequence[float], others: Sequence[float]) -> float | None:
    """Return how many suggested rows score what the most random ones score, by lines between numbers of rows.

    >>> rows_needed([100, 150, 200], [0.5, 0.7, 0.75], [0.5, 0.55, 0.6])
    125.0

    Returns:
        The smallest such number; None if not even the most suggested rows do.
    """
    wanted = others[-1]
    if suggested[0] >= wanted:
        return float(sizes[0])
    for place in range(1, len(sizes)):
        before, after = suggested[place - 1], suggested[place]
        if after >= wanted:
            return sizes[place - 1] + (sizes[place] - sizes[place - 1]) * (wanted - before) / (after - before)
    return None
