"""Checks of labels: what each finds and what it leaves alone, with counts worked out by hand."""

from collections.abc import Iterable, Mapping

import pytest

from tasks.checks.finding import Finding
from tasks.checks.labels import (
    Labelled,
    conflict_checks,
    count_checks,
    leak_checks,
    number_checks,
    several_label_checks,
)
from tasks.checks.names import bare
from tasks.data.options import Split
from tasks.data.records import Origin

Counts = Mapping[Split, Mapping[str, int]]


def one(findings: Iterable[Finding], kind: str) -> Finding | None:
    of_kind = [found for found in findings if found.kind == kind]
    assert len(of_kind) <= 1
    return of_kind[0] if of_kind else None


def rows(*pairs: tuple[str, str]) -> list[Labelled]:
    """Return rows of a text and its labels, with a + between several, on the lines 2, 3, ..."""
    return [
        Labelled(text, text, tuple(filter(None, labels.split("+"))), Origin("rows.csv", number))
        for number, (text, labels) in enumerate(pairs, 2)
    ]


def test_usual_counts_have_no_finding() -> None:
    counts: Counts = {"train": {"late": 50, "lost": 40}, "test": {"late": 5, "lost": 4}}
    assert list(count_checks(counts, "rows", stops=True)) == []


@pytest.mark.parametrize(
    ("counts", "kind", "grade", "count", "said"),
    [
        ({"train": {"late": 50, "lost": 4}}, "rare_labels", "warning", 1, "lost (4)"),
        ({"train": {"late": 90, "lost": 10}}, "imbalance", "note", 90, "'late'"),
        ({"train": {"late": 50, "Late ": 40}}, "labels_alike", "warning", 2, "'Late ' / 'late'"),
        ({"train": {"late": 50, "lost": 40}, "test": {"late": 3, "gone": 2}}, "unknown_labels", "error", 2, "gone (2)"),
        ({"train": {"late": 40, "lost": 30}, "test": {"late": 7}}, "missing_labels", "warning", 1, "lost"),
    ],
)
def test_what_counts_tell(counts: Counts, kind: str, grade: str, count: int, said: str) -> None:
    found = one(count_checks(counts, "rows", stops=True), kind)
    assert found is not None
    assert (found.grade, found.count) == (grade, count)
    assert said in found.message


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ({"train": {"late": 50, "lost": 5}}, "rare_labels"),
        ({"train": {"late": 89, "lost": 11}}, "imbalance"),
        ({"train": {"late": 100}}, "imbalance"),
        ({"train": {"1": 50, "-1": 40}}, "labels_alike"),
        ({"train": {"late": 50}, "test": {"late": 3, "gone": 0}}, "unknown_labels"),
        ({"train": {"late": 40, "lost": 30}, "test": {"late": 6}}, "missing_labels"),
    ],
)
def test_what_counts_do_not_tell(counts: Counts, kind: str) -> None:
    assert one(count_checks(counts, "rows", stops=True), kind) is None


def test_unknown_labels_that_are_counted_are_a_warning() -> None:
    counts: Counts = {"train": {"late": 50}, "validation": {"gone": 2}}
    found = one(count_checks(counts, "entities", stops=False), "unknown_labels")
    assert found is not None
    assert (found.grade, found.of) == ("warning", 2)


def test_conflicts_are_rows_with_one_text_and_several_labels() -> None:
    some = rows(("slow", "late"), ("slow", "lost"), ("slow", "late"), ("fine", "good"), ("fine", "good"))
    found = one(conflict_checks(some), "conflicting_labels")
    assert found is not None
    assert (found.grade, found.count, found.of) == ("error", 3, 5)
    assert found.examples[0].origin == Origin("rows.csv", 2)
    assert "late (line 2 and 1 more), lost (line 3)" in found.examples[0].text
    assert one(conflict_checks(rows(("fine", "good"), ("fine", "good"))), "conflicting_labels") is None
    assert one(conflict_checks(rows(("fine", "a+b"), ("fine", "b+a"))), "conflicting_labels") is None, (
        "only their order"
    )


def test_few_conflicts_are_a_warning() -> None:
    some = rows(("slow", "late"), ("slow", "lost"), *((f"text {number}", "late") for number in range(39)))
    found = one(conflict_checks(some), "conflicting_labels")
    assert found is not None
    assert found.grade == "warning"


