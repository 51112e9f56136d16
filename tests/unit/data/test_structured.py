"""JSON lines, JSON and Parquet."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tasks.data.formats.arrow_tables import read_parquet
from tasks.data.formats.source import Source
from tasks.data.formats.structured import read_json
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tests.unit.data.inputs import written

ROWS = [{"text": "warm beds", "label": ["good"]}, {"text": "cold\u2028soup", "label": []}]


def test_jsonl() -> None:
    text = '{"text": "warm beds", "label": ["good"]}\n\n{"text": "cold\u2028soup", "label": []}'
    records = read_json(written("f.jsonl", text), ReadReport())
    assert records == [Record(ROWS[0], Origin("f.jsonl", 1)), Record(ROWS[1], Origin("f.jsonl", 3))]


@pytest.mark.parametrize(
    ("line", "reason", "message"),
    [
        ('{"text" 1}', "not JSON", "f.jsonl, line 2: not valid JSON, column 9: Expecting ':' delimiter"),
        ('{"text": "a', "not JSON", "f.jsonl, line 2: not valid JSON, column 10: Unterminated string"),
        ("[" * 100_000, "not JSON", "f.jsonl, line 2: not valid JSON, RecursionError"),
        ("9" * 5000, "not JSON", "f.jsonl, line 2: not valid JSON, ValueError"),
        (r'{"text": "ok \ud83d"}', "not JSON", r"f.jsonl, line 2: not valid JSON, half of a surrogate pair, '\ud83d'"),
        ('["text"]', "not an object", 'f.jsonl, line 2: a JSON object is needed, not ["text"]'),
    ],
)
def test_bad_jsonl_lines(line: str, reason: str, message: str) -> None:
    text = f'{{"text": "\\ud83d\\ude00"}}\n{line}\n'
    with pytest.raises(InputError) as error:
        read_json(written("f.jsonl", text), ReadReport())
    assert str(error.value).startswith(message)
    report = ReadReport("skip")
    assert [record.values for record in read_json(written("f.jsonl", text), report)] == [{"text": "😀"}]
    assert report.skipped == {reason: 1}


@pytest.mark.parametrize(
    "text",
    [
        '[{"text": "a", "label": 1}, {"text": "b", "label": 2}]',
        '{"version": 1, "data": [{"text": "a", "label": 1}, {"text": "b", "label": 2}]}',
        '{"text": ["a", "b"], "label": [1, 2]}',
    ],
)
def test_json_shapes(text: str) -> None:
    assert read_json(written("f.json", text), ReadReport()) == [
        Record({"text": "a", "label": 1}, Origin("f.json", 1, "row")),
        Record({"text": "b", "label": 2}, Origin("f.json", 2, "row")),
    ]


def test_a_column_may_be_called_data() -> None:
    records = read_json(written("f.json", '{"data": ["a"], "label": [1]}'), ReadReport())
    assert [record.values for record in records] == [{"data": "a", "label": 1}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "f.json: the file holds a single value. These shapes can be read: an array of objects"),
        ('{"text": ["a"], "label": "b"}', "f.json: 'label' is not a list. These shapes"),
        ('{"text": ["a"], "label": []}', "f.json: the columns are not equally long: text 1, label 0"),
        ('[{"text": "a"},\n {"text" "b"}]', "f.json, line 2, column 10: Expecting ':' delimiter"),
        ("", "f.json, line 1, column 1: Expecting value"),
        (r'["\udc00"]', "f.json, half of a surrogate pair"),
        ('[{"text": "a"}, null]', "f.json, row 2: a JSON object is needed, not null"),
    ],
)
def test_bad_json(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_json(written("f.json", text), ReadReport())
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("text", ["[]", "{}", '{"data": []}', '{"text": []}'])
def test_json_without_rows(text: str) -> None:
    assert read_json(written("f.json", text), ReadReport()) == []


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    parquet.write_table(pa.Table.from_pylist(ROWS), path)
    assert read_parquet(Source(path)) == [
        Record(row, Origin(str(path), number, "row")) for number, row in enumerate(ROWS, start=1)
    ]


def test_parquet_of_datasets_names_its_labels(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, List, Value

    label, tag = ClassLabel(names=["bad", "good"]), ClassLabel(names=["O", "B-x"])
    features = Features({"text": Value("string"), "label": label, "tags": List(tag)})
    columns: dict[str, Any] = {"text": ["a", "b", "c"], "label": [1, -1, None], "tags": [[0, 1], [], None]}
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "f.parquet")
    assert [record.values for record in read_parquet(Source(tmp_path / "f.parquet"))] == [
        {"text": "a", "label": "good", "tags": ["O", "B-x"]},
        {"text": "b", "label": None, "tags": []},
        {"text": "c", "label": None, "tags": None},
    ]


def test_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_text("text,label\n")
    with pytest.raises(InputError, match=r"f\.parquet: can't be read as Parquet"):
        read_parquet(Source(tmp_path / "f.parquet"))
