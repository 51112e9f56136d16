"""JSON in the shapes that programs write it in."""

import io
import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.data.formats.json_values import read_json_text, top_list
from tasks.data.formats.structured import rows_of_tree
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, recognised, values

ROWS = [{"text": "warm beds", "label": "good", "stars": 5}, {"text": "cold soup", "label": "bad", "stars": 1}]
ORIENTS = ("records", "columns", "index", "split", "table")


@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("index", [None, [7, 3], [-1, 0]])
def test_what_pandas_writes(orient: Any, index: list[int] | None) -> None:
    content = pd.DataFrame(ROWS, index=index).to_json(orient=orient)
    rows = values("f.json", content)
    added = {key for row in rows for key in row} - set(ROWS[0])
    assert [{key: row[key] for key in ROWS[0]} for row in rows] == ROWS
    assert added == ({"index"} if orient == "table" else set())


@given(
    st.lists(
        st.fixed_dictionaries(
            {"text": st.text(st.characters(exclude_categories=["Cs"])), "label": st.none() | st.integers(0, 3)}
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(ORIENTS),
    st.booleans(),
)
def test_whatever_pandas_writes_is_what_pandas_reads(rows: list[dict[str, Any]], orient: Any, indented: bool) -> None:
    content = pd.DataFrame(rows, dtype=object).to_json(orient=orient, indent=2 if indented else None)
    read = rows_of_tree(json.loads(content), "f.json")
    assert [{key: row[key] for key in ("text", "label")} for row in read] == rows


def test_pandas_lines() -> None:
    assert values("f.json", pd.DataFrame(ROWS).to_json(orient="records", lines=True)) == ROWS


def test_the_orient_without_names_is_refused() -> None:
    with pytest.raises(InputError, match=r"f\.json, row 1: a JSON object is needed, not \[.warm beds"):
        values("f.json", pd.DataFrame(ROWS).to_json(orient="values"))


def test_rows_named_by_words_are_refused() -> None:
    content = pd.DataFrame(ROWS, index=["first", "second"]).to_json(orient="index")
    with pytest.raises(InputError, match=r"not plain which are the rows: first, second, \.\.\. or text, label, stars"):
        values("f.json", content)


def test_columns_named_by_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="not plain which are the rows"):
        values("f.json", pd.DataFrame([["a", "b"]]).to_json(orient="index"))


@pytest.mark.parametrize("name", ["f.json", "f.jsonl", "f.txt", "f"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (json.dumps(ROWS), "JSON"),
        (json.dumps(ROWS, indent=2), "JSON"),
        (json_lines(*ROWS), "JSON lines"),
        ("\n\n" + json_lines(*ROWS) + "\n", "JSON lines"),
        (json_lines(*ROWS).replace("\n", "\r\n"), "JSON lines"),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), "JSON objects one after another"),
        (",\n".join(json.dumps(row, indent=2) for row in ROWS), "JSON objects one after another"),
        (" \n" + ",\n".join(map(json.dumps, ROWS)) + "\n ", "JSON objects one after another"),
    ],
)
def test_shapes(name: str, content: str, what: str) -> None:
    line = recognised(name, content)
    assert values(name) == ROWS
    assert line == f"train: {name}: {what}, 2 rows"


@pytest.mark.parametrize(
    "tree",
    [
        {"data": ROWS},
        {"rows": ROWS, "version": "1"},
        {"version": 2, "names": ["bad", "good"], "items": ROWS},
        {"text": ["warm beds", "cold soup"], "label": ["good", "bad"], "stars": [5, 1]},
    ],
)
def test_rows_inside_of_an_object(tree: dict[str, Any]) -> None:
    assert values("f.json", json.dumps(tree)) == ROWS


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"train": ROWS, "test": ROWS}, "there are several lists of rows: train, test. Save each in a file of its own"),
        ({"train": ROWS, "test": ROWS, "version": 1}, "several lists"),
        ({"text": "warm beds", "label": "good"}, "'text' is not a list"),
        ({"result": {"rows": ROWS}}, "f.json: "),
        ({"text": ["a", "b"], "label": ["x"]}, "the columns are not equally long: text 2, label 1"),
        ({"columns": ["text"], "data": [["a", "b"]]}, "row 1: a list of 1 cells is needed: text"),
        ({"a": {"0": 1}, "b": {"1": 2}}, "the objects in it have different keys"),
        ("warm beds", "neither name nor content"),
    ],
)
def test_rows_that_are_not_plain_to_find_are_refused(tree: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        values("f.json" if isinstance(tree, dict) else "f.txt", json.dumps(tree))
    assert message in str(error.value)


def test_nan_is_no_text() -> None:
    (row,) = values("f.jsonl", '{"text": NaN, "label": "good", "score": Infinity}\n')
    assert math.isnan(row["text"])


def test_a_line_that_is_no_json_is_named() -> None:
    report = ReadReport("skip")
    text = json_lines(*ROWS) + '{"text": "cut of'
    assert values("f.jsonl", text, report) == ROWS
    assert report.skipped == {"not JSON": 1}
    with pytest.raises(InputError, match=r"f\.jsonl, line 3: not valid JSON"):
        values("f.jsonl", text)


@pytest.mark.parametrize("separator", ["\n", "\n\n"])
def test_a_fault_after_the_first_of_several_objects_is_not_left_out(separator: str) -> None:
    good = json.dumps(ROWS[0], indent=1)
    text = separator.join([good, good, '{"text": "cut of', good])
    with pytest.raises(InputError, match=r"f\.json, line \d+, column 17: Invalid control character at"):
        values("f.json", text)
    half = separator.join([good, r'{"text": "\ud83d", "label": "x"}'])
    with pytest.raises(InputError, match=r"f\.json, half of a surrogate pair"):
        values("f.json", half)


def test_places_of_objects_one_after_another_are_their_lines() -> None:
    text = "\n" + "\n".join(json.dumps(row, indent=1) for row in (*ROWS, ["x"]))
    with pytest.raises(InputError, match=r"f\.json, line 12: a JSON object is needed"):
        values("f.json", text)


def test_what_is_in_braces_but_no_json() -> None:
    assert read_json_text("{Mara} left, [again]", ".txt") is None


@pytest.mark.parametrize(
    ("tree", "rows"),
    [
        ([1], [1]),
        ({"a": [{}], "b": 1}, [{}]),
        ({"a": [{}], "b": [{}]}, None),
        ({"tokens": [["a"], ["b"]], "id": [1, 2]}, None),
        ({"classes": ["x"], "annotations": [["a", {}]]}, [["a", {}]]),
        ({"a": []}, None),
        (3, None),
    ],
)
def test_top_list(tree: Any, rows: Any) -> None:
    assert top_list(tree) == rows


def test_columns_of_lists_stay_columns() -> None:
    assert values("f.json", json.dumps({"tokens": [["a", "b"], ["c"]], "id": [1, 2]})) == [
        {"tokens": ["a", "b"], "id": 1},
        {"tokens": ["c"], "id": 2},
    ]


def test_pandas_reads_the_same_table() -> None:
    content = pd.DataFrame(ROWS).to_json(orient="columns")
    assert values("f.json", content) == pd.read_json(io.StringIO(content)).to_dict(orient="records")
