"""The table of a search's trials: best first, then those that were ended early, then those that failed."""

from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from recipes.results.scores import format_score, format_score_in
from recipes.searching.store import ENDED, ERROR
from recipes.searching.trial import outcome_of
from recipes.system.console import counted, escape_control_characters, say, table
from recipes.system.files import write_text

LONGEST_ERROR = 200
ORDER = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def ranked(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that have ended, in the order of the table."""
    return sorted((trial for trial in trials if trial.state in ENDED), key=_rank)


def print_trials(ended: Sequence[FrozenTrial], folder: Path) -> None:
    """Print the table of trials that have ended, and write it into the search's folder."""
    counts = ", ".join(
        f"{count} {name}"
        for state, name in zip(ORDER, ("completed", "ended early", "failed"), strict=True)
        if (count := sum(trial.state == state for trial in ended))
    )
    text = escape_control_characters(table(_rows(ended)))
    say(f"\nSearch of {counted(len(ended), 'trial')}, best first: {counts}")
    say(text)
    write_text(folder / "trials.txt", text + "\n")
    say(f"Table: {folder / 'trials.txt'}")


def _rank(trial: FrozenTrial) -> tuple[int, float, int]:
    value = trial.value if trial.value is not None else 0.0
    return ORDER.index(trial.state), -value, trial.number


def _rows(trials: Sequence[FrozenTrial]) -> list[list[str]]:
    keys = list(dict.fromkeys(key for trial in trials for key in trial.params))
    outcomes = list(filter(None, map(outcome_of, trials)))
    name = outcomes[0].objective_name if outcomes else "objective"
    sign = -1 if outcomes and not outcomes[0].greater_is_better else 1
    rows = [["trial", *keys, name, "test", "run directory"]]
    for trial in trials:
        values = [str(trial.params.get(key, "-")) for key in keys]
        rows += [[str(trial.number), *values, *_cells(trial, sign)]]
    return rows


def _cells(trial: FrozenTrial, sign: int) -> list[str]:
    outcome = outcome_of(trial)
    if outcome is not None:
        objective = format_score_in(outcome.objective, outcome.objective_interval)
        return [objective, format_score_in(outcome.test, outcome.test_interval), outcome.directory]
    if trial.state == TrialState.PRUNED:
        return [format_score(sign * (trial.value or 0.0)), "-", f"ended after evaluation {trial.last_step}"]
    return ["-", "-", f"failed: {' '.join(str(trial.user_attrs.get(ERROR, '')).split())[:LONGEST_ERROR]}"]
