"""From entities by offsets to tags: each policy by hand, and a plain loop over characters as a second opinion."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.data.annotation.spans import CharacterSpan
from tasks.data.records import Origin, ReadReport
from tasks.ner import Ner
from tasks.span_tags import SpanPolicy, tags_of_spans
from tasks.tags import spans as entities_of
from tasks.words import unicode_words
from tests.rows import texts

PLACE = Origin("a.jsonl", 7)
STRICT = SpanPolicy(cut_words="error", overlapping="error", discontinuous="error")
WIDEN = replace(STRICT, cut_words="widen")
LONGEST = replace(STRICT, overlapping="longest")

TEXT = "Mara Lindqvist joined Northgate Bank."
#       0    5         15     22        32


def span(start: int, end: int, label: str = "PER", text: str | None = None) -> CharacterSpan:
    return CharacterSpan(label, ((start, end),), text)


def tags(
    *spans: CharacterSpan, text: str = TEXT, policy: SpanPolicy = STRICT, report: ReadReport | None = None
) -> list[str]:
    return tags_of_spans(text, unicode_words(text), spans, policy, report or ReadReport(), PLACE)


def test_entities_of_whole_words_need_no_repair() -> None:
    report = ReadReport()
    found = tags(span(22, 36, "ORG"), span(0, 14, text="Mara Lindqvist"), report=report)
    assert found == ["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O"]
    assert report == ReadReport()
    assert tags() == ["O"] * 6


def test_neighbouring_entities_stay_two() -> None:
    assert tags(span(0, 4), span(5, 14))[:2] == ["B-PER", "B-PER"]


@pytest.mark.parametrize(("start", "end"), [(2, 14), (0, 8), (1, 6)])
def test_entities_that_end_inside_of_words_are_widened_and_counted_or_refused(start: int, end: int) -> None:
    report = ReadReport()
    assert tags(span(start, end), policy=WIDEN, report=report) == ["B-PER", "I-PER", "O", "O", "O", "O"]
    assert report.repaired == {"entity widened to whole words": 1}
    assert "a.jsonl, line 7: the PER" in report.examples["entity widened to whole words"][0]
    assert "ends inside of a word: 'Mara Lindqvist'" in report.examples["entity widened to whole words"][0]
    with pytest.raises(ValueError, match=r"ends inside of a word.*task\.cut_words=widen"):
        tags(span(start, end))


def test_blanks_at_the_ends_are_cut_off_and_counted() -> None:
    report = ReadReport()
    assert tags(span(4, 15), report=report)[:3] == ["O", "B-PER", "O"]
    assert report.repaired == {"blanks at the end of an entity": 1}


def test_an_entity_that_is_there_twice_counts_once() -> None:
    report = ReadReport()
    assert tags(span(0, 4), span(5, 14), span(0, 4), span(0, 4), report=report)[:2] == ["B-PER", "B-PER"]
    assert report.repaired == {"entity given twice": 2}


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        # inside of another one
        ((span(5, 14, "SUR"), span(0, 14, "PER")), ["B-PER", "I-PER", "O", "O", "O", "O"]),
        # across another one
        ((span(0, 14, "PER"), span(5, 31, "ORG")), ["O", "B-ORG", "I-ORG", "I-ORG", "O", "O"]),
        # of equal length: the earlier one
        ((span(5, 21, "ORG"), span(0, 14, "PER")), ["B-PER", "I-PER", "O", "O", "O", "O"]),
        # the same place, two types: the one that the file names first
        ((span(0, 4, "PER"), span(0, 4, "ORG")), ["B-PER", "O", "O", "O", "O", "O"]),
    ],
)
def test_of_overlapping_entities_the_longer_stays_and_the_others_are_counted(
    spans: tuple[CharacterSpan, ...], kept: list[str]
) -> None:
    report = ReadReport()
    assert tags(*spans, policy=LONGEST, report=report) == kept
    assert report.repaired == {"entity inside or across another one left out": 1}
    with pytest.raises(ValueError, match=r"overlaps the .*task\.overlapping_spans=longest"):
        tags(*spans)


def test_an_entity_that_touches_only_one_that_was_left_out_stays() -> None:
    report = ReadReport()
    spans = (span(0, 14, "A"), span(5, 31, "B"), span(0, 4, "C"))
    assert tags(*spans, policy=LONGEST, report=report) == ["B-C", "B-B", "I-B", "I-B", "O", "O"]
    assert report.repaired == {"entity inside or across another one left out": 1}


def test_entities_with_gaps_are_covered_left_out_or_refused() -> None:
    gap = CharacterSpan("PER", ((0, 4), (22, 31)), "Mara Northgate")
    report = ReadReport()
    cover = replace(STRICT, discontinuous="cover")
    assert tags(gap, policy=cover, report=report) == ["B-PER", "I-PER", "I-PER", "I-PER", "O", "O"]
    assert report.repaired == {"entity with a gap": 1}
    report = ReadReport()
    assert tags(gap, span(5, 14), policy=replace(STRICT, discontinuous="skip"), report=report)[:2] == ["O", "B-PER"]
    assert report.repaired == {"entity with a gap": 1}
    with pytest.raises(ValueError, match=r"'Mara \.\.\. Northgate' has a gap.*discontinuous_spans=cover.*=skip"):
        tags(gap)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (span(30, 38), "the PER from 30 to 38 is not in the text, which has 37 characters"),
        (span(-3, 4), "is not in the text"),
        (span(4, 4), "is not in the text"),
        (span(9, 5), "is not in the text"),
        (span(4, 5), "the PER from 4 to 5 covers only blanks"),
        (span(0, 4, text="Ada"), "the PER 'Ada' is not at 0 to 4, where 'Mara' stands$"),
    ],
)
def test_entities_that_are_not_in_the_text_are_refused(wrong: CharacterSpan, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tags(wrong)


def test_an_entity_of_characters_that_are_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="covers no word"):
        tags(span(1, 2), text="a\u200bb")


def test_blanks_within_the_given_text_may_differ() -> None:
    assert tags(span(0, 9, text="Mara Dale"), text="Mara\nDale left") == ["B-PER", "I-PER", "O"]


def test_offsets_in_utf_16_are_recognised_in_the_message() -> None:
    # In UTF-16 the emoji is two units, so that Mara stands at 3 to 7 instead of 2 to 6.
    with pytest.raises(ValueError, match=r"is not at 3 to 7, where 'ara ' stands.*UTF-16 units"):
        tags(span(3, 7, text="Mara"), text="\U0001f600 Mara left")


@st.composite
def texts_with_spans(draw: st.DrawFn, *, aligned: bool) -> tuple[str, list[CharacterSpan]]:
    """A text and entities that share no word, in any order; they begin and end with words if `aligned`."""
    text = draw(texts().filter(unicode_words))
    words = unicode_words(text)
    found, first = [], 0
    while first < len(words) and draw(st.booleans()):
        first += draw(st.integers(0, 2))
        last = first + draw(st.integers(0, 2))
        if last >= len(words):
            break
        start, end = words[first][0], words[last][1]
        if not aligned:
            start = draw(st.integers(start, words[first][1] - 1))
            end = draw(st.integers(max(start, words[last][0]) + 1, end))
        found.append(span(start, end, draw(st.sampled_from(("PER", "creative-work")))))
        first = last + 1
    return text, draw(st.permutations(found))


@given(texts_with_spans(aligned=True))
def test_entities_of_whole_words_are_the_same_in_the_tags(case: tuple[str, list[CharacterSpan]]) -> None:
    text, spans = case
    report = ReadReport()
    words = unicode_words(text)
    found = {(kind, words[first][0], words[end - 1][1]) for kind, first, end in entities_of(tags(*spans, text=text))}
    tags(*spans, text=text, report=report)
    assert found == {(one.label, one.start, one.end) for one in spans}
    assert report == ReadReport()


def by_characters(text: str, spans: list[CharacterSpan]) -> list[str]:
    """Tag each word by the entity of its first marked character: a plain loop, for entities that share no word."""
    owner: list[int | None] = [None] * len(text)
    for number, one in enumerate(spans):
        owner[one.start : one.end] = [number] * (one.end - one.start)
    found, before = [], None
    for start, end in unicode_words(text):
        here = next((number for number in owner[start:end] if number is not None), None)
        found.append("O" if here is None else f"{'I' if here == before else 'B'}-{spans[here].label}")
        before = here
    return found


@given(texts_with_spans(aligned=False))
def test_widened_tags_are_those_of_a_loop_over_characters(case: tuple[str, list[CharacterSpan]]) -> None:
    text, spans = case
    report = ReadReport()
    assert tags(*spans, text=text, policy=WIDEN, report=report) == by_characters(text, spans)
    borders = {(start, end) for start, end in unicode_words(text)}
    starts, ends = {start for start, _ in borders}, {end for _, end in borders}
    cut = sum(one.start not in starts or one.end not in ends for one in spans)
    assert report.repaired.get("entity widened to whole words", 0) == cut


def test_policies_are_checked_by_the_task() -> None:
    wrong: dict[str, Any] = {"cut_words": "widden", "overlapping_spans": "x", "discontinuous_spans": "skpi"}
    lines = list(Ner(**wrong).errors())
    assert len(lines) == 3
    assert "task.cut_words=widden: choose from widen, error. Did you mean 'widen'?" in lines
