"""SQuAD's JSON."""

import json
from typing import Any

import pytest

from tasks.data.formats.squad import read_squad
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, recognised, written


def question(**changes: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "Who signs?", "answers": [{"text": "Ida", "answer_start": 0}], **changes}


def file(*questions: Any, **top: Any) -> str:
    paragraphs = [{"context": "Ida signs.", "qas": list(questions)}]
    return json.dumps({"data": [{"title": "Lodges", "paragraphs": paragraphs}], **top})


def read(text: str, report: ReadReport | None = None) -> list[Record]:
    return read_squad(written("f.json", text), report or ReadReport())


@pytest.mark.parametrize("top", [{}, {"version": "1.1"}])
def test_version_1(top: dict[str, str]) -> None:
    assert read(file(question(), **top)) == [
        Record(
            {
                "id": "q1",
                "title": "Lodges",
                "question": "Who signs?",
                "context": "Ida signs.",
                "answers": [{"text": "Ida", "answer_start": 0}],
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
    assert second.values["answers"] == []
    assert second.origin == Origin("f.json", 2, "question")


def test_ids_and_titles_may_be_missing() -> None:
    item = question(id=7)
    text = json.dumps({"data": [{"paragraphs": [{"context": "c", "qas": [item, {**item, "id": None}]}]}]})
    assert [(record.values["id"], record.values["title"]) for record in read(text)] == [("7", None), (None, None)]


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "Bo", "answer_start": 99}, {"text": "", "answer_start": -1}],
        {"text": ["Ida"], "answer_start": ["0"]},
        ["Ida"],
        "Ida",
        None,
    ],
)
def test_answers_are_left_to_the_task(answers: Any) -> None:
    assert read(file(question(answers=answers)))[0].values["answers"] == answers


@pytest.mark.parametrize("said", [True, False, 0, 1, "False", None])
def test_is_impossible_is_left_to_the_task(said: Any) -> None:
    assert read(file(question(is_impossible=said)))[0].values["is_impossible"] == said


def test_an_answer_and_its_offset_may_stand_beside_the_question() -> None:
    record = read(file({"question": "Who signs?", "answer": "Ida", "answer_start": 0}))[0]
    assert (record.values["answers"], record.values["answer_start"]) == ("Ida", 0)


PARAGRAPH = {"context": "Ida signs.", "qas": [question()]}
ARTICLE = {"title": "Lodges", "paragraphs": [PARAGRAPH]}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (json.dumps({"data": [ARTICLE, ARTICLE]}), "Lodges"),
        (json.dumps([ARTICLE, ARTICLE]), "Lodges"),
        (json_lines(ARTICLE, ARTICLE), "Lodges"),
        (json_lines({"data": [ARTICLE]}, {"data": [ARTICLE]}), "Lodges"),
        (json.dumps(ARTICLE, indent=1) + "\n" + json.dumps(ARTICLE, indent=1), "Lodges"),
        (json.dumps({"title": "Lodges", "paragraphs": [PARAGRAPH, PARAGRAPH]}), "Lodges"),
        (json.dumps([PARAGRAPH, PARAGRAPH]), None),
        (json.dumps({"data": [PARAGRAPH, PARAGRAPH]}), None),
        (json_lines(PARAGRAPH, PARAGRAPH), None),
        (json.dumps({"context": "Ida signs.", "qas": [question(), question()]}), None),
    ],
)
def test_tops(text: str, title: str | None) -> None:
    expected = {**question(), "title": title, "context": "Ida signs.", "is_impossible": False}
    assert [(record.values, record.origin.number) for record in read(text)] == [(expected, 1), (expected, 2)]
    assert recognised("f.json", text) == "train: f.json: SQuAD, 2 questions"


def test_a_fault_in_a_line_names_it() -> None:
    with pytest.raises(InputError, match=r"f\.json, line 2: column 13: Unterminated string"):
        read(json_lines(PARAGRAPH) + '{"context": "Ida')
    with pytest.raises(InputError, match=r"f\.json: line 2: data: a list is needed, not nothing"):
        read(json_lines(PARAGRAPH, {}))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (3, "f.json: the file: an object with 'data' is needed, not a number"),
        ([3], "f.json: [0]: an object with 'paragraphs' is needed, not a number"),
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
