"""Checks of drift: what differs by more than chance and by enough to matter, and what does not."""

import random

import pytest

from tasks.checks.drift import label_drift, length_drift, vocabulary_drift
from tasks.data.options import Split

OLD = [f"word{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(300)]
NEW = [f"other{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(300)]


def lengths(mean: int, count: int, seed: int) -> list[int]:
    generator = random.Random(seed)  # noqa: S311
    return [max(round(generator.gauss(mean, 4)), 1) for _ in range(count)]


@pytest.mark.parametrize(("mean", "drifts"), [(20, False), (23, False), (26, True)])
def test_lengths(mean: int, drifts: bool) -> None:
    found = list(length_drift({"train": lengths(20, 500, 1), "test": lengths(mean, 200, 2)}))
    assert [one.kind for one in found] == (["length_drift"] if drifts else [])


def test_few_rows_tell_nothing_of_lengths() -> None:
    assert list(length_drift({"train": lengths(20, 500, 1), "test": lengths(40, 19, 2)})) == []


@pytest.mark.parametrize(("late", "drifts"), [(50, False), (59, False), (75, True)])
def test_labels(late: int, drifts: bool) -> None:
    found = list(
        label_drift({"train": {"late": 500, "lost": 500}, "test": {"late": 2 * late, "lost": 2 * (100 - late)}})
    )
    assert [one.kind for one in found] == (["label_drift"] if drifts else [])
    if found:
        assert "75% in test, and of 50% in training" in found[0].message


def test_labels_of_few_rows_may_differ_by_chance() -> None:
    assert list(label_drift({"train": {"late": 50, "lost": 50}, "test": {"late": 33, "lost": 20}})) == []


def test_words_that_are_new_in_training_itself_are_to_be_expected() -> None:
    """Four words of ten stand in a single text each, in training and in test."""

    def texts(name: str, count: int) -> list[str]:
        letters = [chr(97 + number % 26) + chr(97 + number // 26 % 26) for number in range(count)]
        return [" ".join([*OLD[:6], *(f"{name}{one}{some}" for some in "abcd")]) for one in letters]

    assert list(vocabulary_drift({"train": texts("one", 300), "test": texts("other", 100)})) == []


@pytest.mark.parametrize(("share", "drifts"), [(0.0, False), (0.05, False), (0.4, True)])
def test_words(share: float, drifts: bool) -> None:
    generator = random.Random(3)  # noqa: S311

    def texts(count: int, new: float) -> list[str]:
        return [
            " ".join(generator.choice(NEW if generator.random() < new else OLD) for _ in range(15))
            for _ in range(count)
        ]

    some: dict[Split, list[str]] = {"train": texts(400, 0.0), "test": texts(100, share)}
    found = list(vocabulary_drift(some))
    assert [one.kind for one in found] == (["vocabulary_drift"] if drifts else [])
