"""The page of a data check: valid, closed in itself, escaped, and with pictures that hold the numbers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from recipes.reporting.check_page import MOST_LABELS, PAGE, RECORD, check_page, write_check_page
from tasks.errors import InputError
from tests.unit.test_pages import EVIL, checked, words

BAR = re.compile(r'<rect class="bar(?: bar(\d))?" x="0" y="[\d.]+" width="([\d.]+)"')
LINE = re.compile(r'<polyline class="line line(\d)" points="([^"]+)"')


def a_finding(grade: str = "warning", **more: Any) -> dict[str, Any]:
    return {
        "kind": "duplicates",
        "title": "training rows that are there twice",
        "grade": grade,
        "message": "20 of 200 training rows (10%) are there twice.",
        "count": 20,
        "of": 200,
        "share": 0.1,
        "why": "they count twice",
        "remedy": "leave them out",
        "examples": [{"text": "warm beds", "place": "rooms.csv, line 7"}, {"text": "cold", "place": None}],
        "excused": False,
    } | more


def lengths(*counts: list[int], median: int = 5, p95: int = 12, longest: int = 15) -> dict[str, Any]:
    return {"median": median, "p95": p95, "longest": longest, "counts": list(counts)}


def a_record(*findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    active = [finding["grade"] for finding in findings if not finding["excused"]]
    return {
        "task": "classification",
        "variety": "single label",
        "data": "rooms",
        "model": "minilm",
        "command": "python -m recipes.check task=classification data=rooms",
        "rows": {"train": 200, "test": 100},
        "labels": {"train": {"good": 150, "bad": 50}, "test": {"good": 40, "bad": 60}},
        "label_word": "rows",
        "lengths": {
            "words": {"train": lengths([0, 4, 50], [4, 8, 100], [12, 16, 50]), "test": lengths([4, 8, 100])},
            "tokens": {"train": lengths([0, 8, 100], [8, 16, 100]), "test": lengths([8, 16, 100])},
        },
        "limit": 12,
        "findings": list(findings),
        "counts": {grade: active.count(grade) for grade in ("error", "warning", "note")},
    } | more


def page_of(*findings: dict[str, Any], **more: Any) -> str:
    return checked(check_page(a_record(*findings, **more)))


def test_the_verdict_comes_first_and_a_finding_says_what_to_do() -> None:
    text = words(page_of(a_finding("error"), a_finding("note"), a_finding("note")))
    assert "1 error, 2 notes train 200 rows test 100 rows" in text
    assert "error Training rows that are there twice duplicates 20 of 200 training rows (10%) are there twice." in text
    assert "10% of 200 rows why it matters they count twice what to do leave them out" in text
    assert "for example place warm beds rooms. csv, line 7 cold" in text
    assert text.index("1 error") < text.index("Findings, the") < text.index("Share of the rows") < text.index("Command")


@pytest.mark.parametrize("grade", ["error", "warning", "note"])
def test_a_grade_is_told_by_its_word(grade: str) -> None:
    page = page_of(a_finding(grade))
    assert f'<span class="tag">{grade}</span>' in page
    assert f'class="finding grave-{grade}"' in page
    assert f"1 {grade} train" in words(page)


def test_a_finding_without_examples_or_places_has_no_empty_columns() -> None:
    assert "for example" not in page_of(a_finding(examples=[]))
    page = page_of(a_finding(examples=[{"text": " \n", "place": None}]))
    assert ">place</th>" not in page
    assert "for example (blank)" in words(page)


@pytest.mark.parametrize(("count", "of", "bars"), [(20, 200, 1), (30, 300, 1), (100, 100, 0), (0, 200, 0), (1, 6, 0)])
def test_only_a_part_of_the_rows_has_a_bar(count: int, of: int, bars: int) -> None:
    page = page_of(a_finding(count=count, of=of, share=count / of), labels={})
    assert len(BAR.findall(page)) == bars


def test_nothing_found() -> None:
    page = page_of()
    assert "Nothing doubtful was found train 200 rows" in words(page)
    assert 'class="finding' not in page
    assert 'id="findings"' not in page
    assert 'id="excused"' not in page


def test_excused_findings_stand_at_the_end_and_do_not_count() -> None:
    excused = a_finding("error", title="known", excused=True)
    page = page_of(excused, a_finding("note", title="not known"))
    text = words(page)
    assert "1 note; 1 excused train" in text
    assert text.index("Not known") < text.index("excused error Known") < text.index("Share of the rows")
    assert 'class="finding grave-error excused"' in page
    assert "Nothing doubtful was found; 1 excused" in words(page_of(excused))


def test_what_comes_from_data_is_escaped() -> None:
    evil = a_finding(
        kind=EVIL, title=EVIL, message=EVIL, why=EVIL, remedy=EVIL, examples=[{"text": EVIL, "place": EVIL}]
    )
    page = page_of(
        evil,
        evil | {"excused": True},
        variety=EVIL,
        data=EVIL,
        model=EVIL,
        command=EVIL,
        labels={"train": {EVIL: 3, f"{EVIL}x": 1}, "test": {}},
        label_word=EVIL,
    )
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "\\u202e" in page


def test_texts_are_shortened() -> None:
    long = "x" * 200_000
    finding = a_finding(message=long, examples=[{"text": long, "place": long}])
    assert len(page_of(finding, data=long, labels={"train": {long: 1}})) < 50_000


@pytest.mark.parametrize("labels", [{}, {"train": {}, "test": {}}])
def test_questions_have_no_labels(labels: dict[str, Any]) -> None:
    page = page_of(labels=labels, task="qa", variety="")
    assert 'id="labels"' not in page
    assert "Share of rows by their words" in words(page)


def test_a_split_without_labels_has_no_column() -> None:
    text = words(page_of(labels={"train": {"good": 150, "bad": 50}, "test": {}}))
    assert "label share train count good 75% 150 bad 25% 50" in text


def test_most_labels_are_summed() -> None:
    many = {f"label {number:03}": 1000 - number for number in range(1000)}
    rows = {"train": sum(many.values()), "test": 10}
    page = page_of(labels={"train": many, "test": {"label 999": 1, "new": 9}}, rows=rows)
    text = words(page)
    assert page.count('<th scope="row">') == MOST_LABELS + 4, "and 4 lines of lengths"
    shown = [*range(MOST_LABELS - 2), 999]
    for number in range(1000):
        assert (f"label {number:03}" in text) == (number in shown)
    assert "new 0% 0 90% 9" in text, "a label that only one split is full of is shown"
    rest = rows["train"] - sum(1000 - number for number in shown)
    share = "none with more than 0.2% of the rows of a split"
    assert f"And 971 other labels, {share}; the rows of all of them: {rest:,} of train and 0 of test." in text
    assert len(page) < 100_000


def test_without_a_model_there_are_no_tokens() -> None:
    record = a_record(model=None, limit=None)
    record["lengths"]["tokens"] = None
    page = checked(check_page(record))
    assert "no model was looked at" in page
    assert "tokens" not in words(page)
    assert len(LINE.findall(page)) == 2


def test_a_bar_is_twice_as_long_for_twice_the_share() -> None:
    page = page_of(labels={"train": {"a": 100, "b": 50}, "test": {"a": 25, "b": 0}})
    assert BAR.findall(page) == [("0", "200"), ("1", "100"), ("0", "100")]
    assert "a 50% 100 25% 25 b 25% 50 0% 0" in words(page)
    assert 'aria-label="a: train 50%, test 25%"' in page


def test_labels_are_counted_of_what_they_label() -> None:
    several = page_of(labels={"train": {"a": 200, "b": 100}}, label_word="rows")
    assert "a 100% 200 b 50% 100" in words(several), "a row may have several labels"
    entities = page_of(labels={"train": {"person": 900, "place": 100}}, label_word="entities")
    assert "person 90% 900 place 10% 100" in words(entities), "a row may have several entities"


def points(page: str, number: int) -> list[tuple[float, float]]:
    """Return the corners of the line of one split in the first picture, in order of drawing."""
    found = {int(colour): line for colour, line in reversed(LINE.findall(page))}
    return [(float(x), float(y)) for x, y in (point.split(",") for point in found[number].split())]


def test_steps_are_as_high_as_shares_and_as_wide_as_bins() -> None:
    record = a_record()
    record["lengths"]["tokens"] = None
    line = points(checked(check_page(record)), 0)
    zero = line[0][1]
    heights = [zero - y for _, y in line]
    assert heights[1] == pytest.approx(heights[4 - 1] / 2, abs=0.1)
    assert heights == pytest.approx(
        [0, heights[1], heights[1], 2 * heights[1], 2 * heights[1], 0, 0, heights[1], heights[1], 0], abs=0.1
    )
    left, right = line[0][0], line[-1][0]
    assert [16 * (x - left) / (right - left) for x, _ in line] == pytest.approx(
        [0, 0, 4, 4, 8, 8, 12, 12, 16, 16], abs=0.01
    )


def test_a_wide_bin_is_drawn_lower() -> None:
    record = a_record(lengths={"words": {"train": lengths([0, 4, 50], [4, 8, 50], [8, 24, 100], p95=20)}})
    line = points(checked(check_page(record)), 0)
    heights = [line[0][1] - y for _, y in line]
    assert heights[6 - 1] == pytest.approx(heights[1] / 2, abs=0.1)


def test_the_window_is_where_it_belongs() -> None:
    page = page_of(labels={})
    assert "window: 12" in page
    line = points(page.partition("Share of rows by their tokens")[2], 0)
    left, right = line[0][0], line[-1][0]
    place = re.search(r'<line class="diagonal" x1="([\d.]+)"', page)
    assert place is not None
    assert float(place[1]) == pytest.approx(left + (right - left) * 12 / 16, abs=0.1)
    assert "Every row fits" not in page


def test_a_window_that_all_rows_fit_into_is_told_in_words() -> None:
    page = page_of(limit=256)
    assert "window: 256" not in page
    assert "Every row fits into a window of 256 tokens." in words(page)


def test_a_few_very_long_rows_leave_room_for_the_others() -> None:
    found = lengths([0, 4, 150], [4, 8, 49], [5000, 5004, 1], p95=8, longest=5000)
    page = checked(check_page(a_record(lengths={"words": {"train": found}, "tokens": None})))
    line = points(page, 0)
    assert line[-1][0] > 200, "the second bin ends at half of the picture"
    assert "The longest rows lie beyond the picture." in words(page)
    assert "lie beyond" not in page_of()
    assert "train 5 8 5,000" in words(page)


@pytest.mark.parametrize("nothing", [{}, {"words": {}, "tokens": None}, {"words": {"train": lengths()}}])
def test_lengths_that_nobody_counted_have_no_picture(nothing: dict[str, Any]) -> None:
    assert 'id="lengths"' not in page_of(lengths=nothing)


def test_rows_without_a_word_have_a_picture() -> None:
    nothing = lengths([0, 1, 200], median=0, p95=0, longest=0)
    assert len(LINE.findall(page_of(lengths={"words": {"train": nothing}}))) == 1


def test_the_page_is_written_beside_the_record_and_always_the_same(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(json.dumps(a_record(a_finding())), encoding="utf-8")
    assert write_check_page(tmp_path) == tmp_path / PAGE
    first = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert checked(first) == check_page(a_record(a_finding()))
    shuffled = a_record(a_finding(), labels={"test": {"bad": 60, "good": 40}, "train": {"bad": 50, "good": 150}})
    assert check_page(shuffled) == first


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"findings": [{}]}'])
def test_a_damaged_record_is_refused(tmp_path: Path, damaged: str) -> None:
    (tmp_path / RECORD).write_text(damaged, encoding="utf-8")
    with pytest.raises(InputError, match=r"check\.json is damaged"):
        write_check_page(tmp_path)
    assert not (tmp_path / PAGE).exists()
