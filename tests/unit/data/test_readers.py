"""Which reader a file is given to: each natural file of one kind to its own, and doubtful ones to none."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tasks.data.formats.reader import Confidence, Contents, Reader
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.readers import FORMATS, READERS, choose_reader
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, values, written

ROW = {"text": "warm beds", "label": "good"}
SPAN = {"start": 0, "end": 4, "label": "PER"}
QUESTION = {"id": "q", "question": "Who?", "answers": [{"text": "Ida", "answer_start": 0}]}
PARAGRAPH = {"context": "Ida signs.", "qas": [QUESTION]}
CONLL = "Mara\tB-person\nleft\tO\n\nRain\tO\nfell\tO\n"
CONLL_U = (
    "# sent_id = 1\n1\tMara\tMara\tPROPN\t_\t_\t2\tnsubj\t_\tNER=B-PER\n2\tleft\tleave\tVERB\t_\t_\t0\troot\t_\t_\n"
)
CONLL_2012 = (
    "#begin document (x); part 000\n"
    "x 0 0 Mara NNP (TOP* - - - A (PERSON) -\nx 0 1 left VBD * - - - A * -\n\n#end document\n"
)
TASK = {
    "id": 1,
    "data": {"text": "Mara left"},
    "annotations": [
        {"result": [{"from_name": "l", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["PER"]}}]}
    ],
}
MINIMAL = {"id": 1, "text": "warm beds", "mood": "good", "annotator": 1, "annotation_id": 2, "lead_time": 1.5}
SPACY_2 = {"id": 0, "paragraphs": [{"raw": "Mara left", "sentences": [{"tokens": [{"orth": "Mara", "ner": "U-PER"}]}]}]}

PAIR = ["Mara left", {"entities": [[0, 4, "PER"]]}]
MENTION = {"text": "Mara left", "label": {"name": {"Mara": [[0, 3]]}}}

NATURAL: list[tuple[str, str, str]] = [
    ("csv", "x.csv", "text,label\nwarm beds,good\n"),
    ("csv", "x.CSV", "a,b"),
    ("csv", "x.csv", "a;b"),
    ("csv", "x.csv", "text\tlabel\nwarm beds\tgood\n"),
    ("csv", "x.csv", "sep=;\ntext;label\nwarm beds;good\n"),
    ("csv", "x.csv", 'text,label\n"[\'a\', \'b\']",good\n'),
    ("csv", "x.csv", "tokens,tags\n\"['Mara', 'left']\",\"['B-PER', 'O']\"\n"),
    ("csv", "x.csv", "sentence_id,token,tag\n1,Mara,B-PER\n1,left,O\n"),
    ("csv", "x.csv", "text,label\n[deleted],good\n"),
    ("csv", "x.txt", 'text,label\n"a, b",c\n'),
    ("csv", "x.txt", "text;label\nwarm beds;good\n"),
    ("csv", "x.dat", "text|label\nwarm beds|good\n"),
    ("tsv", "x.tsv", "a\tb\n"),
    ("tsv", "x.tsv", "text,label\nwarm beds,good\n"),
    ("tsv", "x.txt", "[NAME] is here\t3\n[NAME] is there\t4\n"),
    ("tsv", "x", "ham\tOk lar...\nspam\tWINNER!!\n"),
    ("tsv", "x.txt", "text, long\tlabel\nwarm beds, cold soup\tgood\n"),
    ("jsonl", "x.jsonl", ""),
    ("jsonl", "x.ndjson", ""),
    ("jsonl", "x.jsonl", json_lines(ROW, ROW)),
    ("jsonl", "x.json", json_lines(ROW, ROW)),
    ("jsonl", "x.txt", json_lines(ROW, ROW)),
    ("jsonl", "x.jsonl", json_lines({"text": "Mara left", "cats": "PERSON"})),
    ("jsonl", "x.jsonl", json_lines({"tokens": ["Mara", "left"], "ner_tags": ["B-PER", "O"]})),
    ("jsonl", "x.jsonl", json_lines({"text": "warm beds", "label": ["good", "warm"]})),
    ("jsonl", "x.jsonl", json_lines({"text": "warm beds", "label": [0, 1, 1]})),
    ("jsonl", "x.jsonl", json_lines({"text": "Mara left", "spans": [SPAN]})),
    ("jsonl", "x.jsonl", json_lines({"question": "Who?", "context": "Ida.", "answer": "Ida", "id": 1})),
    ("json", "x.json", json.dumps([ROW])),
    ("json", "x.json", json.dumps({"data": [ROW]})),
    ("json", "x.json", '[{"text": "a \\"paragraphs\\": and \\"qas\\":", "label": "x"}]'),
    ("json", "x.json", '{"text": ["a"],\n"label": ["b"]}'),
    ("json", "x", json.dumps(ROW, indent=2) + "\n" + json.dumps(ROW, indent=2)),
    ("json", "x.json", json.dumps([{"text": "Mara left", "entities": [SPAN]}])),
    ("conll", "x.conll", ""),
    ("conll", "x.iob", ""),
    ("conll", "x.iob2", "__label__ O\n"),
    ("conll", "x.bio", "[ O\nx O\n"),
    ("conll", "x.txt", CONLL),
    ("conll", "x.tsv", CONLL),
    ("conll", "x.data", CONLL.replace("\t", " ")),
    ("conll", "x", "-DOCSTART- -X- O\n\n# id 1\nMara NNP B-PER\n\nRain NN O\n"),
    ("conll", "x.annotated", "Mara PER\nleft O\n\t\nRain O\n"),
    ("conll", "x.tsv", "# a page\n1\tMara\tB-PER\tO\n2\tleft\tO\tO\n\n1\tRain\tO\tO\n"),
    ("conll", "x.conll", "-DOCSTART- -X- O\nMara -X- _ B-PER\nleft -X- _ O\n"),
    ("conll", "x.txt", "Mara,B-PER\nleft,O\n\nRain,O\n".replace(",", "\t")),
    ("conllu", "x.conllu", CONLL_U),
    ("conllu", "x.conllup", CONLL_U),
    ("conll2012", "x.gold_conll", CONLL_2012),
    ("conll2012", "x.v4_gold_conll", CONLL_2012),
    ("conll2012", "x.txt", CONLL_2012),
    ("fasttext", "x.txt", "__label__good warm beds\n__label__bad cold soup\n"),
    ("fasttext", "x.train", "__label__good __label__warm warm beds, really\n__label__bad cold, soup\n"),
    ("fasttext", "x.csv", "__label__good , warm beds\n__label__bad , cold soup\n"),
    ("squad", "x.json", json.dumps({"version": "1.1", "data": [{"title": "T", "paragraphs": [PARAGRAPH]}]})),
    ("squad", "x.json", json.dumps({"data": [{"title": "T", "paragraphs": [{"context": "c", "qas": []}]}]})),
    ("squad", "x.json", json.dumps([{"title": "T", "paragraphs": [PARAGRAPH]}])),
    ("squad", "x.jsonl", json_lines(PARAGRAPH, PARAGRAPH)),
    ("squad", "x", json.dumps({"data": [{"paragraphs": [PARAGRAPH]}]})),
    ("doccano", "x.jsonl", json_lines({"id": 1, "text": "Mara left", "label": [[0, 4, "PER"]]})),
    ("doccano", "x.jsonl", json_lines({"text": "Rain", "label": []}, {"text": "Mara", "label": [[0, 4, "PER"]]})),
    ("doccano", "x.jsonl", json_lines({"text": "Mara left", "labels": [[0, 4, "PER"]]})),
    ("doccano", "x.jsonl", json_lines({"text": "Mara", "entities": [
        {"id": 1, "start_offset": 0, "end_offset": 4, "label": "PER"}], "relations": []})),
    ("label_studio", "x.json", json.dumps([TASK])),
    ("label_studio", "x.json", json.dumps([{**TASK, "completions": []}])),
    ("label_studio_min", "x.json", json.dumps([MINIMAL])),
    ("label_studio_min", "x.json", json.dumps([{**MINIMAL, "label": [{"start": 0, "end": 4, "labels": ["PER"]}]}])),
    ("prodigy", "x.jsonl", json_lines({"text": "Mara left", "spans": [SPAN], "answer": "accept"})),
    ("prodigy", "x.jsonl", json_lines({"text": "warm beds", "label": "GOOD", "answer": "reject"})),
    ("prodigy", "x.jsonl", json_lines({"text": "a", "_input_hash": 1, "_task_hash": 2, "accept": ["GOOD"],
                                       "options": [{"id": "GOOD", "text": "Good"}], "answer": "accept"})),
    ("spacy", "x.json", json.dumps([PAIR])),
    ("spacy", "x.json", json.dumps([["warm beds", {"cats": {"GOOD": 1.0, "BAD": 0.0}}]])),
    ("spacy", "x.jsonl", json_lines({"text": "Mara left", "ents": [SPAN], "tokens": []})),
    ("spacy", "x.jsonl", json_lines({"text": "warm beds", "cats": {"GOOD": True, "BAD": False}})),
    ("spacy", "x.json", json.dumps([SPACY_2])),
    ("spacy", "x.json", json.dumps({"classes": ["PER"], "annotations": [PAIR, PAIR, None]})),
    ("spacy", "x.json", json.dumps({"classes": ["PER", "LOC"], "annotations": [PAIR, PAIR]})),
    ("cluener", "x.json", json_lines(MENTION, MENTION)),
    ("cluener", "x.jsonl", json_lines({"text": "Rain", "label": {}}, MENTION)),
]  # fmt: skip
"The reader that is meant, and a file that it reads."


@pytest.mark.parametrize(("expected", "name", "text"), NATURAL)
def test_each_file_is_given_to_its_reader(expected: str, name: str, text: str) -> None:
    source = written(name, text)
    assert choose_reader(source, "auto").name == expected


@pytest.mark.parametrize(("expected", "name", "text"), NATURAL)
def test_no_other_reader_is_as_certain(expected: str, name: str, text: str) -> None:
    source = written(name, text)
    sure = {reader.name: reader.recognise(source) for reader in READERS if not reader.folders}
    assert [name for name, confidence in sure.items() if confidence == max(sure.values())] == [expected]


@pytest.mark.parametrize(("expected", "name", "text"), NATURAL)
def test_a_format_that_is_named_is_taken(expected: str, name: str, text: str) -> None:
    assert choose_reader(written("some.thing", text), expected).name == expected


def packed_table() -> bytes:
    file = BytesIO()
    parquet.write_table(pa.Table.from_pylist([ROW]), file)
    return file.getvalue()


def workbook() -> bytes:
    import openpyxl

    book, file = openpyxl.Workbook(), BytesIO()
    for cells in (("text", "label"), ("warm beds", "good")):
        book.active.append(cells)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("name", ["x.right", "x.bin", "x", "x.csv"])
@pytest.mark.parametrize(
    ("reader", "right", "content"), [("parquet", ".parquet", packed_table), ("xlsx", ".xlsx", workbook)]
)
def test_binary_files_are_known_by_their_content(reader: str, right: str, content: Any, name: str) -> None:
    name = name.replace(".right", right)
    assert choose_reader(written(name, content()), "auto").name == reader
    assert values(name) == [ROW]


@pytest.mark.parametrize(("name", "reader"), [("x.parquet", "parquet"), ("x.xlsx", "xlsx"), ("x.spacy", "docbin"),
                                              ("x.arrow", "arrow")])  # fmt: skip
def test_binary_files_are_known_by_their_names(name: str, reader: str) -> None:
    assert choose_reader(written(name, "text,label\n"), "auto").name == reader


@pytest.mark.parametrize("text", ["", "just\nsome\nprose\n", "a,b\nc,d,e\n", "1 a film , truly\n0 bad\n", "[x]\n",
                                  "Mara O\nleft O\n"])  # fmt: skip
def test_undecidable_format_names_the_choices(text: str) -> None:
    with pytest.raises(InputError) as error:
        choose_reader(written("x.txt", text), "auto")
    message = str(error.value)
    assert "x.txt: neither name nor content tells the format. Set data.format to one of: parquet, xlsx" in message
    named = re.findall(r"[a-z_0-9]+", message.partition("one of: ")[2])
    assert set(named) == set(FORMATS) - {"auto", "hub", "folder"}


def test_two_separators_that_fit_are_a_question_with_answers_that_work() -> None:
    text = "text,label;more\nwarm,good;x\ncold,bad;y\n"
    with pytest.raises(InputError) as error:
        values("x.csv", text)
    assert "',' and ';' both occur equally often" in str(error.value)
    assert re.findall(r"data\.separator='(.)'", str(error.value)) == [",", ";"]
    assert values("x.csv", text, separator=",")[0] == {"text": "warm", "label;more": "good;x"}
    assert values("x.csv", text, separator=";")[0] == {"text,label": "warm,good", "more": "x"}


def always(name: str, confidence: Confidence) -> Reader:
    def read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
        raise AssertionError("nothing is read")

    return Reader(name, lambda _: confidence, read)


@pytest.mark.parametrize(
    ("confidences", "chosen"),
    [("LC", "B"), ("CL", "A"), ("NL", "B"), ("LN", "A"), ("LLC", "C"), ("CC", None), ("LL", None), ("CCL", None)],
)
def test_certain_beats_likely_and_ties_are_refused(
    confidences: str, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = {"C": Confidence.CERTAIN, "L": Confidence.LIKELY, "N": Confidence.NO}
    readers = [always("ABC"[number], sure[letter]) for number, letter in enumerate(confidences)]
    monkeypatch.setattr("tasks.data.readers.READERS", readers)
    source = written("x.txt", "")
    if chosen is not None:
        assert choose_reader(source, "auto").name == chosen
        return
    with pytest.raises(InputError, match=r"may be read in several ways\. Say which: data\.format=A or data\.format=B$"):
        choose_reader(source, "auto")


def test_a_reader_of_folders_reads_no_file() -> None:
    with pytest.raises(InputError, match=r"data\.format=folder: x\.csv is a file, not one of this kind"):
        choose_reader(written("x.csv", "a,b\n"), "folder")
    Path("rows").mkdir()
    with pytest.raises(InputError, match=r"data\.format=csv: rows is a folder, not one of this kind"):
        choose_reader(Source(Path("rows")), "csv")


@pytest.mark.parametrize(("expected", "name", "text"), NATURAL)
def test_what_was_recognised_is_said(expected: str, name: str, text: str) -> None:
    report = ReadReport("skip")
    try:
        rows = values(name, text, report)
    except InputError as error:
        assert re.search("holds no usable row|only one column|both occur", str(error))  # noqa: PT017
        return
    (line,) = report.recognised
    assert line.startswith(f"train: {name}: ")
    assert re.search(rf", {len(rows)} (row|text|question|sentence)s?\b", line)
