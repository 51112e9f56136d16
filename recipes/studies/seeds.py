"""How much the scores of a setting vary with the seed."""

from statistics import fmean, stdev

from recipes.comparing.groups import Group
from recipes.comparing.verdicts import compare
from recipes.results.scores import format_score, format_score_in
from recipes.statistics.bootstrap import FEWEST_UNITS
from recipes.studies.answer import Answer, Line, Runs, Table, bounds, collapsed, of_setting, score_of
from recipes.studies.question import Question, Setting
from recipes.system.console import counted
from tasks.scoring.score import range_of


def settings(_: Question) -> list[Setting]:
    """Return the only setting: that of the command."""
    return [Setting("", ())]


def answer(_: Question, runs: Runs) -> Answer:
    """Return the mean and the deviation of all scores, and the interval of the mean over other rows and seeds."""
    found = of_setting(runs, "")
    first = found[0]
    name, split = first.report.objective.name, first.split
    interval = None
    if len(found) > 1 and max(first.units) + 1 >= FEWEST_UNITS:
        estimate = compare([Group("", found)], name).groups[0].mean
        lowest, highest = range_of(name, first.task.point)
        if estimate.low < estimate.high:  # otherwise all seeds are right on all rows, which proves nothing of others
            interval = [max(estimate.low, lowest), min(estimate.high, highest)]
    lines = []
    others = (other for other in first.report.metrics[split] if other != name and "/" not in other)
    for score in (name, *others):
        values = [value for run in found if (value := run.report.metrics[split].get(score)) is not None]
        deviation = format_score(stdev(values)) if len(values) > 1 else "-"
        cells = [score, format_score(fmean(values)), deviation, format_score(min(values)), format_score(max(values))]
        own = interval if score == name else None
        lines.append(Line([*cells, bounds(own)], fmean(values), own, values))
    columns = [f"{split} score", "mean", "deviation", "lowest", "highest", "95% interval"]
    single = [score_of(run) for run in found]
    sentences = [
        f"{name} {format_score_in(fmean(single), interval)} over {len(single)} seeds, deviation "
        f"{format_score(stdev(single)) if len(single) > 1 else '-'}"
    ]
    if interval is not None:
        sentences.append("The interval says where the mean of other seeds on other rows of this kind would be")
    if bad := collapsed(runs):
        kept = [score_of(run) for run in found if not run.report.verdict.collapsed]
        sentences += bad
        if kept:
            sentences.append(f"Without: mean {format_score(fmean(kept))} of {counted(len(kept), 'seed')}")
    return Answer(sentences, [Table(f"Scores over {len(found)} seeds", columns, lines)])
