"""Columns that sort rows into groups: which they are, and their value for each row."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.classification import Classification
from tasks.data.options import Columns, DataOptions
from tasks.data.records import Origin, Record
from tasks.data.sorting_columns import sorting_values, used_columns
from tasks.loading.load import load
from tasks.ner import Ner


def values(*rows: dict[str, Any], used: set[str] | None = None) -> list[dict[str, str]]:
    records = [Record(row, Origin("a.csv", number)) for number, row in enumerate(rows)]
    found = sorting_values(records, used or set())
    return [found[record.origin] for record in records] if found else []


def test_columns_with_few_values_sort_rows() -> None:
    rows = [
        {"text": f"t{n}", "label": n % 2, "source": "app" if n % 2 else "shop", "when": f"day {n}"} for n in range(20)
    ]
    assert values(*rows) == [{"source": "app" if n % 2 else "shop"} for n in range(20)]
    assert values(*rows, used={"source"}) == []


@pytest.mark.parametrize(
    "cells",
    [
        ["same"] * 20,
        [f"v{n // 4}" for n in range(20)],  # four rows a value
        ["a"] * 9 + ["b"] + [None] * 10,
        ["x" * 61] * 10 + ["y"] * 10,
        [0.5, 1.5] * 10,
        [["a", "b"]] * 10 + [["a", "c"]] * 10,
        [{"a": 1}, {"a": 2}] * 10,
        [" ", ""] * 10,
    ],
)
def test_others_do_not(cells: list[Any]) -> None:
    assert values(*({"text": "t", "x": cell} for cell in cells)) == []


def test_empty_cells_are_a_group_and_lists_of_one_value_are_that_value() -> None:
    cells: list[Any] = [["web", "web"]] * 6 + ["app"] * 6 + [None] * 3 + [True] * 5
    assert [of_row["x"] for of_row in values(*({"x": cell} for cell in cells))] == (
        ["web"] * 6 + ["app"] * 6 + ["(none)"] * 3 + ["True"] * 5
    )


def test_names_that_the_user_gave_are_in_use() -> None:
    assert used_columns(Columns(text="Body", label=["rude", "late"])) == {"body", "rude", "late"}
    assert values(*({"Rude ": n % 2} for n in range(20)), used={"rude"}) == []


def test_a_run_has_them_for_its_rows_but_not_those_of_labels(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    lines = [f"text {n},{n % 2},{n % 3 // 2},{'en' if n % 5 else 'no'}" for n in range(60)]
    table.write_text("\n".join(["text,rude,late,language", *lines]))
    columns = Columns(label=["rude", "late"])
    rows = load(Classification(), DataOptions(train=str(table), test_fraction=0.2, columns=columns), 1)
    (row, *_) = rows.splits["test"]
    assert rows.columns[row.origin] == {"language": "en" if int(row.text.split()[1]) % 5 else "no"}


def test_a_table_of_tokens_has_them_by_sentence(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    lines = [
        f"{n},{word},{tag},{'news' if n % 2 else 'mail'}"
        for n in range(40)
        for word, tag in ((f"Ida{n}", "B-p"), ("is", "O"))
    ]
    table.write_text("\n".join(["sentence_id,token,tag,genre", *lines]))
    rows = load(Ner(), DataOptions(train=str(table), test_fraction=0.2), 1)
    assert {rows.columns[row.origin]["genre"] for row in rows.splits["test"]} == {"news", "mail"}


def test_lists_of_words_have_them_too(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    found = [{"tokens": ["Ida", str(n)], "tags": ["B-p", "O"], "source": f"a{n % 2}"} for n in range(40)]
    file.write_text("".join(json.dumps(one) + "\n" for one in found))
    rows = load(Ner(), DataOptions(train=str(file)), 1)
    assert [rows.columns[row.origin] for row in rows.splits["train"][:2]] == [{"source": "a0"}, {"source": "a1"}]
