"""Answers of questions in the forms in which people have them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.answers import located, occurrences, read_answers
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.qa import Qa, Question
from tasks.task import Layout

CONTEXT = "Ida signs in Oslo. Ben signs in May."
#          0            13    19        29


def record(number: int, **cells: Any) -> Record:
    values = {"question": "who signs?", "context": CONTEXT, **cells}
    return Record(values, Origin("a.jsonl", number))


def read(
    *rows: dict[str, Any], report: ReadReport | None = None, columns: Columns | None = None, **options: Any
) -> list[Question]:
    layout, found = Layout(columns or Columns()), report or ReadReport()
    records = [record(number, **row) for number, row in enumerate(rows, start=1)]
    return Qa(**options).resolve_auto(records, layout, found).read(records, layout, found)


@pytest.mark.parametrize(
    ("cell", "start", "answers"),
    [
        ({"text": ["Ida", "Oslo"], "answer_start": [0, 13]}, None, [("Ida", 0), ("Oslo", 13)]),
        ({"text": "Ida", "answer_start": 0}, None, [("Ida", 0)]),
        ({"answer": "Ida", "start": 0}, None, [("Ida", 0)]),
        ({"answer_text": ["Ida"], "offset": ["0"]}, None, [("Ida", 0)]),
        (
            [{"text": "Ida", "answer_start": 0}, {"text": "Oslo", "answer_start": 13.0}],
            None,
            [("Ida", 0), ("Oslo", 13)],
        ),
        ([{"text": "Ida"}, {"text": "Oslo", "answer_start": None}], None, [("Ida", None), ("Oslo", None)]),
        (["Ida", "Oslo"], None, [("Ida", None), ("Oslo", None)]),
        (["Ida", "Oslo"], [0, "13"], [("Ida", 0), ("Oslo", 13)]),
        ("Ida", "0", [("Ida", 0)]),
        ("Ida", 0.0, [("Ida", 0)]),
        ("Ida", "0.0", [("Ida", 0)]),
        ("Ida", " 0 ", [("Ida", 0)]),
        ("Ida", "", [("Ida", None)]),
        ("Ida", float("nan"), [("Ida", None)]),
        ("['Ida', 'Oslo']", "[0, 13]", [("Ida", 0), ("Oslo", 13)]),
        ("['Ida' 'Oslo']", "[ 0 13]", [("Ida", 0), ("Oslo", 13)]),
        ("{'text': ['Ida'], 'answer_start': [0]}", None, [("Ida", 0)]),
        (
            "{'text': array(['Ida', 'Oslo'], dtype=object), 'answer_start': array([ 0, 13], dtype=int32)}",
            None,
            [("Ida", 0), ("Oslo", 13)],
        ),
        ('[{"text": "Ida", "answer_start": 0}]', None, [("Ida", 0)]),
        (1905, None, [("1905", None)]),
        # questions without an answer
        (None, None, []),
        ("", None, []),
        ("  ", 3, []),
        (float("nan"), float("nan"), []),
        ([], None, []),
        ("[]", None, []),
        ({}, None, []),
        ({"text": [], "answer_start": []}, None, []),
        ({"text": None, "answer_start": None}, None, []),
        ({"text": [""], "answer_start": [-1]}, None, []),
        ({"text": [""], "answer_start": [None]}, None, []),
        ({"text": ["", "Ida"], "answer_start": [-1, 0]}, None, [("Ida", 0)]),
        ([None, "Ida"], None, [("Ida", None)]),
        ("{'text': array([], dtype=object), 'answer_start': array([], dtype=int32)}", None, []),
    ],
)
def test_answers_in_many_forms(cell: Any, start: Any, answers: list[tuple[str, int | None]]) -> None:
    assert read_answers(cell, start) == answers


@pytest.mark.parametrize(
    ("cell", "start", "message"),
    [
        ({"text": ["Ida", "Oslo"], "answer_start": [0]}, None, "2 answer texts but 1 offsets"),
        ({"text": ["Ida"], "answer_start": [0, 13]}, None, "1 answer texts but 2 offsets"),
        ({"answer_start": [0]}, None, "0 answer texts but 1 offsets"),
        ({"text": ["Ida"], "answer_start": ["late"]}, None, "the offset 'late' of answer 'Ida' is not a whole number"),
        ({"text": ["Ida"], "answer_start": [0.5]}, None, r"the offset 0\.5 of answer 'Ida' is not a whole number"),
        ({"text": ["Ida"], "answer_start": [True]}, None, "the offset True"),
        ({"spans": ["Ida"]}, None, "none of the keys text, answer, answer_text"),
        ({"text": [["Ida"]], "answer_start": [0]}, None, r"the answer \['Ida'\] is not a text"),
        (["Ida", {"text": "Oslo"}], None, "is not a text"),
        (True, None, "True is not an answer"),
        ("{'text': ['Ida'], 'answer_start'}", None, "begins like a list or dict"),
    ],
)
def test_other_forms_are_refused(cell: Any, start: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_answers(cell, start)


def test_an_answer_without_offset_is_found_if_it_occurs_once() -> None:
    assert located("Oslo", None, CONTEXT) == 13
    assert located("signs", 4, CONTEXT) == 4
    with pytest.raises(ValueError, match="'signs' occurs 2 times in the passage: give its offset"):
        located("signs", None, CONTEXT)
    with pytest.raises(ValueError, match="'Rome' does not occur in the passage"):
        located("Rome", None, CONTEXT)


@given(st.text("ab", min_size=1), st.text("ab"))
def test_occurrences_are_those_of_a_plain_loop(text: str, context: str) -> None:
    assert occurrences(context, text) == [
        place for place in range(len(context)) if context[place : place + len(text)] == text
    ]


def test_answers_and_offsets_in_columns_of_their_own() -> None:
    rows = read({"answer_text": "May", "answer_start": "32"}, {"answer_text": "Oslo", "answer_start": ""}, {})
    assert [(row.answers, row.starts) for row in rows] == [(("May",), (32,)), (("Oslo",), (13,)), ((), ())]
    (row,) = read({"reply": "May", "place": 32.0}, columns=Columns(answers="reply", answer_start="place"))
    assert (row.answers, row.starts) == (("May",), (32,))


@pytest.mark.parametrize("said", [True, 1, "True", "yes", "1.0"])
def test_answers_of_impossible_questions_follow_the_policy(said: Any) -> None:
    rows = ({"answers": ["Ida"]}, {"answers": ["Oslo"], "is_impossible": said})
    with pytest.raises(
        InputError, match=r"line 2: question '1': is_impossible is true, but there are answers.*=ignore"
    ):
        read(*rows)
    for policy, answers in (("ignore", ()), ("use", ("Oslo",))):
        report = ReadReport()
        assert read(*rows, impossible_answers=policy, report=report)[1].answers == answers
        assert report.repaired == {"impossible question with answers": 1}
    report = ReadReport(on_bad_row="skip")
    assert len(read(*rows, report=report)) == 1
    assert report.skipped == {"bad answer": 1}


@pytest.mark.parametrize("said", [False, 0, "False", "no", None, ""])
def test_questions_that_are_not_said_to_be_impossible_keep_their_answers(said: Any) -> None:
    report = ReadReport()
    assert read({"answers": ["Ida"], "is_impossible": said}, report=report)[0].answers == ("Ida",)
    assert report == ReadReport()


def test_what_says_impossible_must_be_true_or_false() -> None:
    with pytest.raises(InputError, match=r"line 1: is_impossible is 'perhaps': true or false is needed"):
        read({"answers": ["Ida"], "is_impossible": "perhaps"})


def test_questions_that_are_only_said_to_be_impossible_have_no_answer() -> None:
    layout = Layout(Columns())
    records = [record(1, answers=["Ida"]), record(2, answers=[], is_impossible=True)]
    task = Qa().resolve_auto(records, layout, ReadReport())
    assert task.version == "v2.0"
    assert [row.answers for row in task.read(records, layout, ReadReport())] == [("Ida",), ()]


def test_ids_that_start_again_are_made_unique_and_counted() -> None:
    report = ReadReport()
    rows = read(
        {"id": "1", "question": "who?", "answers": ["Ida"]},
        {"id": "1", "question": "where?", "answers": ["Oslo"]},
        {"id": "1", "question": "when?", "answers": ["May"]},
        {"id": "1-2", "question": "why?", "answers": []},
        report=report,
    )
    assert len({row.id for row in rows}) == 4
    assert [row.id for row in rows[:3]] == ["1", "1-2", "1-3"]
    assert report.repaired == {"id given to several questions": 3}
    assert report.skipped == {}


def test_a_question_that_is_there_twice_with_the_same_id_is_a_bad_row() -> None:
    row = {"id": "7", "answers": ["Ida"]}
    with pytest.raises(InputError, match=r"a.jsonl, line 2: id '7' stands at a.jsonl, line 1 already"):
        read(row, row)
    report = ReadReport(on_bad_row="skip")
    assert len(read(row, row, {"answers": ["Oslo"]}, report=report)) == 2
    assert report.skipped == {"duplicate id": 1}
    # The same question with an id of its own is a row like others.
    assert len(read(row, {**row, "id": "8"})) == 2
