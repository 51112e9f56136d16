"""What more labels would bring: training on growing parts of the rows, and a power law through the scores."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from scipy import stats

from recipes.config.validation import FEWEST_SIZES
from recipes.results.scores import format_score
from recipes.statistics.power_law import PowerLaw, fit_power_law, interval
from recipes.studies.answer import Answer, Line, Runs, Table, bounds, collapsed, score_of
from recipes.studies.question import Question, Setting
from tasks.errors import InputError
from tasks.scoring.score import range_of, score_named
from tasks.task import AnyTask

HALVINGS = 5
SMALLEST = 20
"Rows with which training is tried by default."
TIMES = (2, 4)
"How many times the rows it is said what they would bring."
STEPS = 40
"Points of the line in the picture."


def settings(question: Question) -> list[Setting]:
    """Return a setting for each number of training rows, the smallest first.

    Raises:
        InputError: there are fewer rows than were asked for, or too few for a curve.
    """
    there = len(question.rows.splits["train"])
    sizes = sorted({*(question.study.sizes or (there // 2**times for times in range(HALVINGS + 1)))})
    if question.study.sizes is None:
        sizes = [size for size in sizes if size >= SMALLEST]
        if len(sizes) < FEWEST_SIZES:
            raise InputError(
                f"study=learning_curve: {there} training rows are too few to be halved so often. Give the numbers of "
                "rows to train on: study.sizes=[10,20,40]"
            )
    if sizes[-1] > there:
        raise InputError(f"study.sizes={question.study.sizes}: there are {there} training rows")
    # All rows are trained on as ever, so that a run that is there already is found again. Only choosing a way of
    # training would otherwise take the validation rows as well.
    whole = None if question.config.hparams.choose_by_folds or question.config.data.limit.train else there
    return [Setting(f"{size:,} rows", () if size == whole else _limit(size)) for size in sizes]


def _limit(size: int) -> tuple[str, ...]:
    return (f"data.limit.train={size}", "data.limit.nested=true")


def answer(_: Question, runs: Runs) -> Answer:
    """Return the scores by the number of rows, and what more rows would bring."""
    first = next(iter(runs.values()))
    task, name = first.task, first.report.objective.name
    points = sorted((run.report.data.rows["train"], score_of(run)) for run in runs.values())
    by_size: dict[int, list[float]] = defaultdict(list)
    for size, score in points:
        by_size[size].append(score)
    lines = [
        Line([f"{size:,}", str(len(scores)), format_score(fmean(scores)), "-", "-"], fmean(scores), None, scores)
        for size, scores in by_size.items()
    ]
    columns = ["rows", "seeds", f"{first.split} {name}", "90% interval of the mean", "90% of single runs"]
    scale = Scale.of(task, name)
    refusal = why_no_curve(points, scale)
    if refusal:
        return Answer([refusal, *collapsed(runs)], [Table("Scores by training rows", columns, lines)])
    law = fit_power_law([size for size, _ in points], [scale.error(score) for _, score in points], task.point)
    now, *predicted = (predict(law, scale, law.rows * times) for times in (1, *TIMES))
    lines += [_predicted_line(now, "fitted"), *(_predicted_line(one, "predicted") for one in predicted)]
    sentences = [*_gains(law, scale, name), *collapsed(runs)]
    curve = {
        "points": [list(point) for point in points],
        "line": [predict(law, scale, rows) for rows in _spaced(points[0][0], law.rows * TIMES[-1])],
        "predicted": predicted,
    }
    return Answer(sentences, [Table("Scores by training rows, and what more would give", columns, lines)], curve)


@dataclass(frozen=True)
class Scale:
    """From scores, of which some are better if greater, to errors, which are 0 at best; and back."""

    best: float
    "The best score there is."
    sign: int
    "1 if greater scores are better, otherwise -1."
    point: float

    @classmethod
    def of(cls, task: AnyTask, name: str) -> "Scale":
        """Return the scale of a score: shares and correlations are 1 at best, percentages 100, errors 0."""
        kind = score_named(name)
        lowest, highest = range_of(name, task.point)
        return cls(highest if kind.greater_is_better else lowest, kind.sign, task.point)

    def error(self, score: float) -> float:
        """Return how far a score is from the best."""
        return self.sign * (self.best - score)

    def score(self, error: float) -> float:
        """Return the score that is so far from the best."""
        return self.best - self.sign * error

    def gain(self, less: float) -> str:
        """Write by how much a smaller error makes a score better: in points, or in its own unit."""
        return f"{less / self.point:.1f}" if self.sign > 0 else format_score(less)


def predict(law: PowerLaw, scale: Scale, rows: float) -> dict[str, Any]:
    """Return the score with some number of rows: of the mean and of a single run, with 90% intervals."""
    middle, *ends = interval(law.errors(rows))
    _, *of_a_run = interval(law.errors_of_a_run(rows))
    return {
        "rows": round(rows),
        "score": scale.score(middle),
        "interval": sorted(map(scale.score, ends)),
        "of a run": sorted(map(scale.score, of_a_run)),
    }


def _predicted_line(one: dict[str, Any], what: str) -> Line:
    cells = [f"{one['rows']:,}", what, format_score(one["score"])]
    return Line([*cells, bounds(one["interval"]), bounds(one["of a run"])], one["score"], one["interval"])


def _gains(law: PowerLaw, scale: Scale, name: str) -> Iterator[str]:
    """Yield what twice and four times the rows would bring, in a sentence each."""
    gains = [interval(law.errors(law.rows) - law.errors(law.rows * times)) for times in TIMES]
    sign, unit = ("+", f"points of {name}") if scale.sign > 0 else ("", f"{name} less")
    for times, words, (middle, low, high) in zip(TIMES, ("Twice", "Four times"), gains, strict=True):
        yield (
            f"{words} the labels ({law.rows * times:,} rows) would bring {sign}{scale.gain(middle)} {unit} "
            f"({scale.gain(low)} to {scale.gain(high)}, 90% interval)"
        )
    if scale.sign > 0 and gains[0][2] < scale.point:
        yield "More labels of the same kind would hardly help: less than a point"
    yield "This holds for more rows of the same kind, labelled as these are, and trained in the same way"


def why_no_curve(points: Sequence[tuple[int, float]], scale: Scale) -> str:
    """Return why no curve can be drawn through scores; empty if one can.

    A curve only rises. Through scores that do not rise with the rows, it would promise what nothing speaks for.
    """
    sizes, errors = zip(*((size, scale.error(score)) for size, score in points), strict=True)
    if len({*sizes}) < FEWEST_SIZES:
        return f"No curve can be drawn through fewer than {FEWEST_SIZES} numbers of rows"
    if not any(errors):
        return "Every run has the best score there is, which more rows can't make better"
    if len({*errors}) < 2 or stats.spearmanr(sizes, errors).statistic >= 0:
        return (
            "The scores do not get better with more rows, so that nothing can be said of still more. Is the training "
            "long enough, and are the labels right?"
        )
    return ""


def _spaced(low: int, high: int) -> Sequence[float]:
    """Return numbers from low to high that grow by the same factor."""
    return [low * (high / low) ** (number / (STEPS - 1)) for number in range(STEPS)]