@pytest.mark.parametrize(("without", "grade"), [(5, "note"), (6, "warning")])
def test_rows_without_labels(without: int, grade: str) -> None:
    some = rows(*((f"text {number}", "" if number < without else "late") for number in range(10)))
    found = one(several_label_checks(some), "unlabelled_rows")
    assert found is not None
    assert (found.grade, found.count) == (grade, without)
    assert one(several_label_checks(rows(("text", "late"))), "unlabelled_rows") is None


def test_labels_that_always_stand_together() -> None:
    some = rows(*((f"text {number}", "rude+loud" if number < 10 else "late") for number in range(20)))
    found = one(several_label_checks(some), "labels_together")
    assert found is not None
    assert (found.count, found.of) == (2, 3)
    assert "loud and rude in 10 rows" in found.message
    apart = [*some, *rows(("more", "rude"))]
    assert one(several_label_checks(apart), "labels_together") is None
    assert one(several_label_checks(some[:9]), "labels_together") is None, "too few to tell"


def test_numbers_that_are_all_the_same() -> None:
    places = [Origin("rows.csv", number) for number in range(3)]
    found = one(number_checks([(2.5, place) for place in places]), "constant_number")
    assert found is not None
    assert (found.grade, found.count) == ("error", 3)
    assert one(number_checks(list(zip((1.0, 2.0, 2.0), places, strict=True))), "constant_number") is None


@pytest.mark.parametrize(("number", "is_far"), [(-999.0, True), (60.0, True), (20.0, False)])
def test_numbers_far_from_all_others(number: float, is_far: bool) -> None:
    """Of 1 to 5, each ten times, the middle half is 2 to 4: what is farther than 20 from 3 is far."""
    usual = [(float(1 + place % 5), Origin("rows.csv", place)) for place in range(50)]
    found = one(number_checks([*usual, (number, Origin("rows.csv", 99))]), "outliers")
    assert (found is not None) == is_far
    if found is not None:
        assert (found.count, found.examples[0].origin) == (1, Origin("rows.csv", 99))


def test_a_word_that_tells_the_label() -> None:
    late = [(f"{word} XZ17 parcel number {word}", "late") for word in map(chr, range(97, 122))]
    lost = [(f"{word} parcel number {word} is gone", "lost") for word in map(chr, range(97, 122))]
    found = one(leak_checks(rows(*late, *lost)), "leaking_words")
    assert found is not None
    assert "'xz17' is in 25 of 25 rows of 'late', and in 0 others" in found.message
    assert "XZ17" in found.examples[0].text
    mixed = [(text.replace("XZ17", "") if place % 3 == 0 else text, name) for place, (text, name) in enumerate(late)]
    plain = [(text.replace(" is gone", ""), name) for text, name in lost]
    assert one(leak_checks(rows(*mixed, *plain)), "leaking_words") is None, "in two thirds of its rows only"
    third = [(f"{text} XZ17" if place < 5 else text, "wet") for place, (text, _) in enumerate(plain)]
    elsewhere = rows(*late, *plain, *((f"{place} {text}", name) for place, (text, name) in enumerate(third)))
    assert one(leak_checks(elsewhere), "leaking_words") is None, "in five rows of others, too"
    few = rows(*late[:19], *plain)
    assert one(leak_checks(few), "leaking_words") is None, "too few to tell"


def test_texts_that_hold_their_label() -> None:
    names = ("delivery", "payment", "returns")
    own = [(f"{name} - ticket {number} of {name}", name) for number in range(10) for name in names]
    found = one(leak_checks(rows(*own)), "label_in_text")
    assert found is not None
    assert (found.count, found.of) == (30, 30)
    others = [(f"{names[(number + 1) % 3]} ticket {number}", names[number % 3]) for number in range(30)]
    assert one(leak_checks(rows(*others)), "label_in_text") is None
    assert (
        one(leak_checks(rows(*((f"row {number}", "ab"[number % 2]) for number in range(30)))), "label_in_text") is None
    )


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("pos", "pоs", True),
        ("İyi", "iyi", True),
        ("Brand-new ", "brand_new", True),
        ("café", "cafe\u0301", True),
        ("1", "-1", False),
        ("late", "latex", False),
    ],
)
def test_names_as_the_eye_sees_them(name: str, other: str, same: bool) -> None:
    assert (bare(name) == bare(other)) == same
