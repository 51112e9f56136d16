"""Cutting validation and test splits off the training rows."""

import subprocess
import sys
from collections import Counter, defaultdict
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.data.splits import cut, limit, nested, shared
from tasks.errors import InputError


class Row(NamedTuple):
    """Content, label and article of a row, and its position, so that equal rows can be told apart."""

    text: int
    label: str
    article: str | None
    position: int


def text(row: Row) -> int:
    return row.text


def label(row: Row) -> str:
    return row.label


def article(row: Row) -> str | None:
    return row.article


@st.composite
def rows(draw: st.DrawFn, texts: int = 1000) -> list[Row]:
    contents = st.tuples(st.integers(0, texts), st.sampled_from("abcd"), st.sampled_from(["x", "y", "z", None]))
    drawn = draw(st.lists(contents, min_size=2, max_size=60))
    return [Row(*content, position) for position, content in enumerate(drawn)]


fractions = st.floats(0.01, 0.9)
seeds = st.integers(0, 5)


def check_sides(all_rows: list[Row], rest: list[Row], off: list[Row]) -> None:
    assert rest
    assert off
    assert sorted(rest + off, key=lambda row: row.position) == all_rows
    for side in (rest, off):
        assert [row.position for row in side] == sorted(row.position for row in side)
    assert not {row.text for row in rest} & {row.text for row in off}


@given(rows(texts=20), fractions, seeds)
def test_sides_without_groups(all_rows: list[Row], fraction: float, seed: int) -> None:
    assume(len(set(map(text, all_rows))) > 1)
    rest, off = cut(all_rows, fraction, seed, stratum=label, group=None, identity=text)
    check_sides(all_rows, rest, off)
    assert (rest, off) == cut(all_rows, fraction, seed, stratum=label, group=None, identity=text)


@given(rows(), fractions, seeds)
def test_sides_with_groups(drawn: list[Row], fraction: float, seed: int) -> None:
    two_units = [Row(-1, "a", "v", len(drawn)), Row(-2, "a", "w", len(drawn) + 1)]
    all_rows = drawn + two_units
    rest, off = cut(all_rows, fraction, seed, stratum=None, group=article, identity=text)
    check_sides(all_rows, rest, off)
    assert not {row.article for row in rest if row.article} & {row.article for row in off if row.article}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(2, 30), min_size=1), st.floats(0.01, 0.5), seeds)
def test_each_stratum_gives_its_share_within_one_row(sizes: dict[str, int], fraction: float, seed: int) -> None:
    labels = [name for name, size in sizes.items() for _ in range(size)]
    all_rows = [Row(position, name, None, position) for position, name in enumerate(labels)]
    _, off = cut(all_rows, fraction, seed, stratum=label, group=None, identity=text)
    given_off = Counter(map(label, off))
    assert all(abs(given_off[name] - fraction * size) <= 1 for name, size in sizes.items())
    assert len(off) == max(round(fraction * len(all_rows)), 1)


@given(rows(texts=30), st.floats(0.01, 0.5), seeds)
def test_each_stratum_gives_its_share_within_one_unit(drawn: list[Row], fraction: float, seed: int) -> None:
    # Equal texts get equal labels, and each label occurs with several texts.
    all_rows = [row._replace(label="ab"[row.text % 2]) for row in drawn]
    texts: dict[str, Counter[int]] = defaultdict(Counter)
    for row in all_rows:
        texts[row.label][row.text] += 1
    assume(all(len(counts) > 1 for counts in texts.values()))
    _, off = cut(all_rows, fraction, seed, stratum=label, group=None, identity=text)
    for name, counts in texts.items():
        share = fraction * counts.total()
        room = counts.total() - max(counts.values())
        # A label keeps at least one unit (rows that stay together) for training, at worst the largest.
        assert min(share, room) - max(counts.values()) - 1 <= sum(row.label == name for row in off)
        assert sum(row.label == name for row in off) <= share + max(counts.values()) + 1


def test_exact_shares() -> None:
    all_rows = [Row(position, "a" if position < 70 else "b", None, position) for position in range(100)]
    rest, off = cut(all_rows, 0.1, 1, stratum=label, group=None, identity=text)
    assert Counter(map(label, off)) == {"a": 7, "b": 3}
    assert len(rest) == 90


def test_a_rare_label_stays_for_training() -> None:
    all_rows = [Row(position, "b" if position == 50 else "a", None, position) for position in range(100)]
    for seed in range(20):
        rest, _ = cut(all_rows, 0.3, seed, stratum=label, group=None, identity=text)
        assert "b" in set(map(label, rest))


def test_labels_that_occur_once_do_not_hinder_the_cut() -> None:
    all_rows = [Row(position, f"combination {position}", None, position) for position in range(100)]
    _, off = cut(all_rows, 0.1, 1, stratum=label, group=None, identity=text)
    assert len(off) == 10


def test_seeds_cut_differently() -> None:
    all_rows = [Row(position, "a", None, position) for position in range(100)]
    cuts = {tuple(cut(all_rows, 0.1, seed, stratum=label, group=None, identity=text)[1]) for seed in range(10)}
    assert len(cuts) == 10


