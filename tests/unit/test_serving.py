"""The parts of predicting on files: the journal, the formats of outputs, gold answers, and rows of items."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recipes.command.predict_line import OUTPUT_SUFFIXES
from recipes.model.stored_task import StoredTask, stored_task
from recipes.serving.gold import Gold
from recipes.serving.items import list_of_items, rows_of_items
from recipes.serving.journal import Journal, Line, plain
from recipes.serving.output_formats import FORMATS, Layout, layout_of, require_format
from recipes.serving.reading_files import FileReader
from recipes.statistics.bootstrap import intervals
from tasks.classification import Classification
from tasks.data.options import Columns, DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.ner import Ner, Sentence
from tasks.qa import Qa
from tasks.task import AnyTask, Head
from tasks.task import Layout as ReadLayout

IDENTITY = {"model": "abc", "options": ["task.top_k=2"]}


def line(place: int, **more: Any) -> Line:
    return {"values": {"text": f"text {place}"}, "file": "a.csv", "place": place, "answer": {"label": "good"}, **more}


def test_a_journal_goes_on_after_its_last_whole_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    assert journal.begin(IDENTITY, overwrite=False) == 0
    journal.append([line(2), line(3)])
    whole = journal.path.read_bytes()
    journal.append([line(4)])
    cut = journal.path.read_bytes()[:-5]
    for size in range(len(whole), len(cut) + 1):
        journal.path.write_bytes(cut[:size])
        assert journal.begin(IDENTITY, overwrite=False) == 2
        assert journal.path.read_bytes() == whole
    assert [one["place"] for one in journal.lines()] == [2, 3]


def test_lines_that_are_added_while_reading_are_not_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    journal.begin(IDENTITY, overwrite=False)
    journal.append([line(2)])
    lines = journal.lines()
    assert next(lines)["place"] == 2
    journal.append([line(3)])
    assert list(lines) == []


def test_a_journal_without_a_whole_first_line_begins_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    for content in ("", '{"model": "ab'):
        journal.path.write_text(content)
        assert journal.begin(IDENTITY, overwrite=False) == 0


def test_a_journal_without_rows_stands_in_nobody_s_way(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    journal.begin(IDENTITY, overwrite=False)
    assert journal.begin({**IDENTITY, "options": []}, overwrite=False) == 0
    journal.remove_if_empty()
    assert list(tmp_path.iterdir()) == []
    journal.begin(IDENTITY, overwrite=False)
    journal.append([line(2)])
    journal.remove_if_empty()
    assert [one["place"] for one in journal.lines()] == [2]


@pytest.mark.parametrize("damage", ['{"values": {}, }', "[1]}", '{"values": {}, "file": "a", "place": 2}', "\0\0}"])
def test_a_damaged_journal_is_named(damage: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    journal.begin(IDENTITY, overwrite=False)
    with journal.path.open("a") as file:
        file.write(f"{damage}\n")
    with pytest.raises(InputError, match=r"is damaged.*--overwrite"):
        list(journal.lines())


def test_a_journal_of_other_predictions_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl")
    journal.begin(IDENTITY, overwrite=False)
    journal.append([line(2)])
    with pytest.raises(InputError, match=r"model: 'abc' then, 'other' now\n.*--overwrite"):
        journal.begin({**IDENTITY, "model": "other"}, overwrite=False)
    assert journal.begin({**IDENTITY, "model": "other"}, overwrite=True) == 0
    assert list(journal.lines()) == []


def test_two_processes_can_not_write_one_file(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl").lock():
        with pytest.raises(InputError, match="another process is writing"), Journal(tmp_path / "out.jsonl").lock():
            pass
        with Journal(tmp_path / "other.jsonl").lock():
            pass
    assert list(tmp_path.iterdir()) == []


def written(suffix: str, task: AnyTask, lines: list[Line], *, with_places: bool = False) -> str:
    return "".join(FORMATS[suffix](lines, task, layout_of(lines, with_places)))


GOOD, BAD = (
    {"label": "good", "scores": {"good": 0.9, "bad": 0.1}},
    {"label": "bad", "scores": {"good": 0.2, "bad": 0.8}},
)
TEXTS: list[Line] = [
    {"values": {"id": 7, "text": 'a "warm",\nbed'}, "file": "a.csv", "place": 2, "answer": GOOD},
    {"values": {"text": "=cold", "score": None}, "file": "b.csv", "place": 9, "answer": BAD},
]


def test_json_lines_have_the_columns_of_the_input_and_the_prediction() -> None:
    first, second = map(json.loads, written(".jsonl", Classification(kind="single_label"), TEXTS).splitlines())
    assert first == {"id": 7, "text": 'a "warm",\nbed', "prediction": TEXTS[0]["answer"]}
    assert second == {"text": "=cold", "score": None, "prediction": TEXTS[1]["answer"]}
    first, _ = map(json.loads, written(".jsonl", Classification(), TEXTS, with_places=True).splitlines())
    assert (first["file"], first["place"]) == ("a.csv", 2)


def test_csv_has_all_columns_and_names_of_ours_that_are_free() -> None:
    table = list(csv.reader(io.StringIO(written(".csv", Classification(kind="single_label"), TEXTS))))
    assert table == [
        ["id", "text", "score", "prediction", "score_2"],
        ["7", 'a "warm",\nbed', "", "good", "0.9"],
        ["", "=cold", "", "bad", "0.8"],
    ]


def test_csv_of_other_tasks() -> None:
    several = [{**TEXTS[0], "values": {"text": "x"}, "answer": {"label": ["a", "b"], "scores": {"a": 0.9, "b": 0.8}}}]
    assert written(".csv", Classification(kind="multi_label"), several) == 'text,prediction\nx,"[""a"", ""b""]"\n'
    number = [{**TEXTS[0], "values": {"text": "x"}, "answer": {"label": 2.5}}]
    assert written(".csv", Classification(kind="regression"), number) == "text,prediction\nx,2.5\n"
    answer = {"answer": "", "start": None, "end": None, "score": 0.1, "no_answer_score": 2.0, "best_answer": "y"}
    questions = [{**TEXTS[0], "values": {"question": "x", "answer": "gold"}, "answer": answer}]
    expected = "question,answer,answer_2,start,end,score,no_answer_score,best_answer\nx,gold,,,,0.1,2.0,y\n"
    assert written(".csv", Qa(version="v2.0"), questions) == expected


def test_conll_has_the_tags_of_the_input_before_the_predicted_ones() -> None:
    tagged = line(1, tokens=["In", "Oslo"], tags=["O", "B-place"])
    assert written(".conll", Ner(), [tagged, tagged]) == "In\tO\nOslo\tB-place\n\n" * 2
    assert written(".conll", Ner(), [{**tagged, "gold": ["O", "O"]}]) == "In\tO\tO\nOslo\tO\tB-place\n\n"
    with pytest.raises(InputError, match=r"-o FILE\.jsonl"):
        require_format(Path("a.conll"), "classification")
    require_format(Path("a.CoNLL"), "ner")
    with pytest.raises(InputError, match=r"a\.csv, 1: CoNLL can't hold the word 'a\\tb'"):
        written(".conll", Ner(), [line(1, tokens=["a\tb"], tags=["O"])])


def test_nothing_to_predict_is_an_empty_file() -> None:
    for suffix in FORMATS:
        assert written(suffix, Classification(), []) == ""


def test_the_command_line_knows_the_formats() -> None:
    assert set(OUTPUT_SUFFIXES) == set(FORMATS)


def test_a_free_name_is_free() -> None:
    assert Layout(("a",), False).free("score") == "score"
    assert Layout(("score", "score_2"), False).free("score") == "score_3"


HEAD = Head("AutoModelForSequenceClassification", ("bad", "good"), "single_label_classification")


def records(*labels: str | None) -> list[Record]:
    return [Record({"text": f"text {n}", "label": label}, Origin("a.csv", n)) for n, label in enumerate(labels, 2)]


def scored(*labels: str | None) -> Gold:
    gold = Gold(Classification(kind="single_label"), HEAD)
    found = records(*labels)
    gold.begin(found, ReadLayout(Columns()))
    rows = gold.read(found, ReadLayout(Columns()))
    for record in found:
        gold.add(rows.get(record.origin), {"label": "good", "scores": {}})
    return gold


def test_rows_without_a_label_are_left_out_of_the_scores_and_counted() -> None:
    gold = scored("good", None, "bad", "")
    assert gold.scores()["accuracy"] == 0.5
    assert gold.notes() == ["not scored: 2 rows, without a label that can be read"]


def test_labels_that_the_model_does_not_have_count_as_missed() -> None:
    gold = scored("good", "ugly", "good", "ugly")
    assert gold.scores()["accuracy"] == 0.5
    assert gold.notes() == ["labels that the model does not have count as missed: ugly (2)"]


def test_a_column_of_other_labels_is_not_scored() -> None:
    gold = scored("north", "south")
    assert gold.scores() == {}
    assert "no row has a label of the model's" in gold.notes()[0]


def test_texts_of_scored_rows_are_not_kept() -> None:
    assert "text 2" not in repr(scored("good").rows)


def test_items_of_all_forms_become_rows() -> None:
    rows = rows_of_items(Classification(), ["a", ("b", "c"), {"text": "d", "id": 4}, {"sentence": "e"}], None)
    assert [(row.text, row.text_pair) for row in rows] == [("a", None), ("b", "c"), ("d", None), ("e", None)]  # type: ignore[attr-defined]
    rows = rows_of_items(Ner(words="blanks"), ["a b", ["c d", "e"], {"tokens": ["f"]}], None)
    assert [row.tokens for row in rows] == [("a", "b"), ("c d", "e"), ("f",)]  # type: ignore[attr-defined]
    rows = rows_of_items(Qa(), [("q", "c"), {"question": "q", "context": "c"}], None)
    assert [(row.question, row.context) for row in rows] == [("q", "c"), ("q", "c")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("task", "item", "message"),
    [
        (Classification(), 3.5, "'3.5' is neither a text"),
        (Classification(), "  ", "column 'text' is empty"),
        (Classification(), ["a", "b", "c"], "neither a text, nor a pair"),
        (Ner(), [1, 2], "nor a list of words"),
        (Ner(), [], "the sentence has no words"),
        (Qa(), "who?", "neither a pair"),
        (Qa(), ("who?", ""), "the passage is empty"),
        (Qa(), {"question": "who?"}, "none of the usual columns context"),
    ],
)
def test_an_item_that_can_not_be_used_is_named_by_its_number(task: AnyTask, item: Any, message: str) -> None:
    good: Any = ("a", "b") if isinstance(task, Qa) else "a"
    with pytest.raises(InputError, match=f"^items, item 2: .*{message}"):
        rows_of_items(task, [good, item], None)


@pytest.mark.parametrize("items", [None, 5, b"abc", {"a", "b"}, SimpleNamespace(columns=["text"], to_dict=dict)])
def test_what_holds_no_list_of_items_is_refused(items: Any) -> None:
    with pytest.raises(InputError, match=r"^items: "):
        list_of_items(items)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InputError, match="items, item 2: half of a surrogate pair"):
        rows_of_items(Classification(), ["ä", "a\ud800"], None)


def test_a_file_whose_rows_have_no_annotations_has_no_labels() -> None:
    head = Head("AutoModelForTokenClassification", ("O", "B-x", "I-x"))
    empty = [Record({"text": "a b", "label": []}, Origin("a.jsonl", 1))] * 3
    gold = Gold(Ner(), head)
    gold.begin(empty, ReadLayout(Columns()))
    assert gold.reader is None
    gold.begin([*empty, Record({"text": "a b", "label": [[0, 1, "x"]]}, Origin("a.jsonl", 2))], ReadLayout(Columns()))
    assert gold.reader is not None


def tagged(scheme: str, *rows: str) -> tuple[list[tuple[str, ...] | None], list[str]]:
    """Return the tags that gold reads for rows such as `B-x O`, by a model trained with a scheme, and its notes."""
    gold = Gold(Ner(scheme=scheme), Head("AutoModelForTokenClassification", ("O", "B-x", "I-x")))
    found = [
        Record({"tokens": [*"abcdef"][: len(row.split())], "tags": row.split()}, Origin("a.jsonl", number))
        for number, row in enumerate(rows, start=1)
    ]
    gold.begin(found, ReadLayout(Columns()))
    read = gold.read(found, ReadLayout(Columns()))
    tags = [getattr(read.get(one.origin), "tags", None) for one in found]
    return tags, gold.notes()


def test_labels_in_another_scheme_than_that_of_training_are_read_as_what_they_are() -> None:
    assert tagged("iob2", "B-x I-x O", "B-x B-x") == ([("B-x", "I-x", "O"), ("B-x", "B-x")], [])
    expected = [("B-x", "I-x", "B-x", "O"), ("B-x", "B-x")]
    noted = ["the labels are read as bioes tags; those of training were iob2"]
    assert tagged("iob2", "B-x E-x S-x O", "S-x S-x") == (expected, noted)
    assert tagged("auto", "B-x E-x S-x O", "S-x S-x")[0] == expected
    noted = ["the labels are read as bare tags; those of training were iob2"]
    assert tagged("iob2", "O x x", "x O") == ([("O", "B-x", "I-x"), ("B-x", "O")], noted)


def test_repairs_of_labels_are_told() -> None:
    tags, notes = tagged("iob2", "B-x I-x", "O I-x", "B-x O")
    assert tags == [("B-x", "I-x"), ("O", "B-x"), ("B-x", "O")]
    assert notes == ["labels repaired: 1 x illegal tag transition, e.g. a.jsonl, line 2: O I-x"]


def test_labels_that_can_not_be_read_are_told() -> None:
    tags, notes = tagged("iob2", "0 1 2", "0 0 1")
    assert tags == [None, None]
    assert notes[0].startswith("not scored: The tags are numbers (0, 1, 2): say what they mean")
    gold = Gold(Classification(kind="regression"), Head("AutoModelForSequenceClassification", ("score",), "regression"))
    gold.begin(records("good", "bad"), ReadLayout(Columns()))
    assert gold.notes() == [
        "not scored: no label can be read, e.g. a.csv, line 2: column 'label': 'good' is not a number"
    ]


def test_empty_cells_for_several_labels_are_told() -> None:
    gold = Gold(Classification(kind="multi_label"), replace(HEAD, problem_type="multi_label_classification"))
    found = [
        Record({"text": "a", "label": labels}, Origin("a.jsonl", n)) for n, labels in enumerate((["bad"], [], None))
    ]
    gold.begin(found, ReadLayout(Columns()))
    assert [row.labels for row in gold.read(found, ReadLayout(Columns())).values()] == [("bad",), (), ()]  # type: ignore[attr-defined]
    (note,) = gold.notes()
    assert note.startswith("labels repaired: 1 x empty label cell read as none of the labels, e.g. a.jsonl, line 2")


def test_columns_that_training_named_are_found_where_they_are() -> None:
    stored = StoredTask.of(Classification(), "single texts", Columns(text="body"))
    rows = rows_of_items(Classification(), [{"body": "a", "text": "title"}, {"text": "b"}], stored)
    assert [row.text for row in rows] == ["a", "b"]  # type: ignore[attr-defined]


def test_single_texts_are_refused_by_a_model_of_pairs() -> None:
    stored = StoredTask.of(Classification(), "pairs of texts", Columns())
    with pytest.raises(InputError, match="item 1: the model was trained on pairs of texts"):
        rows_of_items(Classification(), ["a"], stored)


class Config:
    """A config as transformers loads it, with the keys of its config.json as attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def test_a_task_is_read_back_from_a_config() -> None:
    task = Ner(words="borders", stride=3, max_length=77)
    kept = StoredTask.of(task, "", Columns(tokens="words")).to_config()
    read = stored_task(Config(**json.loads(json.dumps(kept))))
    assert read is not None
    assert (read.task, dict(read.columns)) == (task, {"tokens": "words"})
    assert stored_task(Config()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x"},
        {"options": {"colour": 1}},
        {"options": {"stride": "many"}},
        {"options": {"stride": [1]}},
        {"options": {"scheme": {}}},
        {"columns": {"x": 1}},
        {"options": 3},
    ],
)
def test_a_config_that_was_changed_is_refused(change: dict[str, Any]) -> None:
    ((key, tree),) = StoredTask.of(Ner(), "", Columns()).to_config().items()
    with pytest.raises(InputError, match="it was changed, or another version"):
        stored_task(Config(**{key: {**tree, **change}}))


