"""As many training rows of each label: `data.balance` leaves out common labels' rows, or repeats those of rare ones."""

import random
from collections.abc import Hashable, Sequence
from typing import Any

from tasks.errors import InputError
from tasks.task import AnyTask

NAMED = 5
"Labels that a sentence names."


def require_balanceable(task: AnyTask, how: str | None) -> None:
    """Refuse to balance labels where a row has none, or several.

    Args:
        task: with its `auto` options resolved.
        how: `data.balance`.

    Raises:
        InputError: the labels can't be balanced; the message says what else can be done.
    """
    why = task.why_unbalanced()
    if how is not None and why is not None:
        raise InputError(f"data.balance={how}: {why}")


def balance(task: AnyTask, rows: Sequence[Any], labels: Sequence[str], how: str, seed: int) -> tuple[list[Any], str]:
    """Return training rows of which each label has as many as the rarest or the commonest, and a sentence on them.

    A row that is repeated as often as others of its label, and perhaps once more by chance, stands beside its
    repetitions; the order is that of the rows.

    Args:
        task: tells the label of a row; one for which rows can be balanced.
        rows: the training rows, after everything that shares rows among splits.
        labels: those that the model has, of which the rows may lack some.
        how: `undersample` or `oversample`.
        seed: decides which rows are left out, or repeated once more than others.
    """
    places: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(task.stratum(row), []).append(place)
    counts = {str(label): len(of_label) for label, of_label in places.items()}
    missing = [label for label in labels if label not in counts]
    wanted = min(counts.values()) if how == "undersample" else max(counts.values())
    generator = random.Random(seed)  # noqa: S311
    times = [0] * len(rows)
    for of_label in places.values():
        every, once_more = divmod(wanted, len(of_label))
        for place in of_label:
            times[place] = every
        for place in generator.sample(of_label, once_more):
            times[place] += 1
    balanced = [row for row, count in zip(rows, times, strict=True) for _ in range(count)]
    told = _told(counts, how, wanted, len(balanced) - len(rows))
    if missing:
        told += f"; no training row has {', '.join(missing[:NAMED])}{', ...' if len(missing) > NAMED else ''}"
    return balanced, f"data.balance={how}: {told}"


def _told(counts: dict[str, int], how: str, wanted: int, more: int) -> str:
    """Return how many rows each label had and has, and how many that are more or less in all."""
    if not more:
        return f"nothing to do, each label of the training rows has {wanted:,}"
    what = f"{more:,} repetition{'s' if more > 1 else ''}" if more > 0 else f"{-more:,} left out"
    told = f"labels {_listed(counts)} became {wanted:,} each; {what}"
    if how == "undersample" and wanted == 1:
        rarest = min(counts, key=lambda name: counts[name])
        told += (
            f". {rarest!r} has a single row, which leaves hardly any to learn from: data.balance=oversample and "
            "hparams.class_weights=balanced keep all rows"
        )
    return told


def _listed(counts: dict[str, int]) -> str:
    """Return names of labels with their counts, the commonest first; of many, some of these and the rarest."""
    names = sorted(counts, key=lambda name: -counts[name])
    shown = [f"{name} {counts[name]:,}" for name in names]
    if len(shown) > NAMED:
        shown = [*shown[: NAMED - 2], f"{len(shown) - NAMED + 1:,} more", shown[-1]]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
