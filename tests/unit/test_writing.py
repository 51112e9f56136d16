"""Whatever a writer writes is read back as the rows that went in; what it can't hold is refused or counted."""

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipes.config.schema import TASKS
from tasks.answers import read_answers
from tasks.classification import Text
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.ner import Sentence
from tasks.qa import Question
from tasks.task import Layout
from tasks.writing.csv_cells import csv_text
from tasks.writing.writers import WRITERS, choose_writer
from tests.rows import NOWHERE, labelled_texts, questions, sentences

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def content(rows: Sequence[Any], *without: str) -> list[dict[str, Any]]:
    return [
        {part.name: getattr(row, part.name) for part in fields(row) if part.name not in ("origin", *without)}
        for row in rows
    ]


def read(path: Path, task: str, labelled: bool, **options: Any) -> list[Any]:
    """Return the rows of a file as a run would read them, and fail if anything was repaired or left out."""
    report = ReadReport()
    records = read_records(DataOptions(train=str(path)), "train", report)
    assert records is not None
    reader, layout = TASKS[task](**options), Layout(Columns())
    assert reader.has_labels(records, layout) is labelled
    if labelled:
        reader = reader.resolve_auto(records, layout, report)
    rows = reader.read(records, layout, report, labelled=labelled)
    assert report.skipped == {}
    return list(rows)


def written(path: Path, name: str, task: str, rows: Sequence[Any], labelled: bool) -> tuple[Path, list[Any]] | None:
    """Write rows, those that the format can't hold left out. Return the file and what it should hold."""
    writer = next(writer for writer in WRITERS if (writer.name, writer.task) == (name, task))
    report = ReadReport(on_bad_row="skip")
    try:
        done = writer.write(rows, labelled, report)
    except InputError:
        assert sum(report.skipped.values()) == len(rows), "only where no row can be held"
        return None
    assert len(done.rows) + sum(report.skipped.values()) == len(rows)
    file = path / f"rows{writer.suffix}"
    file.write_text(done.text, encoding="utf-8", newline="")
    return file, list(done.rows)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("name", ["jsonl_spans", "jsonl_tokens", "conll"])
@given(data=st.data())
@QUICK
def test_sentences(tmp_path: Path, name: str, labelled: bool, data: st.DataObject) -> None:
    rows = data.draw(sentences(labelled))
    done = written(tmp_path, name, "ner", rows, labelled)
    if done is None:
        return
    file, held = done
    found = read(file, "ner", labelled)
    assert content(found) == content(held)
    words = [(row.tokens, row.tags) for row in rows]
    if len(found) == len(rows):
        assert [(row.tokens, row.tags) for row in found] == words
    if name != "conll" and len(found) == len(rows):
        assert [row.id for row in found] == [row.id for row in rows]
    if name == "jsonl_spans" and len(found) == len(rows):
        assert [row.text for row in found] == [row.text or " ".join(row.tokens) for row in rows]


@given(rows=sentences())
@QUICK
def test_doccano_keeps_texts_and_entities(tmp_path: Path, rows: list[Sentence]) -> None:
    done = written(tmp_path, "doccano", "ner", rows, True)
    if done is None:
        return
    file, held = done
    values = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    for value, row in zip(values, held, strict=True):
        assert (str(value["id"]), value["text"]) == (row.id, row.text)
        words = [value["text"][start:end] for start, end, _ in value["label"]]
        begins = [tag for tag in row.tags if tag.startswith("B-")]
        assert [f"B-{kind}" for _, _, kind in value["label"]] == begins
        assert all(any(word.startswith(token) for token in row.tokens) for word in words)
    if all(row.tokens == tuple(row.text.split()) for row in held) and any(value["label"] for value in values):
        assert content(read(file, "ner", True, words="blanks")) == content(held)


