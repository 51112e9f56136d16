"""Checks of labels: how many rows have each, in which splits, and what gives them away."""

import random
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import regex

from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.checks.names import bare
from tasks.data.options import Split
from tasks.data.records import Origin

RARE = 5
"Training rows below which a label is rare."
EXPECTED = 3
"Rows that a split must be expected to have of a label, so that none at all is worth telling."
IMBALANCE = 0.9
CONTRADICTORY = 0.05
"Share of rows in conflict from which on no score on them can be trusted."
TOGETHER = 10
"Rows that must have both of two labels, so that none with only one of them is worth telling."
FAR = 10
"How many times the distance between the quartiles makes a number an outlier."
TELLING_ROWS = 20
"Rows that a label must have, so that a word in nearly all of them is no chance."
TELLING_SHARE = 0.8
"Share of a label's rows that hold the word,"
TELLING_PRECISION = 0.98
"share of the rows with the word that have the label,"
TELLING_LIFT = 2
"and how many times more often they have it than all rows do."
TELLING_AT_MOST = 20_000
"Rows that are looked at for such words, drawn at random."
COPIED = 0.5
"Share of the texts that must hold the name of their label,"
COPIED_OTHERS = 0.1
"and share of those that may hold one of another."
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row with its labels: one, several or none."""

    key: Hashable
    "Equal for rows with equal content."
    text: str
    labels: tuple[str, ...]
    origin: Origin


def count_checks(counts: Mapping[Split, Mapping[str, int]], what: str, stops: bool) -> Iterator[Finding]:
    """Yield findings about how often labels occur.

    Args:
        counts: how many rows, or entities, of each split have each label.
        what: what is counted, such as `rows`.
        stops: whether a run stops at labels that no training row has.
    """
    train = counts["train"]
    rare = {name: count for name, count in train.items() if count < RARE}
    if rare:
        message = f"{len(rare)} of {len(train)} labels have fewer than {RARE} training {what}: {_listed(rare)}"
        yield finding("rare_labels", "warning", message, len(rare), len(train))
    total = sum(train.values())
    largest = max(train, key=lambda name: train[name], default=None)
    if largest is not None and len(train) > 1 and train[largest] >= IMBALANCE * total:
        share = percent(train[largest], total)
        message = f"{train[largest]:,} of {total:,} training {what} ({share}) have the label {largest!r}"
        yield finding("imbalance", "note", message, train[largest], total)
    yield from _alike({name for of_split in counts.values() for name in of_split})
    for split, of_split in counts.items():
        if split != "train" and of_split:
            yield from _other_labels(train, split, of_split, what, stops)


def _other_labels(
    train: Mapping[str, int], split: Split, counts: Mapping[str, int], what: str, stops: bool
) -> Iterator[Finding]:
    """Yield findings about labels that only one of two splits has."""
    unknown = {name: count for name, count in counts.items() if count and name not in train}
    if unknown:
        many, total = sum(unknown.values()), sum(counts.values())
        message = (
            f"{many:,} of {total:,} {split} {what} ({percent(many, total)}) have labels that training lacks: "
            f"{_listed(unknown)}"
        )
        yield finding("unknown_labels", "error" if stops else "warning", message, many, total)
    share = sum(counts.values()) / max(sum(train.values()), 1)
    missing = {name: count for name, count in train.items() if not counts.get(name) and count * share >= EXPECTED}
    if missing:
        message = (
            f"{len(missing)} of {len(train)} labels are missing in {split}, and at least {EXPECTED} {what} of each "
            f"were to be expected: {', '.join(list(missing)[:5])}"
        )
        yield finding("missing_labels", "warning", message, len(missing), len(train))


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda pair: (pair[1], pair[0]))[:5]]
    return ", ".join(shown) + (", ..." if len(counts) > 5 else "")


def _alike(names: set[str]) -> Iterator[Finding]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(bare(name), []).append(name)
    alike = [group for group in groups.values() if len(group) > 1]
    if alike:
        count = sum(map(len, alike))
        shown = "; ".join(" / ".join(map(repr, group)) for group in alike[:5])
        message = (
            f"{count} of {len(names)} labels look like others but for case, blanks, hyphens or hidden signs: {shown}"
        )
        yield finding("labels_alike", "warning", message, count, len(names))


def conflict_checks(rows: Sequence[Labelled]) -> Iterator[Finding]:
    """Yield a finding if rows with equal content have different labels."""
    found: dict[Hashable, list[Labelled]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    several = [group for group in found.values() if len({frozenset(row.labels) for row in group}) > 1]
    if several:
        count = sum(map(len, several))
        message = (
            f"{count:,} of {len(rows):,} rows ({percent(count, len(rows))}) have the text of another row, but not its "
            f"label ({len(several):,} different texts)"
        )
        shown = ((f"{group[0].text[:80]!r}: {_labels_of(group)}", group[0].origin) for group in several)
        grade: Grade = "error" if count >= CONTRADICTORY * len(rows) else "warning"
        yield finding("conflicting_labels", grade, message, count, len(rows), shown)


def _labels_of(group: Sequence[Labelled]) -> str:
    first = {" + ".join(row.labels) or "none": row for row in reversed(group)}
    counts = Counter(" + ".join(row.labels) or "none" for row in group)
    return ", ".join(
        f"{name} ({first[name].origin.unit} {first[name].origin.number}{f' and {count - 1} more' if count > 1 else ''})"
        for name, count in counts.most_common(4)
    )


def several_label_checks(train: Sequence[Labelled]) -> Iterator[Finding]:
    """Yield findings about rows that may have several labels."""
    without = [row for row in train if not row.labels]
    if without:
        share = percent(len(without), len(train))
        message = f"{len(without):,} of {len(train):,} training rows ({share}) have none of the labels"
        grade: Grade = "warning" if 2 * len(without) > len(train) else "note"
        shown = ((repr(row.text[:80]), row.origin) for row in without)
        yield finding("unlabelled_rows", grade, message, len(without), len(train), shown)
    rows_of: dict[str, set[int]] = {}
    for place, row in enumerate(train):
        for name in row.labels:
            rows_of.setdefault(name, set()).add(place)
    same: dict[frozenset[int], list[str]] = {}
    for name, places in sorted(rows_of.items()):
        if len(places) >= TOGETHER:
            same.setdefault(frozenset(places), []).append(name)
    together = {tuple(names): len(places) for places, names in same.items() if len(names) > 1}
    if together:
        named = "; ".join(f"{' and '.join(names)} in {count:,} rows" for names, count in list(together.items())[:3])
        count = sum(map(len, together))
        message = f"{count} of {len(rows_of)} labels never stand without another one: {named}"
        yield finding("labels_together", "warning", message, count, len(rows_of))


def number_checks(train: Sequence[tuple[float, Origin]]) -> Iterator[Finding]:
    """Yield findings about numbers that are to be predicted."""
    numbers = [number for number, _ in train]
    if len(numbers) > 1 and len(set(numbers)) == 1:
        message = f"All {len(numbers):,} training rows have the number {numbers[0]:g}"
        yield finding("constant_number", "error", message, len(numbers), len(numbers))
    if len(numbers) < TELLING_ROWS:
        return
    low, _, high = quantiles(numbers, n=4)
    if low == high:  # most numbers are the same
        low, *_, high = quantiles(numbers, n=20)
    middle, reach = median(numbers), FAR * (high - low)
    far = sorted((pair for pair in train if abs(pair[0] - middle) > reach > 0), key=lambda pair: -abs(pair[0] - middle))
    if far:
        message = (
            f"{len(far):,} of {len(numbers):,} training rows ({percent(len(far), len(numbers))}) have numbers far from "
            f"most others, {low:g} to {high:g}"
        )
        shown = ((f"{number:g}", origin) for number, origin in far)
        yield finding("outliers", "warning", message, len(far), len(numbers), shown)


def number_conflict_checks(rows: Sequence[tuple[Hashable, str, float, Origin]]) -> Iterator[Finding]:
    """Yield a finding if rows with equal content have numbers farther apart than the quartiles of all numbers are.

    Args:
        rows: the content, as something that is equal for equal rows and as a text, the number and the place of each.
    """
    if len(rows) < TELLING_ROWS:
        return
    found: dict[Hashable, list[tuple[str, float, Origin]]] = {}
    for key, text, number, origin in rows:
        found.setdefault(key, []).append((text, number, origin))
    low, _, high = quantiles([number for _, _, number, _ in rows], n=4)
    several = [
        group
        for group in found.values()
        if len(group) > 1 and max(one[1] for one in group) - min(one[1] for one in group) > high - low
    ]
    if several:
        count = sum(map(len, several))
        message = (
            f"{count:,} of {len(rows):,} rows ({percent(count, len(rows))}) have the text of another row, but a number "
            f"far from its ({len(several):,} different texts)"
        )
        shown = (
            (f"{group[0][0][:80]!r}: {', '.join(f'{one[1]:g}' for one in group[:4])}", group[0][2]) for group in several
        )
        grade: Grade = "error" if count >= CONTRADICTORY * len(rows) else "warning"
        yield finding("conflicting_labels", grade, message, count, len(rows), shown)


def leak_checks(train: Sequence[Labelled]) -> Iterator[Finding]:
    """Yield findings about words that tell the label by themselves, and texts that hold the names of their labels."""
    rows = list({row.key: row for row in train}.values())
    if len(rows) > TELLING_AT_MOST:
        rows = random.Random(0).sample(rows, TELLING_AT_MOST)  # noqa: S311
    words = [set(WORD.findall(row.text.casefold())) for row in rows]
    copied = list(_copied(rows, words))
    yield from copied
    if not copied:
        yield from _telling(rows, words)


def _telling(rows: Sequence[Labelled], words: Sequence[set[str]]) -> Iterator[Finding]:
    """Yield a finding on words that nearly all rows of a label hold, and hardly any others."""
    labels = Counter(name for row in rows for name in row.labels)
    holding, together = Counter[str](), Counter[tuple[str, str]]()
    for row, of_row in zip(rows, words, strict=True):
        holding.update(of_row)
        together.update((word, name) for name in row.labels for word in of_row)
    telling = [
        (name, word, count)
        for (word, name), count in together.items()
        if labels[name] >= TELLING_ROWS
        and count >= TELLING_SHARE * labels[name]
        and count >= TELLING_PRECISION * holding[word]
        and count * len(rows) >= TELLING_LIFT * labels[name] * holding[word]
    ]
    if telling:
        telling.sort(key=lambda one: (-one[2], one[0], one[1]))
        named = "; ".join(
            f"{word!r} is in {count:,} of {labels[name]:,} rows of {name!r}, and in {holding[word] - count:,} others"
            for name, word, count in telling[:3]
        )
        told = {name for name, _, _ in telling}
        count = sum(row.labels[:1] != () and row.labels[0] in told for row in rows)
        name, word, _ = telling[0]
        places = zip(rows, words, strict=True)
        example = next((row for row, of_row in places if name in row.labels and word in of_row), None)
        shown = [] if example is None else [(repr(example.text[:100]), example.origin)]
        yield finding("leaking_words", "warning", f"A single word tells the label: {named}", count, len(rows), shown)


def _copied(rows: Sequence[Labelled], words: Sequence[set[str]]) -> Iterator[Finding]:
    """Yield a finding if many texts hold the name of their own label, and few that of another one."""
    names = {name: set(WORD.findall(name.casefold())) for row in rows for name in row.labels}
    spoken = {name: of_name for name, of_name in names.items() if any(len(word) > 2 for word in of_name)}
    if len(spoken) < 2 or len(rows) < TELLING_ROWS:
        return
    own, other = list[Labelled](), 0
    for row, of_row in zip(rows, words, strict=True):
        if any(name in spoken and spoken[name] <= of_row for name in row.labels):
            own.append(row)
        other += any(of_name <= of_row for name, of_name in spoken.items() if name not in row.labels)
    if len(own) >= COPIED * len(rows) and other <= COPIED_OTHERS * len(rows):
        message = (
            f"{len(own):,} of {len(rows):,} different training texts ({percent(len(own), len(rows))}) hold the name of "
            "their own label"
        )
        shown = ((f"{row.labels[0]}: {row.text[:80]!r}", row.origin) for row in own)
        yield finding("label_in_text", "warning", message, len(own), len(rows), shown)
