"""From the options of a data set to its records."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tasks.data.options import Columns, DataOptions, Split
from tasks.data.read import read_label_names, read_records
from tasks.data.readers import FORMATS
from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError

ROW = {"text": "warm beds", "label": "good"}


def read(options: DataOptions, split: Split = "train") -> list[dict[str, Any]] | None:
    records = read_records(options, split, ReadReport())
    return None if records is None else [record.values for record in records]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.csv", "text,label\nwarm beds,good\n"),
        ("f.tsv", "text\tlabel\nwarm beds\tgood\n"),
        ("f.jsonl", json.dumps(ROW)),
        ("f.json", json.dumps([ROW])),
        ("f.txt", "\ufefftext,label\r\nwarm beds,good\r\n"),
    ],
)
def test_formats_of_texts(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read(DataOptions(train=str(tmp_path / name))) == [ROW]


@pytest.mark.parametrize("name", ["f.parquet", "f.bin"])
def test_parquet(tmp_path: Path, name: str) -> None:
    parquet.write_table(pa.Table.from_pylist([ROW]), tmp_path / name)
    kind = "auto" if name.endswith(".parquet") else "parquet"
    assert read(DataOptions(train=str(tmp_path / name), format=kind)) == [ROW]


def test_conll(tmp_path: Path) -> None:
    (tmp_path / "f.iob2").write_text("# id\n1\tMara\tB-x\t-\n")
    options = DataOptions(train=str(tmp_path / "f.iob2"), comment="#", columns=Columns(tokens="1", tags="2"))
    assert read(options) == [{"tokens": ["Mara"], "tags": ["B-x"]}]


def test_squad(tmp_path: Path) -> None:
    qas = [{"id": "1", "question": "Who?", "answers": []}]
    (tmp_path / "f.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": "c", "qas": qas}]}]}))
    records = read_records(DataOptions(train=str(tmp_path / "f.json")), "train", ReadReport())
    assert records is not None
    assert records[0].values["question"] == "Who?"
    assert records[0].origin == Origin(str(tmp_path / "f.json"), 1, "question")


@pytest.mark.parametrize("separator", ["\t", "\\t"])
def test_a_tab_may_be_written_as_on_a_command_line(tmp_path: Path, separator: str) -> None:
    (tmp_path / "f.csv").write_text("text\tlabel\nwarm beds\tgood\n")
    assert read(DataOptions(train=str(tmp_path / "f.csv"), separator=separator)) == [ROW]


def test_several_files_each_with_its_format(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nwarm beds,good\n")
    (tmp_path / "b.jsonl").write_text('{"text": "cold soup", "label": "bad"}\n')
    records = read_records(DataOptions(train=str(tmp_path / "*.*")), "train", ReadReport())
    assert records is not None
    assert [(Path(record.origin.file).name, record.values["label"]) for record in records] == [
        ("a.csv", "good"),
        ("b.jsonl", "bad"),
    ]


def test_hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "lodge").mkdir()
    (tmp_path / "lodge" / "train.jsonl").write_text(json.dumps(ROW))
    options = DataOptions(hub=str(tmp_path / "lodge"))
    assert read(options) == [ROW]
    assert read(options, "test") is None


def test_split_that_is_not_given(tmp_path: Path) -> None:
    assert read(DataOptions(train="train.csv"), "validation") is None


@pytest.mark.parametrize(
    ("name", "text"), [("f.csv", "text,label\n"), ("f.conll", "\n"), ("f.json", "[]"), ("f.csv", "")]
)
def test_file_without_rows(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name}: holds no usable row"):
        read(DataOptions(test=str(tmp_path / name)), "test")


def test_unknown_format() -> None:
    with pytest.raises(InputError, match=f"data.format=tvs: choose from {', '.join(FORMATS)}. Did you mean 'tsv'?"):
        read(DataOptions(train="x", format="tvs"))


def test_hub_format_without_a_data_set() -> None:
    with pytest.raises(InputError, match=r"data\.hub=OWNER/NAME"):
        read(DataOptions(train="x", format="hub"))


class TestLabelNames:
    def test_none(self) -> None:
        assert read_label_names(None) is None

    def test_list(self) -> None:
        assert read_label_names(["negative", 2]) == ["negative", "2"]

    def test_file(self, tmp_path: Path) -> None:
        (tmp_path / "labels.txt").write_bytes(b"\xef\xbb\xbfnegative\r\nvery positive \r\n\r\n")
        assert read_label_names(str(tmp_path / "labels.txt")) == ["negative", "very positive"]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ([], r"data\.label_names=\[\]: a list of names, or a file"),
            (3, r"data\.label_names=3: a list of names, or a file"),
            (["maybe", False], r"data\.label_names: name 1 is False, not a text: write it in quotes"),
            (["a", None], r"data\.label_names: name 1 is None"),
            (["a", " "], r"data\.label_names: name 1 is blank"),
            (["a", "b", "a"], r"data\.label_names: the name 'a' is there twice"),
            ("no/labels.txt", r"data\.label_names=no/labels\.txt: there is no file"),
        ],
    )
    def test_refused(self, value: object, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_label_names(value)

    @pytest.mark.parametrize("text", ["", "a\n\nb\n"])
    def test_blank_line_in_a_file(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "labels.txt").write_text(text)
        with pytest.raises(InputError, match=r"labels\.txt: name \d is blank"):
            read_label_names(str(tmp_path / "labels.txt"))

    def test_several_files(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("a")
        (tmp_path / "b.txt").write_text("b")
        with pytest.raises(InputError, match="one file is needed, not 2"):
            read_label_names(str(tmp_path / "*.txt"))
