"""Checks for duplicates, against a comparison of all pairs."""

import random
from collections.abc import Iterable

import pytest

from tasks.checks.duplicates import SAME, Item, _features, _jaccard, _words, equal_checks, near_pairs, similar_checks
from tasks.checks.finding import Finding
from tasks.data.options import Split
from tasks.data.records import Origin

TEXT = "river stone window winter market garden letter bridge copper candle forest harbour mirror paper silver"
WORDS = TEXT.split()


def items(texts: Iterable[str], split: Split = "train") -> list[Item]:
    return [Item(text, text, split, Origin(f"{split}.csv", number)) for number, text in enumerate(texts, 2)]


def by_kind(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {one.kind: one for one in findings}


def sentence(generator: random.Random, words: int = 12) -> str:
    return " ".join(generator.choices(WORDS, k=words))


def test_equal_rows_within_and_across_splits() -> None:
    train = items(["a", "b", "a", "a", *map(str, range(16))])
    test = items(["b", "c", "c"], "test")
    found = by_kind(equal_checks([*train, *test], "rows"))
    assert (found["duplicates"].count, found["duplicates"].of, found["duplicates"].grade) == (2, 20, "warning")
    assert found["duplicates"].examples[0].text == "'a', like line 2"
    assert found["duplicates"].examples[0].origin == Origin("train.csv", 4)
    assert (found["shared_rows"].count, found["shared_rows"].of, found["shared_rows"].grade) == (1, 3, "error")
    assert found["shared_rows"].examples[0].text == "'b', like train.csv, line 3"


@pytest.mark.parametrize(("shared", "grade"), [(4, "warning"), (5, "error")])
def test_a_twentieth_of_shared_rows_is_an_error(shared: int, grade: str) -> None:
    train, test = items(map(str, range(50))), items(map(str, range(50 - shared, 150 - shared)), "test")
    (found,) = equal_checks([*train, *test], "rows")
    assert (found.count, found.grade) == (shared, grade)


def test_different_rows_are_no_duplicates() -> None:
    generator = random.Random(1)  # noqa: S311
    different = items(sentence(generator) for _ in range(200))
    assert list(equal_checks(different, "rows")) == []
    assert list(similar_checks(different, "rows")) == []


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("The parcel came late", "the parcel  came LATE!", True),
        ("Call 0800 123 before Monday noon", "Call 0800 987 before Monday noon", True),
        ("Thank you!", "thank you", False),
        ("✈️☀️✂️☀️☎️", "☕️❤️☀️✂️☀️", False),
        ("我们昨天在北京的餐厅吃饭", "我们昨天在北京的餐厅里吃饭", True),
        ("我们昨天在北京的餐厅吃饭", "他明天要去上海开会见客户", False),
        ("the parcel came on Monday", "the parcel came on Friday", False),
        (" ".join(WORDS), " ".join([*WORDS[:-1], "golden"]), True),
        (" ".join(WORDS), " ".join(["golden", *WORDS[1:7], "wooden", *WORDS[8:]]), False),
        (" ".join(WORDS), " ".join(sorted(WORDS)), False),
    ],
)
def test_what_is_nearly_the_same(one: str, other: str, near: bool) -> None:
    found = list(near_pairs(items([one, other])))
    assert [(item.text, like.text) for item, like in found] == ([(other, one)] if near else [])


def test_near_duplicates_across_splits() -> None:
    text = " ".join(WORDS)
    train, test = items([text, f"{text} today"]), items([f"{text} , now"], "test")
    found = by_kind(similar_checks([*train, *test], "rows"))
    assert (found["near_duplicates"].count, found["near_duplicates"].of) == (1, 2)
    assert (found["nearly_shared_rows"].count, found["nearly_shared_rows"].of) == (1, 1)


def test_equal_rows_are_not_near_duplicates_too() -> None:
    assert list(similar_checks(items([" ".join(WORDS)] * 3), "rows")) == []


def test_hashing_finds_what_comparing_all_pairs_finds() -> None:
    """Of 100 texts with a changed word each, at least 95 are found, and never one below the threshold."""
    generator = random.Random(2)  # noqa: S311
    first = [[*generator.choices(WORDS, k=30), f"{chr(97 + number % 26)}x", str(number)] for number in range(100)]
    changed = []
    for words in first:
        copy = list(words)
        copy[generator.randrange(30)] = "golden"
        changed.append(copy)
    everything = items(" ".join(words) for words in [*first, *changed])
    features = {item.text: _features(_words(item.text)) for item in everything}
    alike = {
        (item.text, other.text)
        for place, item in enumerate(everything)
        for other in everything[:place]
        if _jaccard(features[item.text], features[other.text]) >= SAME
    }
    found = {(item.text, other.text) for item, other in near_pairs(everything)}
    assert found <= alike
    assert len({item for item, _ in found}) >= 0.95 * len({item for item, _ in alike}) > 90
