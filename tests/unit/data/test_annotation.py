"""What annotation tools export: entities by character offsets, and choices."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.data.annotation.brat import read_entity
from tasks.data.annotation.spans import CharacterSpan, read_spans
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, recognised, values, written

Found = tuple[str, int, int]


def found(row: dict[str, Any]) -> list[Found]:
    return [(span.label, span.start, span.end) for span in read_spans(row["spans"])]


class TestSpans:
    @pytest.mark.parametrize(
        "item",
        [
            [0, 4, "PER"],
            (0, 4, "PER"),
            ["PER", 0, 4],
            [0.0, 4.0, "PER"],
            ["0", "4", "PER"],
            [0, 4, "PER", "Mara"],
            {"start": 0, "end": 4, "label": "PER"},
            {"start": "0", "end": "4.0", "label": "PER"},
            {"start_offset": 0, "end_offset": 4, "label": "PER", "id": 7},
            {"start_char": 0, "end_char": 4, "type": "PER"},
            {"startOffset": 0, "endOffset": 4, "tag": "PER"},
            {"begin": 0, "end": 4, "entity_group": "PER", "score": 0.9},
            {"offset": 0, "length": 4, "category": "PER"},
            {"start": 0, "end": 4, "labels": ["PER"], "text": "Mara"},
            {"value": {"start": 0, "end": 4, "labels": ["PER"]}, "from_name": "x"},
            {"label": ["PER"], "points": [{"start": 0, "end": 3, "text": "Mara"}]},
            CharacterSpan("PER", ((0, 4),)),
        ],
    )
    def test_forms(self, item: Any) -> None:
        (span,) = read_spans([item])
        assert (span.label, span.fragments, span.text) in {("PER", ((0, 4),), text) for text in (None, "Mara")}

    def test_a_type_that_is_a_number(self) -> None:
        assert read_spans([[0, 4, "7"]]) == [CharacterSpan("7", ((0, 4),))]

    def test_nothing(self) -> None:
        assert read_spans(None) == read_spans([]) == []

    @pytest.mark.parametrize(
        "cell",
        [
            "PER",
            3,
            {"start": 0},
            ["PER"],
            [[0, 4]],
            [[0, 4, 7]],
            [[0, 4, None]],
            [[0, 4, " "]],
            [["a", "b", "PER"]],
            [[0.5, 4, "PER"]],
            [{"start": 0, "label": "PER"}],
            [{"start": 0, "end": 4}],
            [{"start": 0, "end": 4, "labels": ["PER", "LOC"]}],
            [{"start": True, "end": 4, "label": "PER"}],
            [{"label": ["PER"], "points": [{"start": 0}]}],
            [{"label": ["PER"], "points": ["0-3"]}],
        ],
    )
    def test_other_cells_are_refused(self, cell: Any) -> None:
        with pytest.raises(ValueError, match=r"is not|has no start"):
            read_spans(cell)


class TestDoccano:
    @pytest.mark.parametrize(
        "entities",
        [
            {"label": [[0, 4, "PER"], [10, 14, "LOC"]]},
            {"labels": [[0, 4, "PER"], [10, 14, "LOC"]]},
            {"entities": [
                {"id": 1, "start_offset": 0, "end_offset": 4, "label": "PER"},
                {"id": 2, "start_offset": 10, "end_offset": 14, "label": "LOC"},
            ], "relations": []},
        ],
    )  # fmt: skip
    def test_versions(self, entities: dict[str, Any]) -> None:
        (key, *_) = entities
        rows = values("f.jsonl", json_lines({"id": 5, "text": "Mara left Oslo", **entities}, {"text": "Rain", key: []}))
        assert found(rows[0]) == [("PER", 0, 4), ("LOC", 10, 14)]
        assert rows[0]["id"] == 5
        assert found(rows[1]) == []
        assert key not in rows[0]
        assert recognised("f.jsonl") == "train: f.jsonl: doccano spans, 2 texts, 2 types"

    def test_classes_are_not_entities(self) -> None:
        assert recognised("f.jsonl", json_lines({"text": "a", "label": ["x"]})) == "train: f.jsonl: JSON lines, 1 row"


def task(*results: Any, **data: Any) -> dict[str, Any]:
    annotations = [one if isinstance(one, dict) else {"result": one} for one in results]
    return {"id": 3, "data": data or {"text": "Mara left Oslo"}, "annotations": annotations}


def span(start: int, end: int, label: str, kind: str = "labels") -> dict[str, Any]:
    value = {"start": start, "end": end, "text": "Mara left Oslo"[start:end], kind: [label]}
    return {"id": f"{start}{label}", "from_name": "label", "to_name": "text", "type": kind, "value": value}


def choice(name: str, *chosen: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(chosen)}}


class TestLabelStudio:
    @pytest.mark.parametrize("kind", ["labels", "hypertextlabels", "paragraphlabels"])
    def test_spans(self, kind: str) -> None:
        rows = values("f.json", json.dumps([task([span(10, 14, "LOC", kind), span(0, 4, "PER", kind)]), task([])]))
        assert [found(row) for row in rows] == [[("LOC", 10, 14), ("PER", 0, 4)], []]
        assert recognised("f.json") == "train: f.json: Label Studio spans, 2 texts, 2 types"

    def test_choices(self) -> None:
        rows = values("f.json", json.dumps([task([choice("mood", "good")]), task([choice("mood", "good", "warm")])]))
        assert [row["label"] for row in rows] == [["good"], ["good", "warm"]]
        assert rows[0]["id"] == 3
        assert recognised("f.json") == "train: f.json: Label Studio choices, 2 rows"

    def test_two_controls_leave_the_choice_to_the_user(self) -> None:
        (row,) = values("f.json", json.dumps([task([choice("mood", "good"), choice("topic", "beds")])]))
        assert (row["mood"], row["topic"]) == (["good"], ["beds"])
        assert "label" not in row

    def test_the_only_text_of_another_name(self) -> None:
        (row,) = values("f.json", json.dumps([task([choice("mood", "good")], review="warm beds", stars=5)]))
        assert row["text"] == row["review"] == "warm beds"

    def test_older_exports(self) -> None:
        one = task([choice("mood", "good")])
        one["completions"] = one.pop("annotations")
        assert values("f.json", json.dumps([one]))[0]["label"] == ["good"]

    def test_annotators_that_agree(self) -> None:
        first, second = span(0, 4, "PER"), span(10, 14, "LOC")
        (row,) = values("f.json", json.dumps([task([first, second], [{**second, "id": "x"}, first])]))
        assert found(row) == [("PER", 0, 4), ("LOC", 10, 14)]

    def test_annotators_that_disagree(self) -> None:
        text = json.dumps([task([span(0, 4, "PER")], [span(0, 4, "ORG")]), task([span(0, 4, "PER")])])
        with pytest.raises(InputError, match="2 annotations that differ, none marked as ground truth"):
            values("f.json", text)
        report = ReadReport("skip")
        assert [found(row) for row in values("f.json", text, report)] == [[("PER", 0, 4)]]
        assert report.skipped == {"annotators disagree": 1}

    def test_ground_truth_decides(self) -> None:
        truth = {"result": [span(0, 4, "ORG")], "ground_truth": True}
        (row,) = values("f.json", json.dumps([task([span(0, 4, "PER")], truth)]))
        assert found(row) == [("ORG", 0, 4)]

    @pytest.mark.parametrize("result", [["x"], [3], [{"type": "labels", "value": None}], [{"type": "labels"}]])
    def test_annotations_that_are_built_otherwise(self, result: Any) -> None:
        report = ReadReport("skip")
        assert len(values("f.json", json.dumps([task([span(0, 4, "PER")]), task(result)]), report)) == 1
        assert report.skipped == {"bad annotation": 1}

    def test_cancelled_and_missing_annotations_are_left_out_and_counted(self) -> None:
        cancelled = {"result": [span(0, 4, "ORG")], "was_cancelled": True}
        report = ReadReport()
        rows = values("f.json", json.dumps([task(cancelled), task(), task(cancelled, [span(0, 4, "PER")])]), report)
        assert [found(row) for row in rows] == [[("PER", 0, 4)]]
        assert report.skipped == {"not annotated": 2}

    def test_minimal_export_of_choices(self) -> None:
        row = {"id": 1, "text": "warm beds", "mood": "good", "annotator": 1, "annotation_id": 2, "lead_time": 1.5}
        both = {**row, "mood": {"choices": ["good", "warm"]}}
        for one, label in ((row, "good"), (both, ["good", "warm"])):
            assert values("f.json", json.dumps([one])) == [{"id": 1, "text": "warm beds", "label": label}]

    def test_minimal_export_of_spans(self) -> None:
        extras = {"annotator": 1, "annotation_id": 2, "lead_time": 1.5, "created_at": "now"}
        entity = {"start": 0, "end": 4, "text": "Mara", "labels": ["PER"]}
        rows = values(
            "f.json", json.dumps([{"text": "Mara left", "who": [entity], **extras}, {"text": "Rain", **extras}])
        )
        assert [found(row) for row in rows] == [[("PER", 0, 4)], []]
        assert set(rows[0]) == {"text", "spans"}


def prodigy(answer: str, **columns: Any) -> dict[str, Any]:
    return {"text": "Mara left", "_input_hash": 1, "_task_hash": 2, "answer": answer, **columns}


class TestProdigy:
    def test_spans(self) -> None:
        entity = {"start": 0, "end": 4, "token_start": 0, "token_end": 0, "label": "PER"}
        report = ReadReport()
        lines = (prodigy("accept", spans=[entity]), prodigy("reject", spans=[entity]), prodigy("ignore"),
                 prodigy("accept", spans=None), prodigy("accept"))  # fmt: skip
        rows = values("f.jsonl", json_lines(*lines), report)
        assert [found(row) for row in rows] == [[("PER", 0, 4)], [], []]
        assert report.skipped == {"ignored by the annotator": 1, "rejected by the annotator": 1}
        assert report.recognised == ["train: f.jsonl: Prodigy spans, 3 texts, 1 type"]

    def test_one_label_accepted_or_rejected_makes_two_classes(self) -> None:
        lines = [prodigy(answer, label="SPAM") for answer in ("accept", "reject", "ignore")]
        report = ReadReport()
        assert [row["label"] for row in values("f.jsonl", json_lines(*lines), report)] == ["SPAM", "not SPAM"]
        assert report.skipped == {"ignored by the annotator": 1}
        assert report.recognised == ["train: f.jsonl: Prodigy labels, 2 rows"]

    def test_of_several_labels_only_accepted_ones_count(self) -> None:
        lines = [prodigy("accept", label="A"), prodigy("reject", label="A"), prodigy("accept", label="B")]
        report = ReadReport()
        assert [row["label"] for row in values("f.jsonl", json_lines(*lines), report)] == ["A", "B"]
        assert report.skipped == {"rejected by the annotator": 1}

    def test_choices(self) -> None:
        options = [{"id": "A", "text": "a"}, {"id": "B", "text": "b"}]
        said: list[tuple[str, list[str]]] = [
            ("accept", ["A"]),
            ("accept", ["A", "B"]),
            ("accept", []),
            ("reject", ["B"]),
        ]
        lines = [prodigy(answer, options=options, accept=chosen) for answer, chosen in said]
        assert [row["label"] for row in values("f.jsonl", json_lines(*lines))] == [["A"], ["A", "B"], []]
        assert recognised("f.jsonl") == "train: f.jsonl: Prodigy choices, 3 rows"


PAIR = ["Mara left Oslo", {"entities": [[0, 4, "PER"], [10, 14, "LOC"]]}]
EXPECTED = [("PER", 0, 4), ("LOC", 10, 14)]


class TestSpacy:
    @pytest.mark.parametrize(
        "text",
        [
            json.dumps([PAIR, PAIR]),
            json_lines(PAIR, PAIR),
            json.dumps({"classes": ["PER"], "annotations": [None, PAIR, None, PAIR]}),
            json.dumps({"classes": ["PER", "LOC"], "annotations": [PAIR, PAIR]}),
        ],
    )
    def test_pairs(self, text: str) -> None:
        rows = values("f.json", text)
        assert [(row["text"], found(row)) for row in rows] == [("Mara left Oslo", EXPECTED)] * 2
        assert recognised("f.json") == "train: f.json: spaCy pairs of text and entities, 2 texts, 2 types"

    def test_documents(self) -> None:
        ents = [{"start": 0, "end": 4, "label": "PER"}]
        (row,) = values("f.jsonl", json_lines({"text": "Mara left", "ents": ents, "tokens": [{"id": 0}]}))
        assert (row["text"], found(row)) == ("Mara left", [("PER", 0, 4)])
        assert recognised("f.jsonl") == "train: f.jsonl: spaCy documents, 1 text, 1 type"

    def test_categories(self) -> None:
        cats = {"GOOD": 1.0, "BAD": 0.0}
        assert values("f.json", json.dumps([["warm beds", {"cats": cats}]])) == [{"text": "warm beds", "cats": cats}]
        assert values("f.jsonl", json_lines({"text": "warm beds", "cats": cats}))[0]["cats"] == cats

    def test_version_2(self) -> None:
        tokens = [{"id": 0, "orth": "Mara", "ner": "B-PER"}, {"orth": "Lind", "ner": "L-PER"}, {"orth": "left"}]
        document = {"id": 0, "paragraphs": [{"raw": "x", "sentences": [{"tokens": tokens}, {"tokens": tokens[2:]}]}]}
        assert values("f.json", json.dumps([document])) == [
            {"tokens": ["Mara", "Lind", "left"], "tags": ["B-PER", "L-PER", "O"]},
            {"tokens": ["left"], "tags": ["O"]},
        ]

    @pytest.mark.parametrize("entities", [[[0, 4, 7]], "PER", [[0, 4]]])
    def test_entities_that_cannot_be_read_are_kept_for_the_task_to_refuse(self, entities: Any) -> None:
        rows = values("f.json", json.dumps([PAIR, ["Rain", {"entities": entities}]]))
        with pytest.raises(ValueError, match="is not"):
            found(rows[1])

    def test_documents_of_version_2_that_are_built_otherwise(self) -> None:
        good = {"id": 0, "paragraphs": [{"sentences": [{"tokens": [{"orth": "Mara", "ner": "U-PER"}]}]}]}
        bad = {"id": 1, "paragraphs": [{"sentences": [{"tokens": ["Mara"]}]}]}
        with pytest.raises(InputError, match=r"f\.json, row 2: a document of spaCy 2 is built otherwise"):
            values("f.json", json.dumps([good, bad]))

    def test_docbin_is_named_where_spacy_is_missing(self) -> None:
        with pytest.raises(InputError, match=r"(?s)f\.spacy: (a binary file of spaCy|can't be read as spaCy's DocBin)"):
            values("f.spacy", b"x\x9c\x00")


class TestCluener:
    def test_ends_are_inclusive(self) -> None:
        label = {"name": {"Mara": [[0, 3], [10, 13]]}, "address": {"Oslo": [["15", 18.0]]}}
        lines = json_lines({"text": "Mara saw, Mara Oslo", "label": label}, {"text": "Rain", "label": {}})
        rows = values("f.json", lines)
        assert [found(row) for row in rows] == [[("name", 0, 4), ("name", 10, 14), ("address", 15, 19)], []]
        assert all(rows[0]["text"][span.start : span.end] == span.text for span in read_spans(rows[0]["spans"]))
        assert recognised("f.json") == "train: f.json: CLUENER spans, 2 texts, 2 types"

    @pytest.mark.parametrize("label", [{"name": {"Mara": [[0]]}}, {"name": {"Mara": [["a", 3]]}}, {"name": ["Mara"]},
                                       {"name": {"Mara": [0, 3]}}])  # fmt: skip
    def test_bad_entities(self, label: Any) -> None:
        good = {"text": "Mara", "label": {"name": {"Mara": [[0, 3]]}}}
        report = ReadReport("skip")
        text = json_lines(*[good] * 60, {"text": "Mara", "label": label})
        assert len(values("f.json", text, report)) == 60
        assert report.skipped == {"bad entity": 1}


TEXT = "Mara Lind left.\nIt rained in\nNew York, Mara saw.\n\nRain\n"
ANNOTATION = "T1\tPER 0 9\tMara Lind\nT2\tLOC 29 37\tNew York\n#1\tNote\nR1\tx Arg1:T1 Arg2:T2\nT3\tPER 39 43\tMara\n"


class TestBrat:
    def test_a_folder(self) -> None:
        written("notes/a.txt", TEXT)
        written("notes/a.ann", ANNOTATION)
        report = ReadReport()
        rows = values("notes", None, report)
        assert [(row["id"], row["text"], found(row)) for row in rows] == [
            ("a:1", "Mara Lind left.", [("PER", 0, 9)]),
            ("a:2", "It rained in", []),
            ("a:3", "New York, Mara saw.", [("LOC", 0, 8), ("PER", 10, 14)]),
            ("a:5", "Rain", []),
        ]
        assert report.files == [str(Path("notes/a.ann"))]
        assert report.recognised == ["train: notes: 1 brat documents, 4 texts, 2 types"]

    @pytest.mark.parametrize("pattern", ["notes/*", "notes/*.txt", "notes/*.ann", "notes/a.*"])
    def test_globs_of_either_half_read_each_document_once(self, pattern: str) -> None:
        written("notes/a.txt", TEXT)
        written("notes/a.ann", ANNOTATION)
        assert len(values(pattern)) == 4

    def test_line_ends_count_as_they_are_in_the_file(self) -> None:
        written("notes/a.txt", "Rain.\r\nMara Lind left.\r\n")
        written("notes/a.ann", "T1\tPER 7 16\tMara Lind\r\n")
        rows = values("notes")
        assert [(row["text"].strip(), found(row)) for row in rows] == [
            ("Rain.", []),
            ("Mara Lind left.", [("PER", 0, 9)]),
        ]
        assert read_spans(rows[1]["spans"])[0].text == "Mara Lind"

    def test_lines_that_an_entity_joins_stay_together(self) -> None:
        written("notes/a.txt", "It is New\nYork, and\nrains\n")
        written("notes/a.ann", "T1\tLOC 6 14\tNew York\n")
        rows = values("notes")
        assert [(row["text"], found(row)) for row in rows] == [
            ("It is New\nYork, and", [("LOC", 6, 14)]),
            ("rains", []),
        ]

    def test_entities_with_gaps(self) -> None:
        written("notes/a.txt", "Mara and Jon Lind left")
        written("notes/a.ann", "T1\tPER 0 4;13 17\tMara Lind\n")
        (row,) = values("notes")
        assert read_spans(row["spans"]) == [CharacterSpan("PER", ((0, 4), (13, 17)), "Mara Lind")]

    @pytest.mark.parametrize("missing", ["b.txt", "b.ann"])
    def test_half_a_pair(self, missing: str) -> None:
        for name, content in (("a.txt", TEXT), ("a.ann", ANNOTATION), ("b.txt", TEXT), ("b.ann", ANNOTATION)):
            if name != missing:
                written(f"notes/{name}", content)
        with pytest.raises(InputError, match=f"there is no {missing} beside it"):
            values("notes")
        report = ReadReport("skip")
        assert len(values("notes", None, report)) == 4
        assert report.skipped == {"half a pair": 1}

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("T1\tPER 0 99\tMara", "the PER from 0 to 99 is not in the text of"),
            ("T1\tPER 4 4\t", "the PER from 4 to 4 is not in the text"),
            ("T1\tPER a 4\tMara", "is not of the form T1<tab>TYPE START END<tab>TEXT"),
            ("T1 PER 0 4 Mara", "is not of the form"),
        ],
    )
    def test_bad_entities(self, line: str, message: str) -> None:
        written("notes/a.txt", TEXT)
        written("notes/a.ann", f"{line}\n")
        with pytest.raises(InputError, match=message):
            values("notes")

    def test_a_text_alone_is_no_brat_document(self) -> None:
        written("a.txt", TEXT)
        with pytest.raises(InputError, match="neither name nor content"):
            values("a.txt")

    def test_entity_lines(self) -> None:
        assert read_entity("T1\tPER 0 4") == CharacterSpan("PER", ((0, 4),))
