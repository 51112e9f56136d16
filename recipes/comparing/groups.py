"""Runs that differ in their seed only, together, with a name that tells how they differ from other groups."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recipes.comparing.stored_runs import StoredRun


@dataclass(frozen=True)
class Group:
    """Runs with the same choices."""

    name: str
    runs: list[StoredRun]
    "One for each seed, by seed."

    @property
    def seeds(self) -> list[int]:
        """The seeds of its runs."""
        return [run.seed for run in self.runs]


def groups_of(runs: Sequence[StoredRun]) -> list[Group]:
    """Return the groups of runs, in the order in which they were named.

    Two runs with the same choices and the same seed are no two seeds: they are put into groups of their own, which bear
    the names of their folders.
    """
    alike: dict[str, list[StoredRun]] = defaultdict(list)
    for run in runs:
        alike[repr(sorted(run.choices.items()))].append(run)
    names = _names([of_choices[0].choices for of_choices in alike.values()])
    groups: list[Group] = []
    for name, of_choices in zip(names, alike.values(), strict=True):
        by_seed = sorted(of_choices, key=lambda run: run.seed)
        if len({run.seed for run in by_seed}) == len(by_seed):
            groups.append(Group(name, by_seed))
        else:
            groups += [Group(str(run.directory), [run]) for run in of_choices]
    return groups


def _names(choices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a name for each group: the keys that are not the same in all, and their values."""
    keys = [
        key
        for key in dict.fromkeys(key for one in choices for key in one)
        if len({repr(one.get(key)) for one in choices}) > 1
    ]
    short = [key.rsplit(".", 1)[-1] for key in keys]
    shown = [last if short.count(last) == 1 else key for key, last in zip(keys, short, strict=True)]
    names = [", ".join(f"{name}={one.get(key)}" for key, name in zip(keys, shown, strict=True)) for one in choices]
    return [name or "all runs" for name in names]
