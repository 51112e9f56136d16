"""What a search is going to do, from its command; all that can be refused is refused before the first trial."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recipes.command import composing
from recipes.command.dispatch import Sweep
from recipes.command.groups import CONF
from recipes.command.hydra_errors import explain
from recipes.command.line import is_about_many, key_of
from recipes.config.conversion import parse, parse_search
from recipes.config.schema import Search
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import sweep_directory
from recipes.searching.proposing import Proposer
from recipes.searching.space import describe_values, overrides_of, space_of, split_overrides, within
from recipes.searching.store import ENDED, Store, explaining, lock_of
from recipes.searching.trial import outcome_of
from recipes.system.console import say_field
from recipes.system.files import write_text
from tasks.errors import InputError

NOT_THE_SEARCH = ("search.trials", "search.keep_models", "search.confirm")
"Keys that may change when a search is gone on with."


@dataclass(frozen=True)
class Plan:
    """A search that is under way."""

    search: Search
    store: Store
    proposer: Proposer
    total: int
    base: tuple[str, ...]
    "The overrides of every trial."
    home: str
    "What tells trials of this folder from those of other machines on the same study."


def plan_search(sweep: Sweep) -> Plan:
    """Return what a command's search is going to do, and open its store.

    Raises:
        InputError: the space or the storage can't be used, or the study was begun with another search.
    """
    search = parse_search(sweep.tree)
    words = [word for word in sweep.line.overrides if not key_of(word).startswith("hydra")]
    single, swept = split_overrides(words)
    texts = swept or dict(search.space) or _usual_space(str(sweep.tree.task.name))
    if not swept:  # a value on the command line counts more than values to try in a file
        typed = {key_of(word) for word in single}
        texts = {key: text for key, text in texts.items() if key not in typed}
    _require_possible(sweep, single, texts)
    _require_evaluations(sweep, search)
    space = space_of(texts)
    first = _first_values(sweep, space) if search.warm_start else {}
    proposer = Proposer(search.sampler, search.seed, space, first, search.parallel)
    total = int(min(search.trials, proposer.size()))
    _require_readable(space, [*sweep.line.hydra_overrides, *single])
    defining = [word for word in words if not key_of(word).startswith(NOT_THE_SEARCH)]
    store = Store.open(search, sweep_directory(sweep.output_root, defining))
    facts = {
        "runs": sorted(word for word in single if not is_about_many(word)),
        "space": texts,
        **{key: getattr(search, key) for key in ("sampler", "pruner", "seed", "warm_start")},
    }
    with explaining(search.storage), lock_of(store.folder):
        _require_same(store, facts)
        home = store.folder / "home"
        if not home.is_file():
            write_text(home, uuid.uuid4().hex)
    return Plan(search, store, proposer, total, tuple(single), home.read_text(encoding="utf-8"))


def say_plan(plan: Plan) -> None:
    """Say what is tried, by whom it is chosen, and how far the search has come."""
    trials = plan.store.trials()
    left = sum(trial.state not in ENDED for trial in trials)
    pruner = "" if plan.search.pruner == "none" else f", ended early by {plan.search.pruner}"
    say_field("search", f"{plan.total} trials, chosen by {plan.search.sampler}{pruner}; {plan.store.folder}")
    if plan.total < plan.search.trials:
        say_field("", f"there are no more than {plan.total} different ones (search.trials={plan.search.trials})")
    for key, distribution in plan.proposer.space.items():
        say_field("", f"{key}: {describe_values(distribution)}")
    if trials:
        say_field("", f"goes on: {len(trials) - left} ended before" + (f", {left} not yet" if left else ""))


def _usual_space(task: str) -> dict[str, str]:
    tree = OmegaConf.load(CONF / "search" / "space" / f"{task}.yaml")
    return {str(key): str(value) for key, value in tree.items()}


def _first_values(sweep: Sweep, space: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that the config has without the search; none, if the space does not have them all."""
    found = {}
    for key, distribution in space.items():
        if "." not in key and key != "seed":
            value: Any = sweep.tree.hydra.runtime.choices.get(key)
        else:
            value = OmegaConf.select(sweep.tree, key)
        found[key] = within(value, distribution)
    return {} if any(value is None for value in found.values()) else found


def _require_possible(sweep: Sweep, single: Sequence[str], texts: Mapping[str, str]) -> None:
    """Refuse what contradicts itself: a key with a value and with values to try, or words that no search has."""
    typed = {key_of(word): word for word in single}
    if "search.trial" in typed:
        raise InputError(f"{typed['search.trial']}: the search numbers its trials itself. Did you mean search.trials?")
    if not texts:
        raise InputError(
            "Nothing is left to try: give several values of a key, such as hparams.learning_rate=5e-5,2e-4"
        )
    twice = [word for key, word in typed.items() if key in texts]
    if twice:
        key = key_of(twice[0])
        raise InputError(f"{twice[0]} and {key}={texts[key]}: one value or several to try, not both")
    if sweep.tree.overwrite:
        raise InputError(
            "overwrite=true: a search goes on with what it has begun. To begin anew, take another output_root, or "
            "remove what it has left"
        )


def _require_evaluations(sweep: Sweep, search: Search) -> None:
    """Refuse a pruner where it would be told nothing.

    Raises:
        InputError: trials are not evaluated before they end.
    """
    hparams = sweep.tree.hparams
    why = "hparams.keep=last" if hparams.keep == "last" else "hparams=small_data" if hparams.choose_by_folds else None
    if search.pruner != "none" and why is not None:
        raise InputError(
            f"search.pruner={search.pruner}: it ends trials by their evaluations during training, of which {why} has "
            "none. Leave one of them out"
        )


def _require_readable(space: Mapping[str, BaseDistribution], base: Sequence[str]) -> None:
    """Refuse values that no run could have, such as words where numbers belong, before hours are spent on others.

    Raises:
        InputError: the message names all such values.
    """
    words = [word for word in base if not is_about_many(word)]
    errors = []
    for key, distribution in space.items():
        for value in _ends(distribution):
            (override,) = overrides_of({key: value})
            try:
                parse(composing.without_hydra(composing.compose_tree([*words, override])))
            except InputError as error:
                errors.append(f"{override}: {' '.join(str(error).split())}")
            except Exception as error:
                message = explain(error)
                if message is None:
                    raise
                errors.append(f"{override}: {message}")
    if errors:
        raise InputError("\n".join(["Values to try that no run can have:", *(f"  {error}" for error in errors)]))


def _ends(distribution: BaseDistribution) -> Iterator[Any]:
    if isinstance(distribution, CategoricalDistribution):
        yield from distribution.choices
    else:
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        yield from {distribution.low, distribution.high}


def _require_same(store: Store, facts: Mapping[str, Any]) -> None:
    """Refuse a study that was begun with another search, and data that have changed since its first trial."""
    there = store.facts()
    if not there and not store.trials():
        store.set_facts(facts)
        return
    lines = [f"  {key}: {there.get(key)} there, {value} now" for key, value in facts.items() if there.get(key) != value]
    if lines:
        raise InputError(
            "\n".join(
                [
                    f"The study {store.name} was begun with another search:",
                    *lines,
                    "To keep both: search.name=OTHER_NAME",
                ]
            )
        )
    for outcome in filter(None, map(outcome_of, store.trials())):
        directory = RunDirectory(Path(outcome.directory))
        report = directory.finished_report()
        if report is not None:
            directory.require_same_files(report)
            return
