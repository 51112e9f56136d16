"""The page of an audit: valid, closed in itself, escaped, and with each suspect where it belongs."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from recipes.reporting.audit_page import (
    LONGEST_TEXT,
    MEANINGS,
    MOST_PAIRS,
    MOST_SUSPECTS,
    PAGE,
    RECORD,
    audit_page,
    write_audit_page,
)
from tasks.errors import InputError
from tests.unit.test_pages import EVIL, checked, words

BAR = re.compile(r'<rect class="bar" x="0" y="3" width="([\d.]+)"')
ENTRY = re.compile(r'<li><p class="where">.*?</li>', re.DOTALL)


def a_suspect(rank: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "rank": rank,
        "likely": True,
        "file": "/data/rooms/trec.csv",
        "number": 1400,
        "kind": "label",
        "given": "L5",
        "suggested": "L3",
        "quality": 0.01,
        "before": "Warm beds, cold soup",
        "here": "",
        "after": "",
        "reasons": "0.98 for L3, 0.01 for L5",
    } | more


def an_entity(rank: int = 1, **more: Any) -> dict[str, Any]:
    found = {"kind": "type", "given": "LOC: Arsenal", "suggested": "ORG: Arsenal", "likely": False, "reasons": ""}
    return a_suspect(rank, **found, before="He left ", here="Arsenal", after=" for Leeds") | more


def a_record(*suspects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "task": "classification",
        "data": "rooms",
        "command": "python -m recipes.audit task=classification data=rooms",
        "rows": 2000,
        "folds": 5,
        "score": {"name": "macro_f1", "value": 0.81, "interval": [0.78, 0.84]},
        "noise": {"rate": 0.083, "low": 0.069, "high": 0.097},
        "suspects": list(suspects),
    } | more


def page_of(*suspects: dict[str, Any], **more: Any) -> str:
    return checked(audit_page(a_record(*suspects, **more)))


def entries(page: str) -> list[str]:
    return [words(one).strip() for one in ENTRY.findall(page)]


def table_of(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)
    return [[words(cell).strip() for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)] for row in rows]


def test_the_verdict_comes_first_then_counts_then_suspects_then_what_to_do() -> None:
    text = words(page_of(a_suspect(1), a_suspect(2, likely=False)))
    sentence = (
        "2 suspects in 2,000 rows, 1 of them likely to be wrong; about 8.3% of all labels are wrong by estimate, "
        "probably between 6.9% and 9.7%."
    )
    assert (
        "judged by one of 5 models that had not seen it; together they reach macro_f1 0.8100 (0.780 to 0.840)" in text
    )
    order = [
        sentence,
        "What is given,",
        "Suspects, the",
        "What to do with",
        "What this can't tell Whether",
        "Command python",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("likely", "noise", "said"),
    [
        ([True], True, "1 suspect in 2,000 rows, likely to be wrong; about"),
        ([True, True], True, "2 suspects in 2,000 rows, all of them likely to be wrong; about"),
        ([False, False], True, "2 suspects in 2,000 rows, none of them likely to be wrong; about"),
        ([False, False], False, "2 suspects in 2,000 rows. How many labels are really wrong is not estimated here."),
        ([True, False], False, "2 suspects in 2,000 rows, 1 of them likely to be wrong. How"),
        ([], True, "Nothing is suspicious in 2,000 rows; about"),
        ([], False, "Nothing is suspicious in 2,000 rows. How"),
    ],
)
def test_likely_ones_are_told_where_something_tells_them_apart(likely: list[bool], noise: bool, said: str) -> None:
    suspects = [a_suspect(rank, likely=one) for rank, one in enumerate(likely, 1)]
    assert said in words(page_of(*suspects, **({} if noise else {"noise": None})))


def test_an_estimate_and_a_score_without_intervals_have_no_bounds() -> None:
    score = {"name": "macro_f1", "value": 0.81, "interval": None}
    text = words(page_of(a_suspect(), noise={"rate": 0.083, "low": None, "high": None}, score=score))
    assert "about 8.3% of all labels are wrong by estimate. The estimate" in text
    assert "95%" not in text
    assert "between" not in text
    assert "reach macro_f1 0.8100 Overview" in text


def test_without_suspects_there_is_no_list() -> None:
    page = page_of()
    assert entries(page) == []
    assert 'id="counts"' not in page
    assert 'id="suspects"' not in page
    assert 'href="audit.csv"' not in page
    assert "What this can't tell" in words(page)


def test_a_suspect_has_all_that_it_takes_to_judge_it() -> None:
    page = page_of(a_suspect(rank=1))
    assert entries(page) == [
        "1 trec. csv, line 1400 given L5 · suggested L3 Warm beds, cold soup 0.98 for L3, 0.01 for L5"
    ]
    assert 'title="/data/rooms/trec.csv"' in page
    assert "<mark>" not in page
    assert "A score says" not in page


def test_words_in_question_are_marked_where_they_stand() -> None:
    page = page_of(an_entity(), noise=None)
    assert "He left <mark>Arsenal</mark> for Leeds" in page
    assert "what is in question is <mark>" in page
    assert "score 0.0100" in entries(page)[0]
    assert "A score says how right" in page


@pytest.mark.parametrize("unit", ["row", "question", "document"])
def test_a_place_may_count_something_else_than_lines(unit: str) -> None:
    assert f"trec. csv, {unit} 1400" in words(page_of(a_suspect(unit=unit)))


@pytest.mark.parametrize(
    ("given", "suggested", "said"),
    [("", "L3", "given none · suggested L3"), ("L5", "", "given L5 · suggested none"), (" ", "x", "given none ·")],
)
def test_nothing_has_a_word(given: str, suggested: str, said: str) -> None:
    page = page_of(a_suspect(given=given, suggested=suggested))
    assert said in entries(page)[0]
    assert table_of(page)[1][:2] == [given.strip() or "none", suggested or "none"]


def test_a_blank_text_says_so() -> None:
    assert "(blank)" in entries(page_of(a_suspect(before=" \n")))[0]


@pytest.mark.parametrize("kind", [*MEANINGS, "label", "extra label", "missing label"])
def test_each_kind_has_a_page(kind: str) -> None:
    alone = page_of(a_suspect(kind=kind), noise=None)
    assert '<span class="tag">' not in alone, "one kind is told once"
    lines = table_of(alone)
    if "label" in kind:
        assert lines == [["given", "suggested", "suspects", "0 to 1"], ["L5", "L3", "1", ""]]
    elif kind == "number":
        assert lines == []
    else:
        assert lines == [["kind", "suspects", "0 to 1"], [f"{kind} {MEANINGS[kind]}", "1", ""]]
    both = page_of(a_suspect(kind=kind), a_suspect(2, kind="something new"), noise=None)
    assert f'<span class="tag">{kind}</span>' in both
    assert '<span class="tag">something new</span>' in both


def test_pairs_are_counted_the_most_frequent_first() -> None:
    pairs = [("b", "a")] * 2 + [("a", "b")] * 4 + [("", "b")]
    page = page_of(*(a_suspect(rank, given=one, suggested=other) for rank, (one, other) in enumerate(pairs, 1)))
    assert table_of(page)[1:] == [["a", "b", "4", ""], ["b", "a", "2", ""], ["none", "b", "1", ""]]
    assert BAR.findall(page) == ["200", "100", "50"]
    assert 'aria-label="4 suspects"' in page
    assert "other pair" not in page


def test_kinds_are_counted_where_words_are_in_question() -> None:
    kinds = ["missed", "type", "missed", "border"]
    page = page_of(*(an_entity(rank, kind=kind) for rank, kind in enumerate(kinds, 1)))
    assert [line[:2] for line in table_of(page)[1:]] == [
        [f"missed {MEANINGS['missed']}", "2"],
        [f"border {MEANINGS['border']}", "1"],
        [f"type {MEANINGS['type']}", "1"],
    ]


@pytest.mark.parametrize(
    ("pairs", "rest"), [(MOST_PAIRS, ""), (MOST_PAIRS + 1, "1 other pair"), (30, "10 other pairs")]
)
def test_rare_pairs_are_counted_together(pairs: int, rest: str) -> None:
    suspects = [a_suspect(rank, given=f"{rank % pairs:02}") for rank in range(2 * pairs)]
    page = page_of(*suspects)
    assert len(table_of(page)) == MOST_PAIRS + 1
    assert ("other pair" in page) == bool(rest)
    assert f"And {rest} with {2 * (pairs - MOST_PAIRS)} suspects together." in words(page) or not rest


@pytest.mark.parametrize("count", [MOST_SUSPECTS, MOST_SUSPECTS + 1, 2 * MOST_SUSPECTS + 234])
def test_the_worst_are_shown_and_the_others_are_counted(count: int) -> None:
    page = page_of(*(a_suspect(rank) for rank in range(1, count + 1)))
    shown = entries(page)
    assert [one.partition(" ")[0] for one in shown] == [str(rank) for rank in range(1, MOST_SUSPECTS + 1)]
    more = count - MOST_SUSPECTS
    assert (f"The first 500 are shown; {more:,} more are in audit.csv" in words(page).replace(" .", ".")) == bool(more)
    assert f"{count:,} suspects in" in page
    assert table_of(page)[1][2] == f"{count:,}", "all of them are counted"


def test_likely_ones_have_a_heading_if_there_are_others() -> None:
    text = words(page_of(a_suspect(1), a_suspect(2, likely=False)))
    assert text.index(" Likely 1 trec") < text.index(" Less likely 2 trec")
    assert "<h3>" not in page_of(a_suspect(1), a_suspect(2))
    hidden = [a_suspect(rank, likely=rank <= MOST_SUSPECTS) for rank in range(1, MOST_SUSPECTS + 2)]
    assert re.findall("<h3>(.*?)</h3>", page_of(*hidden)) == ["Likely"]


def test_of_a_long_text_what_is_around_the_words_in_question_is_kept() -> None:
    filler = "so it goes " * 1000
    page = page_of(an_entity(before=f"Who left?\n\n{filler}and he left ", after=f" for Leeds {filler}"))
    shown = entries(page)[0]
    assert "suggested ORG: Arsenal Who left? so it goes" in shown
    assert "goes … " in shown
    assert re.search(r"and he left Arsenal for Leeds so it [^…]*\w …", shown)
    assert len(shown) < 700
    long = entries(page_of(a_suspect(before="y" * 10_000, given="g" * 10_000)))[0]
    assert f" {'y' * LONGEST_TEXT} …" in long
    assert len(long) < 700


def test_a_page_stays_below_a_million_characters() -> None:
    names = ("before", "here", "after", "given", "suggested")
    long: dict[str, Any] = dict.fromkeys(names, "word & more " * 500)
    page_of(*(a_suspect(rank, **long) for rank in range(1, MOST_SUSPECTS + 1)))


def test_what_comes_from_data_is_escaped() -> None:
    names = ("file", "kind", "given", "suggested", "before", "here", "after", "reasons", "unit")
    evil: dict[str, Any] = dict.fromkeys(names, EVIL)
    score = {"name": EVIL, "value": 0.5, "interval": None}
    page = page_of(a_suspect(**evil), an_entity(2), task=EVIL, data=EVIL, command=EVIL, score=score)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert r'&"\x1b[31m\u202e' in html.unescape(page)


def test_the_page_is_written_beside_the_record_and_always_the_same(tmp_path: Path) -> None:
    record = a_record(a_suspect(), an_entity(2), a_suspect(3, given="L1"))
    (tmp_path / RECORD).write_text(json.dumps(record), encoding="utf-8")
    assert write_audit_page(tmp_path) == tmp_path / PAGE
    first = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert checked(first) == audit_page(record) == audit_page(dict(reversed(record.items())))


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"suspects": [{}]}'])
def test_a_damaged_record_is_refused(tmp_path: Path, damaged: str) -> None:
    (tmp_path / RECORD).write_text(damaged, encoding="utf-8")
    with pytest.raises(InputError, match=r"audit\.json is damaged"):
        write_audit_page(tmp_path)
    assert not (tmp_path / PAGE).exists()
