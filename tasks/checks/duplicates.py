"""Checks for rows that are there more than once, word for word or nearly so, within a split and across splits."""

import zlib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.data.options import Split
from tasks.data.records import Origin
from tasks.words import WITHOUT_BLANKS

SAME = 0.75
"Share of common words and pairs of words (Jaccard) from which on two texts are nearly the same."
CANDIDATES_FROM = 0.6
"The same share for candidates, lower as MinHash only estimates it: all are then compared word by word."
FEWEST_WORDS = 6
"Texts of fewer different words are nearly the same only if they differ in nothing but case, digits and punctuation."
SHORTEST = 4
"Texts with fewer words made of letters than this, such as thanks or numbers, are the same by chance."
PERMUTATIONS = 64
"Of MinHash (Broder 1997): few, as they only find candidates."
AT_ONCE = 2000
"Texts whose hashes are computed together."
COMPARED = 20
"With how many candidates a text is compared at most: those of a large group are like each other."
MANY = 0.05
"Share of duplicates in training from which on they are worth a warning, and in other splits an error."

WORD = regex.compile(
    rf"(?V1)[{WITHOUT_BLANKS}]\p{{M}}*|[\p{{L}}--[{WITHOUT_BLANKS}]][\p{{L}}\p{{M}}--[{WITHOUT_BLANKS}]]*|\d"
)
"A word, a digit, or a character of a script that writes words without blanks between them."


@dataclass(frozen=True, slots=True)
class Item:
    """What is compared: a row, or a passage."""

    key: Hashable
    "Equal for exact duplicates."
    text: str
    split: Split
    origin: Origin


def equal_checks(items: Sequence[Item], what: str) -> Iterator[Finding]:
    """Yield findings about items that are there more than once, word for word.

    Args:
        items: those of all splits, training first.
        what: what they are, such as `rows`.
    """
    first: dict[Hashable, Item] = {}
    repeated = [(item, other) for item in items if (other := first.setdefault(item.key, item)) is not item]
    totals = Counter(item.split for item in items)
    yield from _within(repeated, totals, what, "duplicates", "are there already, word for word")
    yield from _across(repeated, totals, what, "shared_rows", "are {split} {what}, too")


def similar_checks(items: Sequence[Item], what: str) -> Iterator[Finding]:
    """Yield findings about items that are nearly, but not word for word, like another one.

    Args:
        items: those of all splits, training first.
        what: what they are, such as `rows`.
    """
    first: dict[Hashable, Item] = {}
    for item in items:
        first.setdefault(item.key, item)
    near = list(near_pairs(list(first.values())))
    totals = Counter(item.split for item in items)
    yield from _within(near, totals, what, "near_duplicates", "are nearly like one before them")
    yield from _across(near, totals, what, "nearly_shared_rows", "are nearly {split} {what}")


def near_pairs(items: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Yield each item that is nearly like one before it, with that one."""
    yield from ((items[place], items[other]) for place, other in near_places([item.text for item in items]))


def near_places(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the place of each text that is nearly like one before it, with the place of that one.

    Texts are nearly the same if they have the same words, apart from case, digits and punctuation, or if these words
    and their pairs are nearly the same ones.
    """
    from datasketch import MinHash, MinHashLSH  # takes half a second, which a run can do without

    known: dict[tuple[str, ...], int] = {}
    index = MinHashLSH(threshold=CANDIDATES_FROM, num_perm=PERMUTATIONS)
    features: dict[int, frozenset[str]] = {}
    for begin in range(0, len(texts), AT_ONCE):
        portion = list(enumerate(map(_words, texts[begin : begin + AT_ONCE]), begin))
        of_portion = {place: _features(words) for place, words in portion if len(set(words)) >= FEWEST_WORDS}
        encoded = ([one.encode() for one in of_text] for of_text in of_portion.values())
        hashes = dict(zip(of_portion, MinHash.bulk(encoded, num_perm=PERMUTATIONS, hashfunc=zlib.crc32), strict=True))
        for place, words in portion:
            other = known.setdefault(words, place) if _is_telling(words) else place
            if other != place:
                yield place, other
            elif place in hashes:
                candidates = sorted(index.query(hashes[place]))[:COMPARED]
                alike = [one for one in candidates if _jaccard(features[one], of_portion[place]) >= SAME]
                if alike:
                    yield place, alike[0]
                else:  # those that are like another one are found by that one
                    index.insert(place, hashes[place], check_duplication=False)
                    features[place] = of_portion[place]


def are_near(text: str, other: str) -> bool:
    """Tell whether two texts are the same or nearly so, as `near_places` has it."""
    if text == other:
        return True
    words, others = _words(text), _words(other)
    if words == others and _is_telling(words):
        return True
    if min(len(set(words)), len(set(others))) < FEWEST_WORDS:
        return False
    return _jaccard(_features(words), _features(others)) >= SAME


def _is_telling(words: Sequence[str]) -> bool:
    """Tell whether a text has so many words that it is not the same as another one by chance."""
    return sum(word != "0" for word in words) >= SHORTEST


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text, with every digit a 0."""
    return tuple("0" if word.isdigit() else word for word in WORD.findall(text.casefold()))


def _features(words: Sequence[str]) -> frozenset[str]:
    return frozenset(words) | {f"{one} {other}" for one, other in pairwise(words)}


def _jaccard(some: frozenset[str], others: frozenset[str]) -> float:
    common = len(some & others)
    return common / (len(some) + len(others) - common)


def _within(
    pairs: Sequence[tuple[Item, Item]], totals: Mapping[Split, int], what: str, kind: str, do: str
) -> Iterator[Finding]:
    found = [pair for pair in pairs if pair[0].split == "train"]
    if found:
        total = totals["train"]
        message = f"{len(found):,} of {total:,} training {what} ({percent(len(found), total)}) {do}"
        yield _finding(kind, "warning" if len(found) >= MANY * total else "note", message, found, total)


def _across(
    pairs: Sequence[tuple[Item, Item]], totals: Mapping[Split, int], what: str, kind: str, do: str
) -> Iterator[Finding]:
    couples: tuple[tuple[Split, Split], ...] = (("validation", "train"), ("test", "train"), ("test", "validation"))
    for split, first in couples:
        found = [pair for pair in pairs if pair[0].split == split and pair[1].split == first]
        if found:
            total = totals[split]
            is_grave = kind == "shared_rows" and first == "train" and len(found) >= MANY * total
            said = do.format(split="training" if first == "train" else first, what=what)
            message = f"{len(found):,} of {total:,} {split} {what} ({percent(len(found), total)}) {said}"
            yield _finding(kind, "error" if is_grave else "warning", message, found, total)


def _finding(kind: str, grade: Grade, message: str, pairs: Sequence[tuple[Item, Item]], of: int) -> Finding:
    shown = ((f"{item.text[:80]!r}, like {_place(other, item)}", item.origin) for item, other in pairs)
    return finding(kind, grade, message, len(pairs), of, shown)


def _place(other: Item, item: Item) -> str:
    if other.origin.file == item.origin.file:
        return f"{other.origin.unit} {other.origin.number}"
    return str(other.origin)