@pytest.mark.parametrize("tokens", [("Ida", "\ufeff"), ("\ufeffIda",)])
def test_conll_can_not_hold_words_that_begin_with_a_byte_order_mark(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    rows = [Sentence("0", tokens, ("O",) * len(tokens), NOWHERE), Sentence("1", ("Oslo",), ("B-x",), NOWHERE)]
    done = written(tmp_path, "conll", "ner", rows, True)
    assert done is not None
    assert content(read(done[0], "ner", True)) == content(done[1])
    assert [row.tokens for row in done[1]] == [("Oslo",)]


def test_words_between_blanks_go_through_doccano(tmp_path: Path) -> None:
    rows = [Sentence("0", ("Mara's", "New-York", "2,5"), ("B-7", "B-7", "I-7"), NOWHERE)]
    done = written(tmp_path, "doccano", "ner", rows, True)
    assert done is not None
    assert json.loads(done[0].read_text()) == {
        "id": 0,
        "text": "Mara's New-York 2,5",
        "label": [[0, 6, "7"], [7, 19, "7"]],
    }
    assert content(read(done[0], "ner", True, words="blanks"), "text", "offsets") == content(rows, "text", "offsets")


@pytest.mark.parametrize("name", ["csv", "jsonl"])
@given(rows=labelled_texts())
@QUICK
def test_texts(tmp_path: Path, name: str, rows: list[Text]) -> None:
    labelled = rows[0].label is not None
    done = written(tmp_path, name, "classification", rows, labelled)
    if done is None:
        return
    file, held = done
    kinds = {str: "single_label", tuple: "multi_label", float: "regression"}
    options = {"kind": kinds[type(rows[0].label)]} if labelled else {}
    found = read(file, "classification", labelled, **options)
    assert content(found) == content(held)
    if len(held) == len(rows):
        assert content(found) == content(rows)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("name", ["squad", "csv", "jsonl"])
@given(data=st.data())
@QUICK
def test_questions(tmp_path: Path, name: str, labelled: bool, data: st.DataObject) -> None:
    rows = data.draw(questions(labelled))
    done = written(tmp_path, name, "qa", rows, labelled)
    if done is None:
        return
    file, held = done
    # Whether questions have no answers, or answers are not given, only `is_impossible` tells.
    found = read(file, "qa", labelled)
    assert content(found) == content(held)
    if len(held) == len(rows):
        assert content(found) == content(rows)


SENTENCE = Sentence("0", ("Mara", "left"), ("B-person", "O"), NOWHERE)


@pytest.mark.parametrize(
    ("name", "row", "why"),
    [
        ("conll", Sentence("0", ("a\tb",), ("O",), NOWHERE), "tab"),
        ("conll", Sentence("0", ("a", " "), ("O", "O"), NOWHERE), "blank"),
        ("conll", Sentence("0", ("-DOCSTART-",), ("O",), NOWHERE), "documents"),
        ("jsonl_spans", Sentence("0", ("a", ""), ("O", "O"), NOWHERE), "jsonl_tokens"),
        ("csv", Text("0", "two\r\nlines", None, "good", NOWHERE), r"\\r\\n"),
        ("csv", Text("0", "warm beds", None, "['good']", NOWHERE), "read as something else"),
        ("jsonl", Text("0", "warm beds", None, "1.0", NOWHERE), "read as something else"),
    ],
)
def test_what_a_format_can_not_hold_is_refused(name: str, row: Any, why: str) -> None:
    task = "ner" if isinstance(row, Sentence) else "classification"
    writer = next(writer for writer in WRITERS if (writer.name, writer.task) == (name, task))
    with pytest.raises(InputError, match=f"rows, line 1: {name} can't hold this row: .*{why}"):
        writer.write([row], True, ReadReport())
    other = SENTENCE if isinstance(row, Sentence) else Text("1", "cold soup", None, "bad", NOWHERE)
    report = ReadReport(on_bad_row="skip")
    assert len(writer.write([row, other], True, report).rows) == 1
    assert report.skipped == {f"can't be written as {name}": 1}


def test_what_conll_loses_is_counted() -> None:
    with_text = Sentence("a", ("New York", "is"), ("B-place", "O"), NOWHERE, "New York is", ((0, 8), (9, 11)))
    done = choose_writer("ner", ".conll", None).write([with_text, SENTENCE], True, ReadReport())
    assert done.text == "New York\tB-place\nis\tO\n\nMara\tB-person\nleft\tO\n"
    assert done.losses == {"texts and the places of words in them": 1, "ids": 2}
    assert done.notes == ["1 words hold blanks; a program that splits lines at blanks would misread them"]


def test_squad_groups_neighbours() -> None:
    rows = [
        Question("q1", "Who signs?", "Ida signs.", ("Ida",), (0,), "Lodges", NOWHERE),
        Question("q2", "Who pays?", "Ida signs.", (), (), "Lodges", NOWHERE),
        Question("q3", "Where?", "In Oslo.", ("Oslo",), (3,), None, NOWHERE),
    ]
    first = {"id": "q1", "question": "Who signs?", "answers": [{"text": "Ida", "answer_start": 0}]}
    second = {"id": "q2", "question": "Who pays?", "answers": []}
    third = {"id": "q3", "question": "Where?", "answers": [{"text": "Oslo", "answer_start": 3}]}
    assert json.loads(choose_writer("qa", ".json", None).write(rows, True, ReadReport()).text) == {
        "version": "v2.0",
        "data": [
            {
                "title": "Lodges",
                "paragraphs": [
                    {
                        "context": "Ida signs.",
                        "qas": [{**first, "is_impossible": False}, {**second, "is_impossible": True}],
                    }
                ],
            },
            {"paragraphs": [{"context": "In Oslo.", "qas": [{**third, "is_impossible": False}]}]},
        ],
    }


def test_two_columns_are_a_word_and_its_tag_though_the_words_are_numbers(tmp_path: Path) -> None:
    rows = [Sentence("0", ("#", "1", "2", "3"), ("O", "B-x", "O", "O"), NOWHERE)]
    done = written(tmp_path, "conll", "ner", rows, True)
    assert done is not None
    assert content(read(done[0], "ner", True)) == content(rows)


def test_titles_that_are_blank_join_no_questions(tmp_path: Path) -> None:
    rows = [Question(str(n), "Who?", f"Ida {n}", ("Ida",), (0,), "Lodges" if n else None, NOWHERE) for n in range(2)]
    done = written(tmp_path, "csv", "qa", rows, True)
    assert done is not None
    assert [row.title for row in read(done[0], "qa", True)] == [None, "Lodges"]


@pytest.mark.parametrize("cell", [{"texts": ["Ida"]}, {"a": 1}])
def test_an_object_without_any_answer_key_is_not_a_question_without_answer(cell: Any) -> None:
    with pytest.raises(ValueError, match="none of the keys text, answer, answer_text"):
        read_answers(cell)
    assert read_answers({}) == read_answers({"text": None}) == read_answers({"text": []}) == []


def test_words_that_look_like_fasttext_in_a_conll_file(tmp_path: Path) -> None:
    rows = [Sentence("0", ("__label__x",), ("B-x",), NOWHERE)]
    done = written(tmp_path, "conll", "ner", rows, True)
    assert done is not None
    assert content(read(done[0], "ner", True)) == content(rows)


PRINTERS = (repr, json.dumps, lambda value: str(np.array(value, dtype=object)))
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6).filter(
    lambda word: word == word.strip() != ""
)


