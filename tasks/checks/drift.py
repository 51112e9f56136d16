"""Checks of whether other splits are like training: their lengths, their labels, their words."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import regex

from tasks.checks.finding import Finding, finding
from tasks.data.options import Split

FEWEST = 50
"Rows that a split must have for its shares of labels and words to say something."
FEWEST_LENGTHS = 20
"Texts that it must have for their lengths to do so."
CERTAIN = 0.001
"p-value above which a difference may be chance,"
LENGTH_DISTANCE = 0.2
"distance of the distributions of lengths (Kolmogorov and Smirnov) from which on it is worth telling,"
USUAL_DISTANCE = 0.2
"share of the usual length by which that of another split must differ,"
LABEL_DISTANCE = 0.1
"and half of the sum of the differences between shares of labels."
MORE_UNSEEN = 0.1
"Share of words by which another split may have more that are unseen than a part of training has."
WORDS_AT_MOST = 20_000
"Texts of a split whose words are looked at."
WORD = regex.compile(r"[\p{L}\p{M}]+")


def length_drift(lengths: Mapping[Split, Sequence[int]]) -> Iterator[Finding]:
    """Yield a finding for each split whose texts have other lengths, counted in words, than those of training."""
    train = lengths["train"]
    for split, others in lengths.items():
        if split == "train" or min(len(train), len(others)) < FEWEST_LENGTHS:
            continue
        own, usual = median(others), median(train)
        if abs(own - usual) < USUAL_DISTANCE * usual:
            continue
        distance = _certain_distance(train, others)
        if distance >= LENGTH_DISTANCE:
            message = f"the usual length in {split} is {own:,.0f} words, and {usual:,.0f} in training"
            yield finding("length_drift", "warning", message, round(distance * len(others)), len(others))


def number_drift(numbers: Mapping[Split, Sequence[float]]) -> Iterator[Finding]:
    """Yield a finding for each split whose numbers are distributed otherwise than those of training."""
    train = numbers["train"]
    for split, others in numbers.items():
        if split == "train" or min(len(train), len(others)) < FEWEST:
            continue
        distance = _certain_distance(train, others)
        if distance >= LENGTH_DISTANCE:
            message = f"the middle number in {split} is {median(others):g}, and {median(train):g} in training"
            yield finding("label_drift", "warning", message, round(distance * len(others)), len(others))


def label_drift(counts: Mapping[Split, Mapping[str, int]]) -> Iterator[Finding]:
    """Yield a finding for each split in which labels have other shares than in training."""
    train = counts["train"]
    for split, others in counts.items():
        names = [name for name in train if train[name] or others.get(name)]
        table = [[train[name] for name in names], [others.get(name, 0) for name in names]]
        if split == "train" or len(names) < 2 or min(map(sum, table)) < FEWEST:
            continue
        shares = [[count / sum(row) for count in row] for row in table]
        distances = {name: other - own for name, own, other in zip(names, *shares, strict=True)}
        distance = sum(map(abs, distances.values())) / 2
        if distance >= LABEL_DISTANCE and _is_certain(table):
            name = max(distances, key=lambda name: abs(distances[name]))
            own = shares[0][names.index(name)]
            message = f"{name!r} has a share of {own + distances[name]:.0%} in {split}, and of {own:.0%} in training"
            yield finding("label_drift", "warning", message, round(distance * sum(table[1])), sum(table[1]))


def vocabulary_drift(texts: Mapping[Split, Sequence[str]]) -> Iterator[Finding]:
    """Yield a finding for each split with more words that training lacks than a part of training of the same size.

    That part is drawn at random, and compared with the rest: what is unseen in it is what is to be expected.
    """
    some = {split: _some(of_split) for split, of_split in texts.items()}
    train = [_words(text) for text in some["train"]]
    for split, others in some.items():
        size = min(len(others), len(train) // 2)
        if split == "train" or size < FEWEST:
            continue
        parts = list(train)
        random.Random(0).shuffle(parts)  # noqa: S311
        usual, _ = _unseen(parts[size:], parts[:size])
        share, words = _unseen(parts[size:], list(map(_words, others)))
        if share >= usual + MORE_UNSEEN:
            named = ", ".join(word for word, _ in words.most_common(5))
            message = f"{share:.0%} of the words in {split} are new; {usual:.0%} were to be expected: {named}"
            yield finding("vocabulary_drift", "note", message, round(share * len(others)), len(others))


def _certain_distance(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the distance of two distributions by Kolmogorov and Smirnov, or 0 if it may be chance."""
    from scipy import stats  # takes half a second, which splits that look alike need not wait

    found = stats.ks_2samp(some, others)
    return float(found.statistic) if found.pvalue < CERTAIN else 0.0


def _is_certain(table: Sequence[Sequence[int]]) -> bool:
    from scipy import stats

    return bool(stats.chi2_contingency(table).pvalue < CERTAIN)


def _some(texts: Sequence[str]) -> Sequence[str]:
    return random.Random(0).sample(texts, WORDS_AT_MOST) if len(texts) > WORDS_AT_MOST else texts  # noqa: S311


def _words(text: str) -> list[str]:
    return list(WORD.findall(text.casefold()))


def _unseen(known: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> tuple[float, Counter[str]]:
    """Return the share of running words that are unknown, and these words with their counts."""
    vocabulary = {word for words in known for word in words}
    unseen = Counter(word for words in others for word in words if word not in vocabulary)
    return unseen.total() / max(sum(map(len, others)), 1), unseen
