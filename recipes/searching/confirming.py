"""The best trials are run again with fresh seeds before one is called the best.

The best of many scores on the same validation rows is too good by luck, the more so the more trials there were. New
seeds take away the luck of the seed, though not that of the rows: the test score is there for these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from optuna.trial import FrozenTrial

from recipes.command.dispatch import Sweep
from recipes.command.line import is_about_many, key_of
from recipes.config.schema import TASKS, Search
from recipes.jobs.named import NamedJob, do_named_jobs
from recipes.results.scores import format_bounds, format_score
from recipes.results.sweep_table import Job, Outcome
from recipes.searching.space import overrides_of
from recipes.searching.trial import describe
from recipes.statistics.means import half_width
from recipes.system.console import complain, counted, say, table
from tasks.scoring.score import Score, range_of


@dataclass(frozen=True)
class Confirmed:
    """A trial that was run again with other seeds."""

    trial: FrozenTrial
    outcomes: list[Outcome]
    "One for each seed that did not fail."
    point: float = 0.01
    "The size of a point of the score, which tells how far it can go."

    @property
    def score_name(self) -> str:
        """The name of the score that was searched for."""
        return self.outcomes[0].objective_name.rpartition(" ")[2]

    @property
    def objectives(self) -> list[float]:
        """The objectives of all seeds."""
        return [one.objective for one in self.outcomes if one.objective is not None]

    @property
    def tests(self) -> list[float]:
        """The test scores of all seeds."""
        return [one.test for one in self.outcomes if one.test is not None]

    def plain(self) -> dict[str, Any]:
        """Return what is shown of it, as JSON values."""
        values = self.objectives
        return {
            "number": self.trial.number,
            "values": describe(self.trial),
            "seeds": len(values),
            "mean": fmean(values),
            "interval": self._interval(),
            "deviation": stdev(values) if len(values) > 1 else None,
            "test": fmean(self.tests) if self.tests else None,
            "single": values,
        }

    def _interval(self) -> tuple[float, float] | None:
        """Return the interval of the mean over seeds, by Student's t, as far as the score can go."""
        values = self.objectives
        if len(values) < 2:
            return None
        middle, half = fmean(values), half_width(values)
        lowest, highest = range_of(self.score_name, self.point)
        return max(middle - half, lowest), min(middle + half, highest)

    @property
    def worth(self) -> float:
        """The mean objective, where higher is better."""
        first = self.outcomes[0]
        return Score(first.objective_name, first.greater_is_better).sign * fmean(self.objectives)


def confirm(
    sweep: Sweep, folder: Path, base: Sequence[str], best: Sequence[FrozenTrial], first_seed: int, search: Search
) -> list[Confirmed]:
    """Run trials again with fresh seeds, and return them with what that gave, best first.

    Args:
        sweep: the command.
        folder: that of the search.
        base: the overrides of every trial.
        best: the trials.
        first_seed: the seed of the trials; fresh ones follow it.
        search: says with how many seeds each is run, and how many runs are launched at a time.
    """
    seeds, together = search.confirm.seeds, search.parallel
    words = [word for word in base if not is_about_many(word) and key_of(word) != "seed"]
    jobs = [
        NamedJob(f"trial {trial.number:>3}, seed {seed}", (*words, *overrides_of(trial.params), f"seed={seed}"))
        for trial in best
        for seed in range(first_seed + 1, first_seed + seeds + 1)
    ]
    say(f"\nThe best {len(best)} again, with {counted(seeds, 'fresh seed')} each")
    ended = do_named_jobs(sweep, folder, jobs, together)
    confirmed = [
        Confirmed(trial, _outcomes(ended[place * seeds : (place + 1) * seeds]), TASKS[str(sweep.tree.task.name)].point)
        for place, trial in enumerate(best)
    ]
    return best_mean_first(confirmed)


def best_mean_first(confirmed: Sequence[Confirmed]) -> list[Confirmed]:
    """Return those that have a score, best mean first; equal ones by number."""
    return sorted((one for one in confirmed if one.objectives), key=lambda one: (-one.worth, one.trial.number))


def _outcomes(jobs: Sequence[Job | None]) -> list[Outcome]:
    return [job.outcome for job in jobs if job is not None and job.outcome is not None]


def print_confirmed(confirmed: Sequence[Confirmed]) -> None:
    """Print the means over seeds, and which trial is the best."""
    if not confirmed:
        complain("None of the best trials could be run again: the messages above say why")
        return
    name = confirmed[0].outcomes[0].objective_name
    rows = [["trial", "values", "seeds", f"mean {name}", "95% interval over seeds", "deviation", "mean test"]]
    for one in map(Confirmed.plain, confirmed):
        bounds = format_bounds(one["interval"]) if one["interval"] else "-"
        scores = [format_score(one[name]) for name in ("deviation", "test")]
        rows.append([str(one["number"]), one["values"], str(one["seeds"]), format_score(one["mean"]), bounds, *scores])
    say(table(rows))
    best = confirmed[0]
    say(f"best        trial {best.trial.number}: {describe(best.trial)}")
    if len(confirmed) > 1:
        say(f"            ahead of trial {confirmed[1].trial.number} by {lead_in_words(best, confirmed[1])}")


def lead_in_words(best: Confirmed, second: Confirmed) -> str:
    """Return by how much one is ahead of another over the same seeds, and whether that tells anything."""
    lead = best.worth - second.worth
    if len(best.objectives) != len(second.objectives) or len(best.objectives) < 2:
        return f"{format_score(lead)}: a single seed tells little"
    differences = [one - other for one, other in zip(best.objectives, second.objectives, strict=True)]
    half = half_width(differences)
    told = "" if half < lead else ": with so few seeds, either may be the better one"
    return (
        f"{format_score(lead)} ({format_score(lead - half)} to {format_score(lead + half)}, on these very rows){told}"
    )
