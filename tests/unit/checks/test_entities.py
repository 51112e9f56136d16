"""Checks of tagged sentences: what each finds and what it leaves alone, with counts worked out by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tasks.checks.entities import entity_checks
from tasks.checks.finding import Finding
from tasks.data.records import Origin


@dataclass(frozen=True)
class Row:
    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None
    origin: Origin


def row(text: str, number: int = 1) -> Row:
    """Return a sentence whose entities are in braces, with their type behind: `in {New York}LOC`."""
    tokens: list[str] = []
    tags: list[str] = []
    inside: list[str] = []
    is_inside = False
    for word in text.split():
        is_inside = is_inside or word[0] == "{"
        bare, _, kind = word.removeprefix("{").partition("}")
        if not is_inside:
            tokens.append(bare)
            tags.append("O")
            continue
        inside.append(bare)
        if kind:
            tokens += inside
            tags += [f"B-{kind}", *[f"I-{kind}"] * (len(inside) - 1)]
            inside, is_inside = [], False
    return Row(tuple(tokens), tuple(tags), Origin("train.conll", number))


def rows(*texts: str) -> list[Row]:
    return [row(text, number) for number, text in enumerate(texts, 1)]


def checked(train: Sequence[Row], kind: str, **others: Sequence[Row]) -> list[Finding]:
    return [found for found in entity_checks(train, {"train": train, **others}) if found.kind == kind]


def one(train: Sequence[Row], kind: str) -> Finding:
    (found,) = checked(train, kind)
    return found


def lines(found: Finding) -> list[int]:
    return [example.origin.number for example in found.examples if example.origin is not None]


def test_rows_of_these_tests() -> None:
    assert row("in {New York}LOC today") == Row(
        ("in", "New", "York", "today"), ("O", "B-LOC", "I-LOC", "O"), Origin("train.conll", 1)
    )


def test_nothing_is_found_in_nothing() -> None:
    assert list(entity_checks([], {"train": [], "validation": [], "test": []})) == []


def test_nothing_is_found_in_clean_sentences() -> None:
    train = rows(*["{Mara Lindqvist}PER moved to {Bergen}LOC , where it rained ."] * 60)
    assert list(entity_checks(train, {"train": train, "test": train[:5]})) == []


def test_nothing_but_words_is_checked_where_nobody_has_tagged() -> None:
    untagged = [Row(("a", "boat"), None, Origin("test.conll", 1))] * 60
    assert list(entity_checks(untagged, {"train": untagged, "test": untagged})) == []


# token_prefix


@pytest.mark.parametrize("prefix", ["de:", "zh-classical:"])
def test_a_prefix_of_all_words(prefix: str) -> None:
    train = rows(*[f"{prefix}Boote {prefix}liegen {prefix}im {prefix}Hafen"] * 5)
    found = one(train, "token_prefix")
    assert (found.grade, found.count, found.of) == ("error", 20, 20)
    assert prefix in found.message
    assert f"data.token_prefix={prefix}" in found.message
    assert lines(found) == [1, 2, 3]


def test_a_prefix_is_quoted_where_a_shell_needs_it() -> None:
    assert "\"data.token_prefix='de|'\"" in one(rows("de|Boot " * 20), "token_prefix").message


def test_a_prefix_needs_twenty_words() -> None:
    assert checked(rows("de:Boot " * 19), "token_prefix") == []
    assert checked(rows("de:Boot " * 20), "token_prefix") != []


def test_a_prefix_needs_98_of_100_words() -> None:
    found = one(rows("de:Boot " * 98, "Boot Boot"), "token_prefix")
    assert (found.count, found.of) == (98, 100)
    assert checked(rows("de:Boot " * 97, "Boot Boot Boot"), "token_prefix") == []


@pytest.mark.parametrize("word", ["Boot", "b:1", "12:30", ":)"])
def test_no_prefix(word: str) -> None:
    assert checked(rows(f"{word} " * 30), "token_prefix") == []


# ambiguous_entities


def test_entities_with_several_types() -> None:
    train = rows(
        "{Orla}ORG hired her",
        "{Orla}PER sings",
        "{Orla}PER sings",
        "{Bergen}LOC",
        "{Bergen}LOC",
        "{Bergen}LOC",
        "{Bergen}ORG",
    )
    found = one(train, "ambiguous_entities")
    assert (found.grade, found.count, found.of) == ("warning", 2, 7)
    assert [example.text for example in found.examples] == ["Bergen: LOC 3, ORG 1", "Orla: PER 2, ORG 1"]
    assert lines(found) == [7, 1]


def test_of_two_types_the_first_is_the_usual_one() -> None:
    found = one(rows("{Orla}ORG", "{Orla}PER"), "ambiguous_entities")
    assert (found.count, lines(found)) == (1, [2])


@pytest.mark.parametrize(("others", "grade"), [(48, "warning"), (49, "note")])
def test_from_one_in_fifty_on_ambiguous_entities_are_a_warning(others: int, grade: str) -> None:
    # One of 50 entities is 2%, one of 51 is less.
    train = rows(*["{Bergen}LOC"] * (others + 1), "{Bergen}ORG")
    assert one(train, "ambiguous_entities").grade == grade


def test_other_case_is_another_text() -> None:
    assert checked(rows("{Orla}PER", "{ORLA}ORG", "{Orla Inc}ORG"), "ambiguous_entities") == []


# untagged_entities


def test_words_that_are_an_entity_elsewhere() -> None:
    train = rows(
        "she likes {New York}LOC", "{New York}LOC is large", "{New York}LOC", "we flew to New York on Monday morning ."
    )
    found = one(train, "untagged_entities")
    assert (found.grade, found.count, found.of) == ("warning", 1, 4)
    assert found.examples[0].text == "we flew to [New York] on Monday morning . (tagged 3 times, untagged 1)"
    assert lines(found) == [4]


@pytest.mark.parametrize(("tagged", "grade"), [(8, "warning"), (9, "note")])
def test_over_one_in_ten_untagged_places_are_a_warning(tagged: int, grade: str) -> None:
    found = one(rows(*["in {Bergen}LOC"] * tagged, "in Bergen"), "untagged_entities")
    assert (found.grade, found.count, found.of) == (grade, 1, tagged + 1)


def test_words_that_are_mostly_no_entity_mean_something_else() -> None:
    often = ["{May}PER"] * 2 + ["{Bergen}LOC"] * 2
    assert checked(rows(*often, *["in May"] * 3), "untagged_entities") == []
    found = one(rows(*often, *["in May"] * 2), "untagged_entities")
    assert (found.count, found.of) == (2, 6)


def test_words_that_are_mostly_no_entity_are_no_places_of_entities() -> None:
    train = rows(*["{May}PER"] * 2, *["in May"] * 3, *["{Bergen}LOC"] * 3, "in Bergen")
    found = one(train, "untagged_entities")
    assert (found.count, found.of) == (1, 4)


def test_an_entity_that_was_tagged_once_proves_nothing() -> None:
    assert checked(rows("{Bergen}LOC", "in Bergen"), "untagged_entities") == []


@pytest.mark.parametrize("text", ["{Bergen Bank}ORG", "{New Bergen}LOC", "in bergen", "in Bergens"])
def test_parts_of_entities_and_other_words_are_not_overlooked(text: str) -> None:
    assert checked(rows(*["{Bergen}LOC"] * 3, text), "untagged_entities") == []


def test_an_entity_does_not_go_on_in_the_next_one() -> None:
    assert checked(rows(*["{New York}LOC"] * 3, "New {York}LOC", "New", "York"), "untagged_entities") == []


def test_numbers_are_not_overlooked() -> None:
    assert checked(rows(*["{1984}MISC"] * 3, "in 1984"), "untagged_entities") == []


def test_the_longest_entity_is_overlooked_once() -> None:
    train = rows(*["{York}LOC"] * 3, *["{New York}LOC"] * 3, "New York and York")
    found = one(train, "untagged_entities")
    assert (found.count, found.of) == (2, 8)
    assert {example.text.split(" (")[0] for example in found.examples} == {"[New York] and York", "New York and [York]"}


def test_the_surest_examples_come_first() -> None:
    train = rows(*["{Lofoten}LOC"] * 3, "Lofoten", *["{Bergen}LOC"] * 9, "Bergen", *["{Voss}LOC"] * 2, "Voss")
    assert lines(one(train, "untagged_entities")) == [14, 4, 17]


# odd_borders

PLACES = ("{Bergen}LOC", "{Voss}LOC", "{Oslo}LOC", "{Molde}LOC")


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("in {Lofoten ,}LOC and", "ends with ,"),
        ("in {: Lofoten}LOC", "begins with :"),
        ("in {Lofoten .}LOC", "ends with ."),
        ("in {( Lofoten}LOC )", "begins with ("),
        ("in ( {Lofoten )}LOC", "ends with )"),
        ('in {" Lofoten}LOC "', 'begins with "'),
        ("in ' {Lofoten '}LOC", "ends with '"),
        ("in {,}LOC", "is punctuation"),
        ("in {.}LOC", "is punctuation"),
    ],
)
def test_odd_punctuation_at_an_end(text: str, how: str) -> None:
    found = one(rows(*PLACES, text), "odd_borders")
    assert (found.grade, found.count, found.of) == ("warning", 1, 5)
    assert found.examples[0].text.endswith(f": LOC {how}")
    assert lines(found) == [5]


@pytest.mark.parametrize(
    "text",
    [
        "{Yahoo !}LOC",
        "{U.S .}LOC",
        "{U . S .}LOC",
        "{Christian 4 .}LOC",
        "{Orla Inc .}LOC",
        "{( Old ) Lofoten}LOC",
        "{Lofoten ( North )}LOC",
        '{" Lofoten "}LOC',
        "{`` Lofoten ''}LOC",
        "{' 80s}LOC",
        "{the Chiefs '}LOC",
        '{iPad 9 "}LOC',
        "{. NET}LOC",
        "{:)}LOC",
        "{!}LOC",
        "{-}LOC",
        "{( Lofoten )}LOC",
    ],
)
def test_punctuation_that_may_belong_to_an_entity(text: str) -> None:
    assert checked(rows(*PLACES, text), "odd_borders") == []


def test_a_short_word_that_seldom_stands_before_a_full_stop_is_no_abbreviation() -> None:
    # Voss stands before a full stop in one of its three places, and Oslo in one of two.
    found = one(rows("{Voss}LOC lies", "from Voss on", "in {Voss .}LOC", "{Oslo}LOC", "in {Oslo .}LOC"), "odd_borders")
    assert (found.count, lines(found)) == (1, [3])


@pytest.mark.parametrize(("without", "count"), [(1, 0), (2, 1)])
def test_an_exclamation_mark_that_others_lack_more_often(without: int, count: int) -> None:
    assert len(checked(rows(*["{Yahoo}ORG"] * without, "{Yahoo !}ORG"), "odd_borders")) == count
    assert len(checked(rows(*["{Yahoo}ORG"] * without, "{? Yahoo}ORG"), "odd_borders")) == count


@pytest.mark.parametrize(("without", "count"), [(1, 0), (2, 1)])
def test_an_article_that_others_lack_more_often(without: int, count: int) -> None:
    train = rows(*["{Netherlands}LOC"] * without, "in {the Netherlands}LOC")
    assert len(checked(train, "odd_borders")) == count


@pytest.mark.parametrize("text", ["{The Netherlands}LOC", "the {Netherlands}LOC", "{the Netherlands}ORG", "{the}LOC"])
def test_articles_that_are_not_odd(text: str) -> None:
    assert checked(rows(*["{Netherlands}LOC"] * 3, text), "odd_borders") == []


def test_what_most_of_a_type_have_is_a_rule() -> None:
    ruled = ["{Mara ,}PER", "{Orla ,}PER", "{Kjell}PER"]
    assert checked(rows(*PLACES, *ruled), "odd_borders") == []
    found = one(rows(*PLACES, *ruled, "{Tove}PER"), "odd_borders")  # now two of four
    assert (found.count, found.of) == (2, 8)


@pytest.mark.parametrize(("others", "grade"), [(99, "warning"), (100, "note")])
def test_from_one_in_a_hundred_on_odd_borders_are_a_warning(others: int, grade: str) -> None:
    assert one(rows(*["{Bergen}LOC"] * others, "{Lofoten ,}LOC"), "odd_borders").grade == grade


# long_entities


def test_long_entities() -> None:
    train = rows("{" + "very " * 11 + "long}MISC", "{" + "very " * 12 + "long}MISC", "{" + "very " * 13 + "long}MISC")
    found = one(train, "long_entities")
    assert (found.grade, found.count, found.of) == ("note", 2, 3)
    assert lines(found) == [3, 2]
    assert found.examples[0].text.startswith("MISC, 14 words: very very")


def test_no_long_entities() -> None:
    assert checked(rows("{" + "very " * 11 + "long}MISC"), "long_entities") == []


# sparse_entities


@pytest.mark.parametrize(("without", "with_one", "count"), [(95, 5, 0), (96, 4, 1), (49, 0, 0), (50, 0, 1)])
def test_hardly_any_entities(without: int, with_one: int, count: int) -> None:
    found = checked(rows(*["it rained"] * without, *["{Bergen}LOC"] * with_one), "sparse_entities")
    assert len(found) == count
    for each in found:
        assert (each.grade, each.count, each.of) == ("warning", without, without + with_one)
        assert "train sentences" in each.message
        assert lines(each) == [1, 2, 3]


def test_other_splits_are_compared_with_training() -> None:
    full, sparse = rows(*["{Bergen}LOC"] * 60), rows(*["it rained"] * 60)
    (found,) = checked(full, "sparse_entities", validation=full, test=sparse)
    assert "60 of 60 test sentences" in found.message
    (found,) = checked(sparse, "sparse_entities", validation=full, test=sparse)
    assert "60 of 60 train sentences" in found.message
