"""Checks of texts: what each finds and what it leaves alone."""

from collections.abc import Iterable

import pytest

from tasks.checks.finding import Finding, gravest_first, percent, short
from tasks.checks.texts import Text, script_of, shape_checks, text_checks
from tasks.data.records import Origin

PLAIN = [f"The parcel from {place} came {when}" for place in ("Oslo", "Bergen", "Gent") for when in ("late", "early")]


def texts(some: Iterable[str]) -> list[Text]:
    return [Text(text, Origin("rows.csv", number)) for number, text in enumerate(some, 2)]


def found(some: Iterable[str], kind: str) -> Finding | None:
    """Return the finding of a kind in texts that stand on the lines 2, 3, ..."""
    rows = texts(some)
    of_kind = [one for one in (*text_checks(rows, "texts"), *shape_checks(rows, "texts")) if one.kind == kind]
    assert len(of_kind) <= 1
    return of_kind[0] if of_kind else None


def test_plain_texts_have_no_finding() -> None:
    assert [*text_checks(texts(PLAIN), "texts"), *shape_checks(texts(PLAIN), "texts")] == []


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("placeholders", "nan"),
        ("placeholders", " [deleted] "),
        ("tiny_texts", "..."),
        ("tiny_texts", ""),
        ("padded_texts", " late"),
        ("padded_texts", "late\n"),
        ("wrong_encoding", "The cafÃ© was closed"),
        ("wrong_encoding", "It\x92s late"),
        ("wrong_encoding", "The caf\ufffd was closed"),
        ("control_characters", "late\x00"),
        ("control_characters", "late\x1b[31m"),
        ("invisible_characters", "par\u200bcel"),
        ("invisible_characters", "\ufeffparcel"),
        ("invisible_characters", "par\u00adcel"),
        ("invisible_characters", "\u202eparcel"),
        ("invisible_characters", "par\u200dcel"),
        ("markup", "late<br/>again"),
        ("markup", "late &amp; wet"),
        ("markup", "caf&eacute;"),
        ("markup", "<b>late</b>"),
        ("markup", "so <i>late"),
        ("markup", "<a href='x'>late"),
        ("markup", "see [here](https://example.org/a)"),
        ("markup", "## Late again"),
        ("markup", "it was **very late** again"),
        ("other_scripts", "Посылка пришла поздно"),
    ],
)
def test_what_is_found_in_a_text(kind: str, odd: str) -> None:
    one = found([*PLAIN, odd], kind)
    assert one is not None
    assert (one.count, one.of) == (1, 7)
    assert [example.origin for example in one.examples] == [Origin("rows.csv", 8)]


@pytest.mark.parametrize(
    ("kind", "fine"),
    [
        ("placeholders", "none of them came"),
        ("tiny_texts", "5"),
        ("tiny_texts", "👍"),
        ("padded_texts", "late  again"),
        ("wrong_encoding", "The café was closed, naïvely"),
        ("wrong_encoding", "„Ja“, sagte er – spät…"),
        ("wrong_encoding", "Привет 柏林 şehir"),
        ("control_characters", "late\tagain\r\nand again"),
        ("invisible_characters", "👩\u200d🔧 came late"),
        ("invisible_characters", "می\u200cخواهم"),
        ("invisible_characters", "क्\u200dष"),
        ("invisible_characters", "ไป\u200bบ้าน"),
        ("invisible_characters", "\u202bשלום\u202c"),
        ("markup", "std::vector<a> and std::map<a, b>"),
        ("markup", "# a comment of a shell"),
        ("markup", "1 < 2 and 3 > 2, a <- b, AT&T; #late * 2 ** 3"),
        ("markup", "see [1] (and https://example.org)"),
        ("other_scripts", "12.5 %"),
    ],
)
def test_what_is_left_alone(kind: str, fine: str) -> None:
    assert found([*PLAIN, fine], kind) is None


@pytest.mark.parametrize(("damaged", "grade"), [(9, "warning"), (10, "error")])
def test_a_tenth_of_damaged_texts_is_an_error(damaged: int, grade: str) -> None:
    one = found(["The cafÃ©"] * damaged + ["The house"] * (100 - damaged), "wrong_encoding")
    assert one is not None
    assert one.grade == grade