def test_duplicates_hold_articles_together() -> None:
    articles = [*"xxyyzz"]
    all_rows = [Row(position % 5, "a", name, position) for position, name in enumerate(articles)]
    # Row 5 (article z) has the text of row 0 (article x).
    for seed in range(10):
        rest, off = cut(all_rows, 0.3, seed, stratum=None, group=article, identity=text)
        assert {frozenset(map(article, side)) for side in (rest, off)} == {frozenset("xz"), frozenset("y")}


def test_an_article_larger_than_the_share() -> None:
    all_rows = [Row(position, "a", "x" if position < 90 else "y", position) for position in range(100)]
    for seed in range(10):
        _, off = cut(all_rows, 0.01, seed, stratum=None, group=article, identity=text)
        assert set(map(article, off)) == {"y"}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([], "No split can be cut off 0 training rows: that is too few"),
        ([(1, "a", None)], "No split can be cut off 1 training row: that is too few"),
        ([(1, "a", None)] * 5, "No split can be cut off 5 training rows: they have the same content or"),
        ([(1, "a", "x"), (2, "b", "x")], "No split can be cut off 2 training rows: they have the same content or"),
    ],
)
def test_too_few_rows(contents: list[tuple[int, str, str | None]], message: str) -> None:
    all_rows = [Row(*content, position) for position, content in enumerate(contents)]
    with pytest.raises(InputError, match=message):
        cut(all_rows, 0.5, 1, stratum=None, group=article, identity=text)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 1.5])
def test_impossible_shares(fraction: float) -> None:
    with pytest.raises(InputError, match="must leave some for training"):
        cut([1, 2, 3], fraction, 1, stratum=None, group=None, identity=int)


def test_the_same_in_every_process() -> None:
    program = (
        "from tasks.data.splits import cut, limit\n"
        "rows = [f'{position % 7} {position % 40}' for position in range(99)]\n"
        "print(cut(rows, 0.2, 3, stratum=lambda row: row[0], group=None, identity=str), limit(rows, 9, 3))\n"
    )
    run = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert run[0] == run[1]


def test_cut_gives_the_same_splits_in_every_release() -> None:
    # Splits are part of an experiment: a new release must cut the same ones.
    all_rows = [f"{'ab'[position % 2]}{position}" for position in range(12)]
    _, off = cut(all_rows, 0.34, 7, stratum=lambda row: row[0], group=None, identity=str)
    assert off == ["a0", "b3", "b7", "a10"]
    assert limit(all_rows, 3, 7) == ["b3", "b7", "b11"]


@given(st.lists(st.integers()), st.one_of(st.none(), st.integers(1, 20)), seeds)
def test_limit(items: list[int], most: int | None, seed: int) -> None:
    numbered = list(enumerate(items))
    kept = limit(numbered, most, seed)
    assert kept == sorted(kept)
    assert set(kept) <= set(numbered)
    assert len(kept) == (len(items) if most is None else min(most, len(items)))
    assert kept == limit(numbered, most, seed)


def test_larger_limits_keep_the_rows_of_smaller_ones() -> None:
    numbers = list(range(100))
    assert set(limit(numbers, 10, 1)) < set(limit(numbers, 20, 1))


def test_shared() -> None:
    assert shared(["rain", "snow"], ["snow", "Snow", "snow", "hail"], str.lower) == 3
    assert shared([], ["snow"], str) == 0


@given(rows(), seeds, st.integers(0, 60))
def test_fewer_nested_rows_are_part_of_more(all_rows: list[Row], seed: int, most: int) -> None:
    for group in (None, article):
        some = nested(all_rows, most, seed, stratum=label, group=group, identity=text)
        more = nested(all_rows, most + 1, seed, stratum=label, group=group, identity=text)
        assert len(some) == min(most, len(all_rows))
        assert set(some) <= set(more)
        assert some == sorted(some, key=lambda row: row.position)


@given(seeds, st.integers(1, 60))
def test_each_label_keeps_its_share_of_nested_rows(seed: int, most: int) -> None:
    all_rows = [Row(number, "aaabbc"[number % 6], None, number) for number in range(60)]
    counts = Counter(row.label for row in nested(all_rows, most, seed, stratum=label, group=None, identity=text))
    for name, share in (("a", 1 / 2), ("b", 1 / 3), ("c", 1 / 6)):
        assert abs(counts[name] - share * most) <= 1


def test_nested_rows_take_one_article_after_the_other() -> None:
    all_rows = [Row(number, "a", "xyz"[number % 3], number) for number in range(30)]
    articles = [
        {row.article for row in nested(all_rows, most, 1, stratum=None, group=article, identity=text)}
        for most in (1, 10, 11, 20, 21)
    ]
    assert [len(some) for some in articles] == [1, 1, 2, 2, 3]


def test_all_rows_if_the_limit_is_not_reached() -> None:
    all_rows = [Row(number, "a", None, number) for number in range(3)]
    for most in (None, 3, 4):
        assert nested(all_rows, most, 1, stratum=label, group=None, identity=text) == all_rows
