"""What a study found, in a form that the console, a file and a page can show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import stdev
from typing import Any

from recipes.comparing.stored_runs import StoredRun
from recipes.comparing.verdicts import Pair
from recipes.results.scores import format_bounds, format_score
from recipes.system.console import counted, say, table


@dataclass(frozen=True)
class Line:
    """A line of a table."""

    cells: list[str]
    value: float | None = None
    "What its picture shows. None: it has none."
    interval: list[float] | None = None
    single: list[float] = field(default_factory=list)
    "The scores of each seed or fold."


@dataclass(frozen=True)
class Table:
    """A table, whose first column says what each line is about."""

    title: str
    columns: list[str]
    lines: list[Line]


@dataclass(frozen=True)
class Answer:
    """What a study found."""

    sentences: list[str]
    tables: list[Table]
    curve: Mapping[str, Any] | None = None
    "What the picture of a learning curve is drawn from."
    lines: Mapping[str, Sequence[Sequence[float]]] | None = None
    "Lines that are to be compared in a picture: of each, points of rows, score, and the ends of its interval."

    def show(self) -> None:
        """Print the tables and what they say."""
        for one in self.tables:
            say(f"\n{one.title}")
            say(table([one.columns, *(line.cells for line in one.lines)]))
        say()
        for sentence in self.sentences:
            say(sentence)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


SHOWN = 6
"Names of runs in a sentence."

Runs = Mapping[tuple[str, int], StoredRun]
"The finished runs of a study, by the name of their setting and their seed."


def of_setting(runs: Runs, name: str) -> list[StoredRun]:
    """Return the runs of a setting, by seed."""
    return [run for (setting, _), run in sorted(runs.items(), key=lambda item: item[0][1]) if setting == name]


def score_of(run: StoredRun) -> float:
    """Return the score that a run is judged by."""
    return float(run.report.metrics[run.split][run.report.objective.name])


def deviation(scores: Sequence[float]) -> str:
    """Write how much scores differ between seeds, or a dash for a single one."""
    return format_score(stdev(scores)) if len(scores) > 1 else "-"


@dataclass(frozen=True)
class Gain:
    """How much better scores are with something than without it."""

    value: float
    interval: list[float]
    shown: str
    "The value with its sign."

    @classmethod
    def of(cls, pair: Pair, name: str) -> "Gain":
        """Return the gain of the group with this name over the other one."""
        estimate, worth = pair.difference.estimate, 1 if pair.better.name == name else -1
        decimals = 4 if pair.size < 1 else 2
        shown = f"{round(worth * estimate.value, decimals) + 0.0:+.{decimals}f}"  # not -0
        return cls(
            worth * estimate.value + 0.0,
            sorted([worth * estimate.low + 0.0, worth * estimate.high + 0.0]),
            shown,
        )


def bounds(interval: Sequence[float] | None) -> str:
    """Write an interval, or a dash for none."""
    return format_bounds(interval) if interval is not None else "-"


def collapsed(runs: Runs) -> list[str]:
    """Return a sentence for the runs that have learnt nothing, if there are some."""
    names = [_name(*key) for key, run in runs.items() if run.report.verdict.collapsed]
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return [f"{counted(len(names), 'run')} collapsed, that is, learnt nothing (docs/verdict.md): {shown}"]


def _name(setting: str, seed: int) -> str:
    return f"{setting}, seed {seed}" if setting else f"seed {seed}"
