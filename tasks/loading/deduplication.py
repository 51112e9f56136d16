"""Training rows that are there twice, or stand in other splits, too: which of them `data.deduplicate` leaves out.

Rows of other splits all stay, so that scores with and without it are scores on the same rows.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from tasks.checks.duplicates import COMPARED, are_near, near_places
from tasks.data.options import HELD_OUT, Split
from tasks.errors import InputError
from tasks.task import AnyTask, RowType

REASONS: Mapping[str, tuple[str, str]] = {
    "repeats": ("repeats an earlier one", "repeat an earlier one"),
    "validation": ("stands in validation", "stand in validation"),
    "test": ("stands in test", "stand in test"),
    "nearly repeats": ("nearly repeats an earlier one", "nearly repeat an earlier one"),
    "nearly validation": ("is nearly a row of validation", "are nearly rows of validation"),
    "nearly test": ("is nearly a row of test", "are nearly rows of test"),
}
"Why rows are left out, as it is said of one and of several, in the order in which it is said."
NAMED = 5
"Labels that a sentence names."

Parts: TypeAlias = tuple[str, ...]
"The texts of a row, each of which must be like that of another row."


@dataclass(frozen=True)
class Deduplicated(Generic[RowType]):
    """The training rows, shared among those that stay and those that are left out, and a sentence that counts them."""

    kept: list[RowType]
    left_out: list[RowType]
    note: str


@dataclass
class _Found:
    """What is known of the training rows, by their places."""

    reasons: dict[int, str] = field(default_factory=dict)
    "Why each of those is left out that are: keys of `REASONS`."
    contradictory: set[int] = field(default_factory=set)
    "Those that stay, as an earlier one of the same content has other gold."
    nearly_contradictory: set[int] = field(default_factory=set)


def deduplicate(task: AnyTask, splits: Mapping[Split, Sequence[Any]], how: str) -> Deduplicated[Any]:
    """Leave out training rows with the content and the gold of an earlier one, and those whose content is held out.

    Args:
        task: tells what is equal in rows.
        splits: the rows of all splits; what stands in `validation` and `test` is held out.
        how: `exact`, or `near`, for which rows count as well that are nearly so.

    Raises:
        InputError: all training rows are held out.
    """
    train = splits["train"]
    held = [(split, row) for split in HELD_OUT for row in splits[split]]
    found = _Found()
    _find_equal(task, train, held, found)
    if how == "near":
        _find_near(task, train, held, found)
    kept = [row for place, row in enumerate(train) if place not in found.reasons]
    if not kept:
        nearly = any(reason.startswith("nearly") for reason in found.reasons.values())
        way_out = "To leave out equal ones alone: data.deduplicate=exact" if nearly else "Are these the right files?"
        raise InputError(f"data.deduplicate={how}: no training row is left: {_told_reasons(found)}. {way_out}")
    note = "; ".join(_sentences(task, train, kept, found))
    return Deduplicated(kept, [train[place] for place in sorted(found.reasons)], f"data.deduplicate={how}: {note}")


def _find_equal(task: AnyTask, train: Sequence[Any], held: Sequence[tuple[Split, Any]], found: _Found) -> None:
    held_in: dict[Hashable, str] = {}
    for split, row in held:
        held_in.setdefault(task.identity(row), split)
    known: dict[Hashable, set[Hashable]] = defaultdict(set)
    for place, row in enumerate(train):
        content, gold = task.identity(row), task.same_gold(row)
        golds = known[content]
        if content in held_in:
            found.reasons[place] = held_in[content]
        elif gold in golds:
            found.reasons[place] = "repeats"
        elif golds:
            found.contradictory.add(place)
        golds.add(gold)


def _find_near(task: AnyTask, train: Sequence[Any], held: Sequence[tuple[Split, Any]], found: _Found) -> None:
    """Find training rows that are nearly like another row, among those that are left.

    Only rows are compared each of whose texts is nearly like the same text as that of the other row. Gold tells
    duplicates from rows that are alike for a reason; a row that is held out is known already, whatever its gold.
    """
    places = [place for place in range(len(train)) if place not in found.reasons]
    # Those that are held out come first: what is like them is left out, and is nothing to compare others with.
    parts = [task.parts(row) for _, row in held] + [task.parts(train[place]) for place in places]
    keys = list(zip(*map(_numbered_by_likeness, zip(*parts, strict=True)), strict=True))
    held_alike: dict[Hashable, list[tuple[Parts, str]]] = defaultdict(list)
    for key, texts, (split, _) in zip(keys, parts, held, strict=False):
        held_alike[key].append((texts, split))
    kept_alike: dict[Hashable, list[tuple[Parts, Hashable]]] = defaultdict(list)
    for place, key, texts in zip(places, keys[len(held) :], parts[len(held) :], strict=True):
        gold = task.similar_gold(train[place])
        held_in = next(_of_near(texts, held_alike[key]), None)
        golds = set(_of_near(texts, kept_alike[key]))
        if held_in is not None:
            found.reasons[place] = f"nearly {held_in}"
        elif gold in golds and place not in found.contradictory:
            found.reasons[place] = "nearly repeats"
        else:
            if golds - {gold}:
                found.nearly_contradictory.add(place)
            kept_alike[key].append((texts, gold))


def _numbered_by_likeness(texts: Sequence[str]) -> list[int]:
    """Return a number for each text, the same for texts that are nearly like the same one."""
    different = list(dict.fromkeys(texts))
    numbers = list(range(len(different)))
    for place, other in near_places(different):
        numbers[place] = numbers[other]
    number_of = dict(zip(different, numbers, strict=True))
    return [number_of[text] for text in texts]


def _of_near(texts: Parts, others: Sequence[tuple[Parts, Any]]) -> Iterator[Any]:
    """Yield what is known of the other rows that are nearly the same."""
    for parts, known in others[:COMPARED]:
        if all(are_near(text, other) for text, other in zip(texts, parts, strict=True)):
            yield known


def _sentences(task: AnyTask, train: Sequence[Any], kept: Sequence[Any], found: _Found) -> Iterator[str]:
    """Yield how many rows are left out and why, and what follows from it."""
    if found.reasons:
        yield f"{len(found.reasons):,} of {len(train):,} training rows left out: {_told_reasons(found)}"
    else:
        yield f"none of {len(train):,} training rows is left out"
    equal = found.contradictory - found.reasons.keys()
    if equal and not task.tells_contradictions:
        yield f"{len(equal):,} with the content of an earlier one, but not its gold, {_stay(equal)}"
    near = found.nearly_contradictory - equal
    if near:
        yield f"{len(near):,} nearly like an earlier one, but not in gold, {_stay(near)}"
    left = task.label_counts(kept)
    lost = [name for name in task.label_counts(train) if name not in left]
    if lost:
        yield f"no training row is left of {', '.join(lost[:NAMED])}{', ...' if len(lost) > NAMED else ''}"


def _stay(places: set[int]) -> str:
    return "stays" if len(places) == 1 else "stay"


def _told_reasons(found: _Found) -> str:
    """Return how many rows are left out for which reason, such as `380 repeat an earlier one, 23 stand in test`."""
    counts = Counter(found.reasons.values())
    return ", ".join(f"{counts[why]:,} {words[counts[why] > 1]}" for why, words in REASONS.items() if counts[why])
