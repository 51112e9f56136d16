"""One trial of a search, as a job that any of Hydra's launchers can run, in another process or on another machine."""

import time
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from optuna.trial import FrozenTrial, TrialState

from recipes.command.dispatch import Invocation, Run, details_of, read_job
from recipes.config.conversion import parse_search
from recipes.config.schema import Config
from recipes.results.scores import format_score
from recipes.results.sweep_table import Outcome
from recipes.results.watching import Pruned
from recipes.searching.store import DIRECTORY, ENDED, FOUND_DONE, OUTCOME, Store
from recipes.system.console import complain, duration, quietly, say
from recipes.system.signals import Interruption
from tasks.scoring.score import Score


def do_trial(run: Run, hydra_overrides: tuple[str, ...], interruption: Interruption, tree: Any) -> float:
    """Do one trial, keep in the store how it ended, and return its objective to Hydra.

    A trial that has ended already is not done again: the process that launched it may have been killed and started
    again, while the job went on.
    """
    settings: Any = HydraConfig.get()
    folder = Path(str(settings.sweep.dir))
    search = parse_search(tree)
    assert search.trial is not None
    store = Store.open(search, folder)
    with FileLock(folder / "trials" / f"{search.trial}.job.lock"):
        trial = store.trial(search.trial)
        if trial.state not in ENDED:
            started = time.perf_counter()
            try:
                with quietly():
                    _do(run, *read_job(hydra_overrides, interruption, tree), store, trial)
            except Pruned:
                store.prune(search.trial)
            except Exception as error:
                complain(f"Trial {search.trial} ({describe(trial)}) failed. {details_of(error)}")
                store.fail(search.trial, str(error) or type(error).__name__)
            _say_ended(store, search.trial, time.perf_counter() - started)
    value = store.trial(search.trial).value
    return float("nan") if value is None else value


def _say_ended(store: Store, number: int, seconds: float) -> None:
    """Print the line of a trial that has ended; a star marks the best so far."""
    trial = store.trial(number)
    outcome = outcome_of(trial)
    if outcome is not None:
        others = [other.value for other in store.trials() if other.state == TrialState.COMPLETE and other != trial]
        best = all(trial.value > value for value in others if value is not None and trial.value is not None)
        result = f"{outcome.objective_name} {format_score(outcome.objective)}" + (" *" if best else "")
    elif trial.state == TrialState.PRUNED:
        result = f"ended after evaluation {trial.last_step}, as others do better"
    else:
        result = "failed"
    say(f"  trial {number:>3}  {describe(trial)}: {result}  ({duration(seconds)})")


def describe(trial: FrozenTrial) -> str:
    """Return the values of a trial in words, without the groups of their keys."""
    return ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in trial.params.items())


def _do(run: Run, config: Config, invocation: Invocation, store: Store, trial: FrozenTrial) -> None:
    number = trial.number
    if store.is_to_end(number):  # a kill came between the evaluation and the end
        raise Pruned(f"ended after evaluation {trial.last_step}: others do better")
    directory = invocation.directory_of(config)
    if DIRECTORY not in trial.user_attrs:
        ours = {other.user_attrs.get(DIRECTORY) for other in store.trials()}
        done = str(directory) not in ours and directory.finished_report() is not None
        store.note(number, {DIRECTORY: str(directory), FOUND_DONE: done})

    def watch(evaluation: int, value: float) -> bool:
        if isnan(value):
            return False
        # After an interruption, some evaluations are done again, and give what is known already.
        store.report(number, evaluation, value)
        return store.is_to_end(number)

    outcome = run(config, replace(invocation, watch=watch))
    _keep(store, number, outcome)


def _keep(store: Store, number: int, outcome: Outcome) -> None:
    if outcome.objective is None or isnan(outcome.objective):
        store.fail(number, f"{outcome.objective_name} is not a number")
        return
    sign = Score(outcome.objective_name, outcome.greater_is_better).sign
    store.complete(number, outcome, sign * outcome.objective)


def outcome_of(trial: FrozenTrial) -> Outcome | None:
    """Return what a completed trial gave."""
    stored = trial.user_attrs.get(OUTCOME)
    return Outcome(**stored) if trial.state == TrialState.COMPLETE and stored else None
