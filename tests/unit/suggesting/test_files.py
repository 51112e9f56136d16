"""Files of rows to label, read back as they come out of annotation tools."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from recipes.command.composing import compose
from recipes.suggesting.choosing import Candidate
from recipes.suggesting.suggestion_files import Suggestions, write_suggestions
from tasks.classification import Classification, Text
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.records import Origin, ReadReport, Record
from tasks.data.suggested import labelled_by_now
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.task import AnyTask, Head, Layout
from tasks.writing.to_label import place_to_fill, require_fillable, require_fillable_variety

AWKWARD = 'a "warm",\nbed & <b>board</b> \u2028 ü'


def suggestions(
    task: AnyTask, row: Any, prediction: dict[str, Any], values: dict[str, Any], **more: Any
) -> Suggestions:
    chosen = [Candidate(row, prediction, 0.123456, 0.1, 3)]
    head = Head("", more.get("labels", ("late & wet", "lost")))
    place = more.get("place", "label")
    return Suggestions(task, head, "model", place, chosen, {row.origin: Record(values, row.origin)})


def read(path: Path, task: AnyTask) -> list[Any]:
    report = ReadReport(on_bad_row="error")
    records = read_records(DataOptions(train=str(path)), "train", report) or []
    return task.read(records, Layout(Columns()), report)


def annotated(path: Path) -> None:
    """Make of each prediction what Label Studio exports once somebody has agreed with it."""
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks):
        task |= {"id": number, "annotations": [{"id": number, "result": task.pop("predictions")[0]["result"]}]}
    path.write_text(json.dumps(tasks))


def text(words: str) -> Text:
    return Text("0", words, None, None, Origin("new.csv", 2))


def test_label_studio_gives_back_what_is_agreed_with(tmp_path: Path) -> None:
    path = tmp_path / "to_label.json"
    task = Classification(kind="single_label")
    written = write_suggestions(path, suggestions(task, text(AWKWARD), {"label": "lost"}, {"review": AWKWARD, "id": 7}))
    annotated(path)
    (row,) = read(path, task)
    assert (row.text, row.label) == (AWKWARD, "lost")
    interface = ElementTree.parse(written[1]).getroot()  # noqa: S314
    control = interface.find("Choices")
    assert control is not None
    assert [choice.get("value") for choice in control] == ["late & wet", "lost"]
    assert (control.get("name"), control.get("toName"), control.get("choice")) == ("label", "text", "single")


@pytest.mark.parametrize("has_text", [True, False])
def test_entities_in_label_studio(has_text: bool, tmp_path: Path) -> None:
    path = tmp_path / "to_label.json"
    tokens, offsets = ("Ada", "left", "New", "York"), ((0, 3), (4, 8), (9, 12), (13, 17))
    row = Sentence(
        id="0",
        tokens=tokens,
        tags=None,
        text="Ada left New York" if has_text else None,
        offsets=offsets if has_text else None,
        origin=Origin("new.txt", 1),
    )
    tags = ["B-PER", "O", "B-LOC", "I-LOC"]
    values: dict[str, Any] = {"text": row.text} if has_text else {"tokens": list(tokens), "pos": ["a"] * 4}
    found = suggestions(Ner(), row, {"tags": tags}, values, labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
    _, interface = write_suggestions(path, found)
    control = ElementTree.parse(interface).getroot().find("Labels")  # noqa: S314
    assert control is not None
    assert [label.get("value") for label in control] == ["PER", "LOC"]
    assert set(json.loads(path.read_text())[0]["data"]) == {"text", "uncertainty"}, (
        "neither words nor what stands for each are there a second time"
    )
    annotated(path)
    (back,) = read(path, Ner(words="blanks"))
    assert (back.tokens, list(back.tags)) == (tokens, tags)


def test_doccano_is_given_no_label_that_nobody_gave(tmp_path: Path) -> None:
    path = tmp_path / "to_label.jsonl"
    task = Classification(kind="multi_label")
    write_suggestions(path, suggestions(task, text(AWKWARD), {"label": ["lost"]}, {"text": AWKWARD, "id": 7}))
    (line,) = path.read_text().splitlines()
    shown = json.loads(line)
    assert shown == {"text": AWKWARD, "label": [], "id": 7, "predicted": ["lost"], "uncertainty": 0.1235}
    path.write_text(json.dumps({**shown, "label": ["late", "lost"]}) + "\n")
    assert read(path, task)[0].labels == ("late", "lost")


def test_a_table_has_a_column_to_fill(tmp_path: Path) -> None:
    path = tmp_path / "to_label.csv"
    task = Classification(kind="single_label")
    write_suggestions(path, suggestions(task, text(AWKWARD), {"label": "lost"}, {"text": AWKWARD, "a,b": 1}))
    assert path.read_text().startswith('text,"a,b",label,predicted,uncertainty\n')
    filled = path.read_text().replace(",,lost,", ",late,lost,")
    path.write_text(filled)
    (row,) = read(path, task)
    assert (row.text, row.label) == (AWKWARD, "late"), "what is predicted is not taken for the label"
    found = suggestions(task, text("a bed"), {"label": "lost"}, {"review": "a bed", "fault": "old"}, place="fault")
    write_suggestions(path, found)
    assert path.read_text() == "review,fault,predicted,uncertainty\na bed,,lost,0.1235\n"


def test_questions(tmp_path: Path) -> None:
    row = Question(
        id="0",
        title=None,
        question="Who left?",
        context="Ada left.",
        answers=(),
        starts=(),
        origin=Origin("new.csv", 2),
    )
    path = tmp_path / "to_label.csv"
    values = {"question": "Who left?", "context": "Ada left."}
    write_suggestions(path, suggestions(Qa(), row, {"answer": "Ada"}, values, place="answer"))
    path.write_text(path.read_text().replace(",,Ada,", ",Ada,Ada,"))
    (back,) = read(path, Qa())
    assert back.answers == ("Ada",)


def test_a_column_is_called_as_in_training() -> None:
    rows = [Record({"text": "a", "labels": "late", "answers": "x"}, Origin("a.csv", 2))]
    assert place_to_fill(Classification(), rows, Columns()) == "labels"
    assert place_to_fill(Classification(), rows, Columns(label="fault")) == "fault"
    assert place_to_fill(Classification(), [], Columns()) == "label"
    assert place_to_fill(Qa(), rows, Columns()) == "answers"


@pytest.mark.parametrize("values", [{"text": "a", "topic": ""}, {"text": "a", "label": []}, {"answer": None}])
def test_rows_that_nobody_has_labelled_are_not_trained_on(values: dict[str, Any]) -> None:
    marked = Record({**values, "predicted": "late", "uncertainty": 0.0}, Origin("a.csv", 2))
    columns = Columns(label="topic") if "topic" in values else Columns()
    with pytest.raises(InputError, match=r"a\.csv, line 2: it was suggested by recipes\.suggest, and has no label yet"):
        labelled_by_now([marked], columns, ReadReport(), may_be_empty=False)
    filled = Record({**marked.values, [*values][-1]: "late"}, Origin("a.csv", 3))
    plain = Record(values, Origin("a.csv", 4))
    report = ReadReport(on_bad_row="skip")
    assert labelled_by_now([marked, filled, plain], columns, report, may_be_empty=False) == [filled, plain]
    assert report.skipped == {"not labelled yet": 1}


def test_an_unfilled_file_is_not_read(tmp_path: Path) -> None:
    lines = ["text,label,predicted,uncertainty", *(f"text {n},{'late' if n % 2 else 'lost'},," for n in range(20))]
    path = tmp_path / "rows.csv"
    for last, fine in (("text 20,,late,0.5", False), ("text 20,late,late,0.5", True)):
        path.write_text("\n".join([*lines, last]) + "\n")
        config = compose(["task=classification", "data=files", f"data.train={path}"])
        if fine:
            assert sum(map(len, load(config.task, config.data, 1).splits.values())) == 21
        else:
            with pytest.raises(InputError, match=r"rows\.csv, line 22: it was suggested by recipes\.suggest"):
                load(config.task, config.data, 1)


def test_labels_in_columns_of_their_own_are_no_empty_place() -> None:
    marked = Record({"text": "a", "rude": 1, "predicted": ["rude"], "uncertainty": 0.5}, Origin("a.csv", 2))
    assert labelled_by_now([marked], Columns(label=["rude"]), ReadReport(), may_be_empty=False) == [marked]


def test_sentences_may_have_no_entities() -> None:
    report = ReadReport()
    marked = Record({"text": "a", "spans": [], "predicted": [], "uncertainty": 0.5}, Origin("a.jsonl", 1))
    assert labelled_by_now([marked], Columns(), report, may_be_empty=True) == [marked]
    assert report.notes == [
        "1 of the rows that recipes.suggest has written have no entity. Are all of them labelled by now?"
    ]


def test_files_that_cannot_be_filled() -> None:
    for task, suffix in (("ner", ".csv"), ("qa", ".json")):
        with pytest.raises(InputError, match=f"-o FILE{suffix}"):
            require_fillable(task, suffix)
    with pytest.raises(InputError, match="numbers have no place in doccano's labels"):
        require_fillable_variety(Classification(kind="regression"), ".jsonl")
