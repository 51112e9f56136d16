"""SQuAD's JSON."""

import json
from typing import Any

import pytest

from tasks.data.formats.squad import read_squad
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError


def question(**changes: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "Who signs?", "answers": [{"text": "Ida", "answer_start": 0}], **changes}


def file(*questions: Any, **top: Any) -> str:
    paragraphs = [{"context": "Ida signs.", "qas": list(questions)}]
    return json.dumps({"data": [{"title": "Lodges", "paragraphs": paragraphs}], **top})


def read(text: str, report: ReadReport | None = None) -> list[Record]:
    return read_squad(text, "f.json", report or ReadReport())


@pytest.mark.parametrize("top", [{}, {"version": "1.1"}])
def test_version_1(top: dict[str, str]) -> None:
    assert read(file(question(), **top)) == [
        Record(
            {
                "id": "q1",
                "title": "Lodges",
                "question": "Who signs?",
                "context": "Ida signs.",
                "answers": {"text": ["Ida"], "answer_start": [0]},
                "is_impossible": False,
            },
            Origin("f.json", 1, "question"),
        )
    ]


def test_version_2() -> None:
    text = file(
        question(is_impossible=False),
        question(id="q2", answers=[], is_impossible=True, plausible_answers=[{"text": "Ida", "answer_start": 0}]),
        version="v2.0",
    )
    first, second = read(text)
    assert first.values["is_impossible"] is False
    assert second.values["is_impossible"] is True
    assert second.values["answers"] == {"text": [], "answer_start": []}
    assert second.origin == Origin("f.json", 2, "question")


def test_ids_and_titles_may_be_missing() -> None:
    item = question(id=7)
    text = json.dumps({"data": [{"paragraphs": [{"context": "c", "qas": [item, {**item, "id": None}]}]}]})
    assert [(record.values["id"], record.values["title"]) for record in read(text)] == [("7", None), (None, None)]


def test_offsets_are_not_checked() -> None:
    record = read(file(question(answers=[{"text": "Bo", "answer_start": 99}, {"text": "", "answer_start": -1}])))[0]
    assert record.values["answers"] == {"text": ["Bo", ""], "answer_start": [99, -1]}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([], "f.json: the file: an object with 'data' is needed, not a list"),
        ({}, "f.json: data: a list is needed, not nothing"),
        ({"data": [{"paragraphs": []}, 3]}, "f.json: data[1]: an object with 'paragraphs' is needed, not a number"),
        ({"data": [{"title": "T"}]}, "f.json: data[0].paragraphs: a list is needed, not nothing"),
        ({"data": [{"paragraphs": ["x"]}]}, "f.json: data[0].paragraphs[0].context: a text is needed, not nothing"),
        (
            {"data": [{"paragraphs": [{"context": "c", "qas": {}}]}]},
            "f.json: data[0].paragraphs[0].qas: a list is needed, not an object",
        ),
    ],
)
def test_structure_errors_name_the_path(tree: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        read(json.dumps(tree))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("x", ": an object is needed, not a text"),
        (question(question=None), ".question: a text is needed, not nothing"),
        (question(is_impossible="no"), ".is_impossible: true or false is needed, not a text"),
        ({"question": "Who?"}, ".answers: a list is needed, not nothing"),
        (question(answers=["x"]), ".answers[0]: an object is needed, not a text"),
        (question(answers=[{"answer_start": 1}]), ".answers[0].text: a text is needed, not nothing"),
        (question(answers=[{"text": "x"}]), ".answers[0].answer_start: a whole number is needed, not nothing"),
        (question(answers=[{"text": "x", "answer_start": 1.5}]), ".answers[0].answer_start: a whole number is needed"),
        (question(answers=[{"text": "x", "answer_start": True}]), ".answers[0].answer_start: a whole number is needed"),
        (question(is_impossible=True), ".answers: there are some, but is_impossible is true"),
    ],
)
def test_bad_questions(item: Any, message: str) -> None:
    text = file(question(), question(), item, question())
    with pytest.raises(InputError) as error:
        read(text)
    assert str(error.value).startswith(f"f.json, question 3: data[0].paragraphs[0].qas[2]{message}")
    report = ReadReport("skip")
    assert [record.origin.number for record in read(text, report)] == [1, 2, 4]
    assert report.skipped == {"bad question": 1}


def test_broken_json() -> None:
    with pytest.raises(InputError, match=r"f\.json, line 2, column 3: Expecting"):
        read('{"data":\n  ]}')