@st.composite
def printed(draw: st.DrawFn) -> tuple[Any, str]:
    """A list or dict of texts, and what a program prints for it."""
    value: Any = draw(
        st.lists(WORDS, min_size=1, max_size=4)
        | st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)
        | st.lists(st.lists(WORDS, min_size=1, max_size=2), min_size=2, max_size=2)
    )
    printers = PRINTERS if isinstance(value, list) and isinstance(value[0], str) else PRINTERS[:2]
    return value, draw(st.sampled_from(printers))(value)


def read_table(path: Path, task: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Any] | None:
    """Return the rows of a CSV file, or None if it is refused."""
    file = path / "table.csv"
    table = csv_text(names, [dict(zip(names, row, strict=True)) for row in rows])
    file.write_text(table, encoding="utf-8", newline="")
    try:
        records = read_records(DataOptions(train=str(file)), "train", ReadReport())
        assert records is not None
        reader = TASKS[task]().resolve_auto(records, Layout(Columns()), ReadReport())
        return list(reader.read(records, Layout(Columns()), ReadReport()))
    except InputError:
        return None


@given(cell=printed())
@QUICK
def test_no_printed_list_becomes_a_label(tmp_path: Path, cell: tuple[Any, str]) -> None:
    value, text = cell
    rows = read_table(tmp_path, "classification", ("text", "label"), [("warm beds", text), ("cold soup", text)])
    if rows is not None:
        flat = [item[0] if isinstance(item, list) else item for item in value]
        assert isinstance(value, list)
        assert all(len(item) == 1 for item in value if isinstance(item, list))
        # 1.0 and 1 are the same class.
        assert set(rows[0].labels) == {re.sub(r"^(-?\d+)\.0+$", r"\1", name) for name in flat}


