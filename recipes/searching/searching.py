"""A search from its command to its winner: trials are begun, launched as jobs by Hydra, ranked, and confirmed."""

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, TrialState

from recipes.command.dispatch import JOB_FAILED, Sweep
from recipes.command.line import is_about_many, key_of
from recipes.jobs.launching import launch, runs_of
from recipes.results.run_directory import RunDirectory
from recipes.searching.confirming import Confirmed, confirm, print_confirmed
from recipes.searching.plan import Plan, plan_search, say_plan
from recipes.searching.record import write_record
from recipes.searching.space import overrides_of
from recipes.searching.store import DIRECTORY, ENDED, FOUND_DONE, HOME, Store, explaining, lock_of
from recipes.searching.table import print_trials, ranked
from recipes.searching.trial import describe, do_trial
from recipes.searching.verdict import on_test_rows
from recipes.searching.winner import write_winner
from recipes.system.console import complain, counted, say, say_field
from tasks.errors import InputError


def search(sweep: Sweep) -> int:
    """Try values of some keys, each trial chosen by what those before it gave, and print all of them, best first.

    Returns:
        The exit status.

    Raises:
        InputError: the space or the storage can't be used, or the study was begun with another search.
        Interrupted: a signal asked the search to end; the same command goes on with it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("A search runs each trial in one process: start it without accelerate launch")
    plan = plan_search(sweep)
    say_plan(plan)
    with explaining(plan.search.storage):
        while True:
            with ExitStack() as locks:
                numbers = _claim(plan, locks)
                if not numbers:
                    break
                _launch(sweep, plan, numbers)
            _keep_models(plan, max(plan.search.keep_models, plan.search.confirm.top))
        trials = plan.store.trials()
    ended = ranked(trials)
    print_trials(ended, plan.store.folder)
    elsewhere = sum(trial.state not in ENDED for trial in trials)
    if elsewhere:
        say(f"{elsewhere} more under way in other processes, of which the last one names the best")
        return 0
    best = best_first(trials)
    if not best:
        write_record(plan.store.folder, plan.search, plan.proposer.space, ended, [], None, None)
        complain("No trial gave a score: the table says why")
        return JOB_FAILED
    with ExitStack() as lock:
        if _locked(plan.store.folder / "winner.lock", lock):
            _name_winner(sweep, plan, best, ended)
        else:
            say("Another process runs the best of them again, and names the winner")
    return 0


def _name_winner(sweep: Sweep, plan: Plan, best: Sequence[FrozenTrial], ended: Sequence[FrozenTrial]) -> None:
    """Say which trial is the best, after the first ones were run again with fresh seeds, and write it down."""
    folder = plan.store.folder
    confirmed = _confirmed(sweep, plan, best)
    winner = confirmed[0].trial if confirmed else best[0]
    if not confirmed:
        say(f"best        trial {winner.number}: {describe(winner)}")
    on_test = on_test_rows(*confirmed[:2]) if len(confirmed) > 1 else ""
    if on_test:
        say_field("on test", on_test)
    _keep_models(plan, plan.search.keep_models, winner)
    seeds = counted(plan.search.confirm.seeds, "fresh seed")
    said = f"The best of {counted(len(ended), 'trial')}, " + (f"confirmed with {seeds}" if confirmed else "by one seed")
    places = [word for word in sweep.line.hydra_overrides if key_of(word) == "hydra.searchpath"]
    words = [*places, *(word for word in plan.base if not is_about_many(word))]
    command = write_winner(folder, winner.params, words, said)
    say(f"To train with these values: {command}")
    write_record(folder, plan.search, plan.proposer.space, ended, confirmed, winner, command, on_test)


def _confirmed(sweep: Sweep, plan: Plan, best: Sequence[FrozenTrial]) -> list[Confirmed]:
    """Run the best trials again with fresh seeds, or say why not."""
    wanted = plan.search.confirm
    if not wanted.top:
        say("Not run again with fresh seeds (search.confirm.top=0): the best of many scores is too good by luck")
    elif "seed" in plan.proposer.space:
        say("Not run again with fresh seeds, as seed is among the values that were tried")
    elif len(best) > 1 and len({trial.value for trial in best}) == 1:
        say(f"All {len(best)} have the same score: nothing tells them apart, and none is run again with fresh seeds")
    else:
        different = list({tuple(trial.params.items()): trial for trial in reversed(best)}.values())[::-1]
        seed = int(sweep.tree.seed)
        confirmed = confirm(sweep, plan.store.folder, plan.base, different[: wanted.top], seed, plan.search)
        print_confirmed(confirmed)
        return confirmed
    return []


def _claim(plan: Plan, locks: ExitStack) -> list[int]:
    """Return the numbers of trials to do next: interrupted ones first, then new ones. Their locks are held.

    New ones are chosen together, as many as fill up a group of `search.parallel`, so that a search that was
    interrupted has the same groups as without.
    """
    store, together = plan.store, plan.search.parallel
    with lock_of(store.folder):
        trials = store.trials()
        here = [trial for trial in trials if trial.user_attrs.get(HOME) == plan.home]
        left = [trial.number for trial in here if trial.state not in ENDED]
        mine = list(itertools.islice((number for number in left if _locked(_lock(store, number), locks)), together))
        if mine:
            return mine
        begin = len(trials)
        for number in range(begin, min(begin + together - begin % together, plan.total)):
            params = plan.proposer.propose(number, trials)
            given = store.begin(params, plan.proposer.space, plan.home)
            if given != number:  # another machine was faster
                store.drop(given)
                break
            _locked(_lock(store, number), locks)
            mine.append(number)
            trials = store.trials()
    return mine


def _lock(store: Store, number: int) -> Path:
    """Return the file whose lock tells that somebody works on a trial."""
    return store.folder / "trials" / f"{number}.lock"


def _locked(path: Path, locks: ExitStack) -> bool:
    """Take a lock, until the stack is closed. False: somebody has it."""
    path.parent.mkdir(exist_ok=True)
    try:
        locks.enter_context(FileLock(path, timeout=0))
    except Timeout:
        return False
    return True


def _launch(sweep: Sweep, plan: Plan, numbers: Sequence[int]) -> None:
    """Launch trials by the launcher that was chosen, and wait for them."""
    for first, group in _consecutive(numbers):
        overrides = [
            [*plan.base, *overrides_of(plan.store.trial(number).params), f"search.trial={number}"] for number in group
        ]
        runs = runs_of(sweep, plan.search.parallel)
        job = partial(do_trial, runs, sweep.line.hydra_overrides, sweep.interruption)
        launch(sweep, plan.store.folder, job, overrides, first)


def _consecutive(numbers: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Yield groups of numbers that follow each other, with the first of each.

    >>> list(_consecutive([2, 3, 6]))
    [(2, [2, 3]), (6, [6])]
    """
    for _, group in itertools.groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        yield members[0], members


def best_first(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the completed trials, best first; equal ones by number."""
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(done, key=lambda trial: (-(trial.value if trial.value is not None else -math.inf), trial.number))


def _keep_models(plan: Plan, count: int, winner: FrozenTrial | None = None) -> None:
    """Remove the weights of trials that are not among the best so many. What was there before the search stays.

    Args:
        plan: the search.
        count: of how many directories the weights are kept.
        winner: the trial that counts as the best, whatever its score by one seed.
    """
    best = best_first(plan.store.trials())
    if winner is not None:
        best = [winner, *(trial for trial in best if trial.number != winner.number)]
    directories = list(dict.fromkeys(str(trial.user_attrs.get(DIRECTORY)) for trial in best))
    found = {str(trial.user_attrs.get(DIRECTORY)) for trial in best if trial.user_attrs.get(FOUND_DONE)}
    for directory in directories[count:]:
        if directory not in found:
            RunDirectory(Path(directory)).remove_weights()