@pytest.mark.parametrize(("marked", "grade"), [(1, "note"), (2, "warning")])
def test_markup_in_a_hundredth_is_a_warning(marked: int, grade: str) -> None:
    one = found(["late<br>again"] * marked + ["late again"] * (150 - marked), "markup")
    assert one is not None
    assert one.grade == grade


def test_giants_are_twenty_times_as_long_and_2000_characters() -> None:
    short_ones = ["x" * 150] * 20
    one = found([*short_ones, "y" * 3001], "giant_texts")
    assert one is not None
    assert (one.count, one.examples[0].origin) == (1, Origin("rows.csv", 22))
    assert found([*short_ones, "y" * 3000], "giant_texts") is None
    assert found([*["x" * 10] * 20, "y" * 2000], "giant_texts") is None


def test_what_all_texts_begin_or_end_with() -> None:
    different = [f"{chr(97 + number)} is late by {number}" for number in range(19)]
    begun = found([f"Dear team , {text}" for text in [*different, "we wait"]], "boilerplate")
    assert begun is not None
    assert "begin with 'Dear team ,'" in begun.message
    ended = found([f"{text} {number} . Sent from my phone" for number, text in enumerate(different * 2)], "boilerplate")
    assert ended is not None
    assert "end with '. Sent from my phone'" in ended.message


def test_texts_that_begin_alike_less_often_are_fine() -> None:
    half = [f"{'Dear' if number % 10 else 'Hello'} team number {number}" for number in range(40)]
    assert found(half, "boilerplate") is None
    assert found(["Dear team"] * 40, "boilerplate") is None, "one text many times is not many texts that begin alike"
    assert found([f"{word} ." for word in "abcdefghijklmnopqrstuvwxyz"], "boilerplate") is None, "a full stop"


def test_counters_at_the_beginning() -> None:
    for pattern in ("{}) late again", "Q-{:04}: late again", "[{}] late again", "{}\tlate again"):
        one = found([pattern.format(number) for number in range(20)], "ids_in_texts")
        assert one is not None, pattern
        assert one.count == 20
    assert found([f"{number % 3}. late again" for number in range(20)], "ids_in_texts") is None, "stars, not ids"
    assert found([f"{number:05} late again" for number in range(20)], "ids_in_texts") is not None, "going up"
    half = [f"{number}) late" if number % 2 else f"late by {number}" for number in range(40)]
    assert found(half, "ids_in_texts") is None, "half of them only"
    mixed = [7 * number % 20 for number in range(20)]
    assert found([f"{number} days late" for number in mixed], "ids_in_texts") is None
    assert found([f"{number}) late" for number in range(19)], "ids_in_texts") is None, "too few to tell"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("late", "Latin"),
        ("Привет, Bob", "Cyrillic"),
        ("東京へ", "Chinese or Japanese"),
        ("12 %", None),
        ("한국어", "Korean"),
    ],
)
def test_the_script_of_a_text(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_shares_in_words() -> None:
    assert [percent(*pair) for pair in ((1, 2000), (1, 1000), (95, 1000), (999, 1000), (0, 0))] == [
        "under 0.1%",
        "0.1%",
        "9.5%",
        "100%",
        "0%",
    ]


def test_examples_are_short_and_on_a_line() -> None:
    assert short("warm\n beds") == "warm beds"
    assert len(short("word " * 1000)) < 210


def test_causes_come_before_what_may_follow_from_them() -> None:
    findings = [Finding("conflicting_labels", "error", "", 9, 10), Finding("unusable_rows", "error", "", 1, 10)]
    assert [one.kind for one in gravest_first(findings)] == ["unusable_rows", "conflicting_labels"]


def test_the_gravest_come_first() -> None:
    findings = [
        Finding("markup", "note", "", 9, 10),
        Finding("duplicates", "warning", "", 1, 10),
        Finding("outliers", "error", "", 1, 10),
        Finding("boilerplate", "warning", "", 5, 10),
    ]
    assert [one.kind for one in gravest_first(findings)] == ["outliers", "boilerplate", "duplicates", "markup"]