@given(words=printed(), tags=st.sampled_from(PRINTERS))
@QUICK
def test_no_printed_list_becomes_a_word(tmp_path: Path, words: tuple[Any, str], tags: Any) -> None:
    value, text = words
    tag_cell = tags(["B-x"] * len(value))
    rows = read_table(tmp_path, "ner", ("tokens", "tags"), [(text, tag_cell)])
    if rows is None:
        assert not (isinstance(value, list) and isinstance(value[0], str))
    else:
        assert rows[0].tokens == tuple(value)
        assert rows[0].tags == ("B-x",) * len(value)


@given(tags=printed())
@QUICK
def test_no_printed_list_becomes_a_tag(tmp_path: Path, tags: tuple[Any, str]) -> None:
    value, text = tags
    rows = read_table(tmp_path, "ner", ("tokens", "tags"), [(json.dumps(["a"] * len(value)), text)])
    if rows is not None:
        assert isinstance(value, list)
        assert len(rows[0].tags) == len(value)
        assert not any(text in tag for tag in rows[0].tags)


@given(answers=printed())
@QUICK
def test_no_printed_list_becomes_an_answer(tmp_path: Path, answers: tuple[Any, str]) -> None:
    value, text = answers
    # The passage holds the printed form alone, so that it would be found if it were taken for the answer.
    rows = read_table(tmp_path, "qa", ("question", "context", "answers"), [("Who?", text, text)])
    if rows is not None:
        assert isinstance(value, list)
        assert list(rows[0].answers) == value


@given(answers=st.lists(WORDS, min_size=1, max_size=3), print_value=st.sampled_from(("python", "json", "numpy")))
@QUICK
def test_printed_answers_with_offsets_are_read(tmp_path: Path, answers: list[str], print_value: str) -> None:
    passage = "".join(f"{answer} / " for answer in answers)
    starts = [sum(len(answer) + 3 for answer in answers[:number]) for number in range(len(answers))]
    value: Any = {"text": answers, "answer_start": starts}
    if print_value == "numpy":
        value = {"text": np.array(answers, dtype=object), "answer_start": np.array(starts)}
    text = json.dumps(value) if print_value == "json" else repr(value)
    rows = read_table(tmp_path, "qa", ("question", "context", "answers"), [("Who?", passage, text)])
    assert rows is not None
    assert (list(rows[0].answers), list(rows[0].starts)) == (answers, starts)
