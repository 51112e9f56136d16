"""The report of a run as a page: the verdict first, then curves, scores, mistakes, and what they depend on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recipes.config.flat_keys import default_values
from recipes.reporting.measured import Measured, MeasuredBreakdown, measure, weaknesses
from recipes.reporting.pages import render
from recipes.reporting.pictures import Scale, curves, reliability_chart, scale_of
from recipes.results.report import Report
from recipes.results.verdict import FEWEST_TO_JUDGE_BY, WHAT_HELPS
from tasks.analysis.parts import Analysis, Line, Mistake
from tasks.data.options import Split
from tasks.task import AnyTask, Head

SHOWN_LABELS = 60
FEW_TO_TRAIN_ON = 50
"Training rows with which `hparams=small_data` gained on all sets that it was measured on (docs/levers.md)."
NOT_A_CHOICE = ("output_root", "overwrite", "task.name")
"Keys that are no choice of how to train."


@dataclass(frozen=True)
class ScoreRow:
    """A line of the table of scores: who predicted, and each score."""

    who: str
    scores: dict[str, Measured]


@dataclass(frozen=True)
class ShownMistake:
    """A mistake with the place of its row."""

    mistake: Mistake
    where: str


def run_page(report: Report, config: Mapping[str, Any], task: AnyTask, lines: Sequence[Line], title: str) -> str:
    """Return the report of a run as HTML.

    Args:
        report: that of the run.
        config: all keys of its config, with their values.
        task: the task, with its `auto` options resolved.
        lines: those of the predictions file of the split that is judged, with gold.
        title: what the rows are called.
    """
    split = report.judged
    analysis = task.analyse(lines, Head("", tuple(report.data.labels)), report.calibration)
    breakdowns = list(map(measure, analysis.breakdowns))
    counts = report.data.label_counts
    return render(
        "run",
        title=f"{title}: {task.name}",
        advice=list(advice(report, split)),
        report=report,
        split=split,
        names=[name for name in task.headline() if name in report.metrics[split]],
        scores={name: list(_score_rows(report, name, task)) for name in report.metrics},
        gains=sorted(_gains(report, split, task), key=lambda gain: gain[2].value or 0.0),
        weaknesses=[] if report.verdict.collapsed else weaknesses(breakdowns),
        scales=_scales(breakdowns),
        curves=list(_curves(report)),
        choice_scale=_choice_scale(report),
        breakdowns=breakdowns,
        analysis=analysis,
        reliability=_reliability(analysis, split),
        mistakes=[ShownMistake(one, where(lines[one.place])) for one in analysis.mistakes],
        labels=dict(sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_LABELS]),
        more_labels=max(len(counts) - SHOWN_LABELS, 0),
        choices=list(choices(config, report.task)),
        calibration=report.calibration,
        what_helps=WHAT_HELPS,
    )


def _scales(breakdowns: Sequence[MeasuredBreakdown]) -> dict[str, Scale]:
    """Return for each score that is shown the scale on which all parts stand."""
    values: dict[str, list[float]] = defaultdict(list)
    for breakdown in breakdowns:
        numbers = values[breakdown.main]  # there also for a breakdown without parts, as of labels that no row has
        for part in breakdown.parts:
            one = part.scores[breakdown.main]
            numbers += [] if one.value is None else [one.value]
            numbers += one.bounds or ()
    return {name: scale_of(numbers) for name, numbers in values.items()}


def _choice_scale(report: Report) -> Scale | None:
    """Return the scale on which all ways of training stand that were tried."""
    if report.choice is None:
        return None
    ways = report.choice.ways
    values = [way.score for way in ways if way.score is not None]
    return scale_of([*values, *(end for way in ways for end in way.bounds or ())])


def advice(report: Report, split: Split) -> Iterator[str]:
    """Yield what is worth trying next, as far as curves and baselines tell."""
    history, name = report.history, report.objective.name
    if report.verdict.collapsed:
        return
    sign = 1 if report.objective.greater_is_better else -1
    scores = [sign * line[name] for line in history if line.get(name) is not None]
    if report.training.kept_epoch is not None and len(scores) > 1 and scores[-1] > max(scores[:-1]):
        yield "The last epoch was the best by validation: more of them may give more (hparams.epochs)."
    losses = [line["validation_loss"] for line in history if line.get("validation_loss") is not None]
    rows = report.data.rows
    if rows["validation"] >= FEWEST_TO_JUDGE_BY and len(losses) > 2 and losses[-1] > 1.1 * min(losses):
        yield "The validation loss rises again: hparams=regularized, fewer epochs or more rows may help."
    if report.choice is None and rows["train"] < FEW_TO_TRAIN_ON:
        yield "With so few training rows, hparams=small_data may give more (docs/levers.md)."
    gains = [one.gains.get(name) for one in report.verdict.baselines.get(split, {}).values()]
    if rows[split] >= FEWEST_TO_JUDGE_BY and any(
        gain is not None and gain.value is not None and gain.value < 0 for gain in gains
    ):
        yield "A baseline without a network is better: try more epochs or another learning rate; look at the labels."


def where(line: Line) -> str:
    """Return the file and the place in it that a line of a predictions file comes from."""
    file, units = str(line.get("file", "")), ("line", "row", "question_number")
    unit = next((name for name in units if name in line), None)
    return f"{file}, {unit.partition('_')[0]} {line[unit]}" if unit else f"{file}, id {line['id']}"


def choices(config: Mapping[str, Any], task: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield each key of a config whose value is not the default, with its value and the default."""
    defaults = default_values(task)
    defaults["hparams.learning_rate"] = config.get("model.learning_rate")
    for key, value in config.items():
        if key in NOT_A_CHOICE or key.startswith("tracker."):
            continue
        default = defaults.get(key)
        if value != default:
            yield key, value, None if default == "???" else default