def test_values_that_json_does_not_have_are_written_as_texts_or_null() -> None:
    values = {"day": date(2026, 11, 26), "price": float("nan"), "parts": [1, (float("inf"), True)], 3: Decimal("1.50")}
    assert plain(values) == {"day": "2026-11-26", "price": None, "parts": [1, [None, True]], "3": "1.50"}


def test_questions_of_several_files_are_scored_though_their_ids_recur() -> None:
    gold = Gold(Qa(version="v1.1"), Head("AutoModelForQuestionAnswering"))
    for name in ("a.jsonl", "b.jsonl"):
        values = {"question": "who?", "context": "Ada signs.", "answers": {"text": ["Ada"], "answer_start": [0]}}
        found = [Record(values, Origin(name, 1))]
        gold.begin(found, ReadLayout(Columns()))
        rows = gold.read(found, ReadLayout(Columns()))
        gold.add(rows[found[0].origin], {"answer": "Ada", "start": 0, "score": 1.0, "no_answer_score": -1.0})
    assert gold.scores()["exact_match"] == 100


@pytest.mark.parametrize(("documents", "units"), [(0, 40), (9, 40), (10, 10), (20, 20)])
def test_intervals_are_over_documents_where_there_are_enough(documents: int, units: int) -> None:
    tags = Head("AutoModelForTokenClassification", ("O", "B-x", "I-x"))
    gold = Gold(Ner(), tags)
    rows = [
        Sentence(
            str(n),
            ("a",),
            ("B-x" if n % 3 else "O",),
            Origin("a.conll", n),
            document=f"d{n % documents}" if documents else None,
        )
        for n in range(40)
    ]
    predictions = [{"tags": ["B-x" if n % 4 else "O"], "entities": []} for n in range(40)]
    for row, prediction in zip(rows, predictions, strict=True):
        gold.add(row, prediction)
    numbers = [n % documents if units == documents else n for n in range(40)]
    found = intervals(Ner().rescore(rows, predictions, tags, numbers), units)["f1"]
    assert found is not None
    assert gold.intervals()["f1"] == [found.low, found.high]


def test_marks_of_documents_are_known_when_labels_are_read() -> None:
    report = ReadReport()
    trained: Any = SimpleNamespace(task=Ner(), head=HEAD)
    reader = FileReader(trained, DataOptions(), report)
    report.document_starts["a.conll"] = [1]
    found = [Record({"tokens": ["Ida"], "tags": ["B-x"]}, Origin("a.conll", 2))]
    (row,) = Ner(scheme="iob2").read(found, ReadLayout(Columns()), reader.gold.report)
    assert row.document == "a.conll, line 1"
