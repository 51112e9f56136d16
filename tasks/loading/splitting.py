"""Sharing of rows among splits and folds, and which of them are left out or taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from tasks.data.options import DataOptions, Split
from tasks.data.splits import Key, cut, folds, limit, nested
from tasks.errors import InputError
from tasks.loading.deduplication import deduplicate
from tasks.task import AnyTask, Row


class SplitKeys(TypedDict):
    """The keys by which rows are shared among splits and folds, as the functions of `tasks.data.splits` take them."""

    stratum: Key[Any] | None
    group: Key[Any] | None
    identity: Key[Any]


@dataclass(frozen=True)
class Shared:
    """The rows of all splits."""

    splits: dict[Split, list[Any]]
    left_out: list[Any]
    "Training rows that `data.deduplicate` leaves out."


def share_out(
    task: AnyTask, given: dict[Split, list[Any]], options: DataOptions, seed: int, notes: list[str]
) -> Shared:
    """Cut missing splits off the training rows, leave duplicates out of these, and take as many rows as are wanted.

    Args:
        task: tells what belongs together.
        given: the rows that were read.
        options: say what is cut off, left out and taken.
        seed: of the run. `data.split_seed` takes its place for what is cut off.
        notes: takes a sentence on each step.

    Raises:
        InputError: the rows can't be shared among so many parts, or all training rows are left out.
    """
    split_seed = split_seed_of(options, seed)
    if options.folds is not None:
        given = _with_fold(task, given, options, split_seed, notes)
    splits = _complete(task, given, options, split_seed, notes)
    left_out: list[Any] = []
    if options.deduplicate is not None:
        found = deduplicate(task, splits, options.deduplicate)
        splits["train"], left_out = found.kept, found.left_out
        notes.append(found.note)
    seeds: dict[Split, int] = {"train": seed, "validation": split_seed, "test": split_seed}
    return Shared(
        {split: _limited(task, split, rows, options, seeds[split]) for split, rows in splits.items()}, left_out
    )


def split_seed_of(options: DataOptions, seed: int) -> int:
    """Return the seed by which rows are cut off: the run's, unless it has one of its own."""
    return seed if options.split_seed is None else options.split_seed


def _complete(
    task: AnyTask, given: dict[Split, list[Row]], options: DataOptions, seed: int, notes: list[str]
) -> dict[Split, list[Row]]:
    """Cut the missing splits off the training rows, first test, then validation. Each is a share of all given rows."""
    rest = given["train"]
    total = len(rest)
    splits: dict[Split, list[Row]] = {"validation": given.get("validation", []), "test": given.get("test", [])}
    fractions: dict[Split, float] = {"test": options.test_fraction, "validation": options.validation_fraction}
    for split, fraction in fractions.items():
        if split in given or fraction == 0:
            continue
        keys = split_keys(task, rest)
        rest, splits[split] = cut(rest, fraction * total / len(rest), seed, **keys)
        notes.append(f"{split}: {len(splits[split])} rows cut off the training rows with the seed{_how(task, keys)}")
    return {"train": rest, **splits}


def _with_fold(
    task: AnyTask, given: dict[Split, list[Row]], options: DataOptions, seed: int, notes: list[str]
) -> dict[Split, list[Row]]:
    """Return the given rows with one part of those of training as the test split.

    Raises:
        InputError: the rows can't be shared among so many parts.
    """
    assert options.folds is not None
    assert options.fold is not None
    rows = given["train"]
    keys = split_keys(task, rows)
    parts = folds(rows, options.folds, seed, **keys)
    if len(parts) < options.folds:
        raise InputError(
            f"data.folds={options.folds}: the {len(rows)} training rows can't be shared among more than {len(parts)} "
            f"parts, as rows with the same content{f' and those of one {task.unit}' if keys['group'] else ''} stay "
            "together"
        )
    held = set(parts[options.fold - 1])
    notes.append(
        f"test: {len(held)} rows, fold {options.fold} of {options.folds} of the training rows{_how(task, keys)}"
    )
    if "test" in given:
        notes.append(f"the {len(given['test'])} test rows that are given take no part in a cross-validation")
    return {
        **given,
        "train": [row for place, row in enumerate(rows) if place not in held],
        "test": [row for place, row in enumerate(rows) if place in held],
    }


def _how(task: AnyTask, keys: SplitKeys) -> str:
    return ", stratified by label" if keys["stratum"] else f", by {task.unit}" if keys["group"] else ""


def _limited(task: AnyTask, split: Split, rows: list[Row], options: DataOptions, seed: int) -> list[Row]:
    most = getattr(options.limit, split)
    if split == "train" and options.limit.nested:
        return nested(rows, most, seed, **split_keys(task, rows))
    return limit(rows, most, seed)


def split_keys(task: AnyTask, rows: Sequence[Row]) -> SplitKeys:
    """Return what decides how rows are shared among splits and folds: labels, groups and duplicates."""
    stratified = any(task.stratum(row) is not None for row in rows[:1])
    grouped = any(task.group(row) is not None for row in rows)
    return {
        "stratum": task.stratum if stratified else None,
        "group": task.group if grouped else None,
        "identity": task.identity,
    }