def _score_rows(report: Report, split: Split, task: AnyTask) -> Iterator[ScoreRow]:
    verdict, names = report.verdict, task.headline()

    def of(value: float | None, bounds: Sequence[float] | None) -> Measured:
        number = None if value is None or value != value else value
        return Measured(number, None if bounds is None else (bounds[0], bounds[1]))

    own = report.metrics[split]
    yield ScoreRow("this model", {name: of(own[name], verdict.interval(split, name)) for name in names if name in own})
    for who, baseline in verdict.baselines.get(split, {}).items():
        yield ScoreRow(who, {name: of(baseline.scores[name], None) for name in names if name in baseline.scores})


def _gains(report: Report, split: Split, task: AnyTask) -> Iterator[tuple[str, str, Measured]]:
    """Yield for each baseline what the model gains over it by the first score that the console shows."""
    for who, baseline in report.verdict.baselines.get(split, {}).items():
        for name in task.headline()[:1]:
            gain = baseline.gains.get(name)
            if gain is not None and gain.value is not None:
                bounds = None if gain.interval is None else (gain.interval[0], gain.interval[1])
                yield who, name, Measured(gain.value, bounds)


def _curves(report: Report) -> Iterator[tuple[str, list[str], Markup]]:
    """Yield the title, the names of the lines, and the picture of each learning curve."""
    history, objective = report.history, report.objective.name
    if len(history) < 2:
        return
    losses = {
        name: [(line["epoch"], line[key]) for line in history if line.get(key) is not None]
        for name, key in (("training", "loss"), ("validation", "validation_loss"))
    }
    losses = {name: points for name, points in losses.items() if points}
    if losses:
        yield "Loss", list(losses), curves(losses, "epochs", f"Loss by epoch: {_in_words(losses)}")
    points = {objective: [(line["epoch"], line[objective]) for line in history if line.get(objective) is not None]}
    if points[objective]:
        picture = curves(points, "epochs", f"Validation {objective} by epoch: {_in_words(points)}")
        yield f"Validation {objective}", [], picture


def _in_words(series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    ends = {name: (points[0][1], points[-1][1]) for name, points in series.items()}
    return ", ".join(f"{name} from {first:.4g} to {last:.4g}" for name, (first, last) in ends.items())


def _reliability(analysis: Analysis, split: Split) -> Markup | None:
    found = analysis.reliability
    if found is None:
        return None
    said = ", ".join(f"at {one.probability:.2f} {one.share_right:.0%} right" for one in found.bins)
    return reliability_chart(found, f"How often predictions on {split} are right, by their probability: {said}")
