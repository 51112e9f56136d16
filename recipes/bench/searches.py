"""Whether choosing trials and ending bad ones early pays, against chance: `scripts/bench searches`."""

import shutil
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from recipes.bench.few_rows import SOURCES, call_run
from recipes.bench.table import write
from recipes.results.scores import format_score
from recipes.searching.searching import best_first
from recipes.searching.store import ENDED, pruner_of
from recipes.searching.trial import outcome_of
from recipes.system.console import say

SETS = ("wnut17", "trec6")
TRIALS = 16
"Of the search by chance, whose seconds are the budget of the other one."
MORE = 4
"Trials by which the other one is prolonged until it has used them up."
FIXED = ("hparams.evaluations=8", "data.limit.train=1000", "data.limit.validation=300", "data.limit.test=500")
PRUNERS = ("median", "halving", "hyperband")


@dataclass(frozen=True)
class Reached:
    """What a search had found when its seconds were over."""

    trials: int
    ended_early: int
    objective: float
    test: float

    @classmethod
    def within(cls, trials: Sequence[FrozenTrial], seconds: float) -> "Reached":
        """Look at the trials that had ended by then."""
        spent = accumulate(map(_seconds, trials))
        ended = [trial for trial, until in zip(trials, spent, strict=True) if until <= seconds]
        best = outcome_of(best_first(ended)[0])
        assert best is not None
        assert best.objective is not None
        assert best.test is not None
        early = sum(trial.state == TrialState.PRUNED for trial in ended)
        return cls(len(ended), early, best.objective, best.test)


def measure(given: Namespace) -> list[Path]:
    """Let `tpe` with a pruner and a search by chance without one have equal seconds, and compare what they found."""
    heads = ("trials", "validation", "test")
    rows = [["set", "seed", "seconds", *(f"{who}: {head}" for who in ("random", "tpe, median") for head in heads)]]
    saved = [["set", "seed", *(f"{name}: saved, best kept" for name in PRUNERS)]]
    cases = []
    for seed in range(1, given.repetitions + 1):
        for source in SETS:
            if given.data not in (None, source):
                continue
            cases.append(_case(source, seed, given.output / "searches", given.overrides))
            case = cases[-1]
            found = [cell for who in ("random", "tpe") for cell in _cells(case[who])]
            rows.append([source, str(seed), f"{case['seconds']:.0f}", *found])
            pruned = [f"{one['saved']:.0%}, {'yes' if one['kept'] else 'no'}" for one in case["pruners"].values()]
            saved.append([source, str(seed), *pruned])
            say("  ".join(rows[-1]))
    notes = [
        f"random: {TRIALS} trials without a pruner; tpe: as many as ended within the same seconds, in brackets those "
        f"of them that were ended early. Both with {' '.join(FIXED)}."
    ]
    replayed = [
        "What each pruner would have saved of the random search, computed from the evaluations of its trials, which "
        "all went to their ends; and whether the best of them would have stayed."
    ]
    paths = write(given.output, "searches", rows, notes, {"cases": cases})
    return [*paths, *write(given.output, "pruners", saved, replayed, {})]


def _case(source: str, seed: int, folder: Path, overrides: Sequence[str]) -> dict[str, Any]:
    random = _search(folder / f"{source}-{seed}-random", source, seed, TRIALS, "search=random", *overrides)
    seconds = sum(map(_seconds, random))
    trials, wanted = list[FrozenTrial](), 0
    while sum(map(_seconds, trials)) < seconds:
        wanted = wanted + MORE if wanted else TRIALS
        guided = ("search=tpe", "search.pruner=median", *overrides)
        trials = _search(folder / f"{source}-{seed}-tpe", source, seed, wanted, *guided)
    return {
        "set": source,
        "seed": seed,
        "seconds": seconds,
        "random": vars(Reached.within(random, seconds)),
        "tpe": vars(Reached.within(trials, seconds)),
        "pruners": {name: replay(random, name) for name in PRUNERS},
    }


def _search(root: Path, source: str, seed: int, trials: int, *words: str) -> list[FrozenTrial]:
    """Do a search, or go on with it, and return its trials in their order."""
    at = SOURCES[source]
    call_run(
        [
            *("-m", f"task={at.task}", f"data={at.data}", f"output_root={root}", f"search.seed={seed}", f"seed={seed}"),
            *("search.confirm.top=0", "search.keep_models=1", f"search.trials={trials}", *FIXED, *words),
        ]
    )
    (database,) = root.rglob("trials.db")
    for weights in root.rglob("model"):
        shutil.rmtree(weights)
    storage = f"sqlite:///{database.absolute()}"
    (name,) = optuna.get_all_study_names(storage)
    return [trial for trial in optuna.load_study(study_name=name, storage=storage).trials if trial.state in ENDED]


def replay(trials: Sequence[FrozenTrial], pruner: str) -> dict[str, Any]:
    """Return what a pruner would have saved of trials that all went to their ends, and whether their best stays.

    A trial that is ended at one of its evaluations counts with the share of its evaluations up to there.

    Args:
        trials: in the order in which they were done.
        pruner: a value of `search.pruner`.
    """
    study = optuna.create_study(direction="maximize", pruner=pruner_of(pruner))
    spent, kept = 0.0, set[int]()
    for number, trial in enumerate(trials):
        asked = study.ask()
        steps = sorted(trial.intermediate_values.items())
        for done, (step, value) in enumerate(steps, 1):
            asked.report(value, step)
            if asked.should_prune():
                study.tell(asked, state=TrialState.PRUNED)
                spent += _seconds(trial) * done / len(steps)
                break
        else:
            study.tell(asked, trial.value)
            spent += _seconds(trial)
            kept.add(number)
    best = best_first(trials)[0]
    return {"saved": 1 - spent / sum(map(_seconds, trials)), "kept": list(trials).index(best) in kept}


def _seconds(trial: FrozenTrial) -> float:
    assert trial.duration is not None
    return trial.duration.total_seconds()


def _cells(reached: dict[str, Any]) -> list[str]:
    early = f" ({reached['ended_early']})" if reached["ended_early"] else ""
    return [f"{reached['trials']}{early}", format_score(reached["objective"]), format_score(reached["test"])]
