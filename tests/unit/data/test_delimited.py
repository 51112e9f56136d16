"""CSV and TSV."""

import csv
import io
from collections.abc import Sequence
from typing import Literal, TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.data.formats.delimited import read_delimited
from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError


class OptionsWithDefault(TypedDict, total=False):
    """Options of `read_delimited` that have defaults."""

    quoting: bool
    header: Sequence[str]


class Options(OptionsWithDefault, total=False):
    """Options of `read`, all of which have defaults."""

    separator: str


def read(
    text: str, report: ReadReport | None = None, separator: str = ",", **options: Unpack[OptionsWithDefault]
) -> list[tuple[int, dict[str, str]]]:
    records = read_delimited(text, "f.csv", report or ReadReport(), separator=separator, **options)
    assert all(record.origin == Origin("f.csv", record.origin.number, "line") for record in records)
    return [(record.origin.number, record.values) for record in records]


def test_quoted_cells_and_starting_lines() -> None:
    text = 'text,label\n"a, ""b""\nc",x\n\nd,"y"\n"","z\n\n"\ne,f'
    assert read(text) == [
        (2, {"text": 'a, "b"\nc', "label": "x"}),
        (5, {"text": "d", "label": "y"}),
        (6, {"text": "", "label": "z\n\n"}),
        (9, {"text": "e", "label": "f"}),
    ]


def test_quote_inside_a_cell_is_ordinary() -> None:
    assert read('text,label\n5" disk,x\n') == [(2, {"text": '5" disk', "label": "x"})]


def test_separator_at_the_end_is_an_empty_cell() -> None:
    assert read('a,b\n1,\n"2",') == [(2, {"a": "1", "b": ""}), (3, {"a": "2", "b": ""})]


def test_multi_line_header() -> None:
    assert read('"a\nb",c\n1,2\n') == [(3, {"a\nb": "1", "c": "2"})]


def test_header_names_are_stripped() -> None:
    assert read("text , label\na, b\n") == [(2, {"text": "a", "label": " b"})]


def test_unusual_line_ends_are_part_of_a_text() -> None:
    assert read("a,b\n1\u2028\x85\x0b2,3\n") == [(2, {"a": "1\u2028\x85\x0b2", "b": "3"})]


def test_cells_of_any_size() -> None:
    assert len(read("a,b\n" + "x" * 300_000 + ",y\n")[0][1]["a"]) == 300_000


def test_separator_of_several_characters() -> None:
    assert read('a||b\n"1||2"||3|4\n', separator="||") == [(2, {"a": "1||2", "b": "3|4"})]


def test_without_quoting_the_last_column_takes_the_rest() -> None:
    rows = read('1 a "stirring , film\n0 bad\n', separator=" ", quoting=False, header=["label", "text"])
    assert rows == [(1, {"label": "1", "text": 'a "stirring , film'}), (2, {"label": "0", "text": "bad"})]


def test_without_quoting_a_header_line_fixes_the_number_of_cells() -> None:
    report = ReadReport("skip")
    assert read('a\tb\n"1\t2\n3\t4\t5\n', report, separator="\t", quoting=False) == [(2, {"a": '"1', "b": "2"})]
    assert report.skipped == {"too many cells": 1}


def test_rows_with_too_few_or_too_many_cells() -> None:
    report = ReadReport("skip")
    assert read("a,b\n1\n1,2\n1,2,3\n", report) == [(3, {"a": "1", "b": "2"})]
    assert report.skipped == {"too few cells": 1, "too many cells": 1}
    assert report.examples["too many cells"] == ["f.csv, line 4: 3 cells, but 2 columns: a, b"]
    with pytest.raises(InputError, match="line 2: 1 cell, but 2 columns: a, b"):
        read("a,b\n1\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a,b\n1,2\n"never closed,3\n4,5\n', 'line 3: the quote that opens here is never closed: "never closed,3\n'),
        ('a,b\n"x\ny",z\n"x\ny","open\n5,6', 'line 5: the quote that opens here is never closed: "open\n'),
        ('a,b\n"odd""\n', 'line 2: the quote that opens here is never closed: "odd""\n'),
        ('a,b\n"Great" film,x\n', 'opens here is followed by more text on this line: "Great" film,x\n'),
        ('a,b\n"Great,x\nnext,"y"\n', "line 2: the cell in quotes that opens here is followed by more text on line 3"),
    ],
)
def test_unbalanced_quotes(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read(text)
    assert message in str(error.value)
    assert "data.quoting=false" in str(error.value)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b,a\n", {}, "f.csv, line 1: two columns have the name 'a'. Columns: a, b, a"),
        (",,text\n", {}, "f.csv, line 1: column 2 has no name. Columns: 'index', '', 'text'"),
        ("\n\na,,b\n", {}, "f.csv, line 3: column 2 has no name"),
        ("a,,\n", {}, "f.csv, line 1: only one column, 'a'"),
        ("1,2\n", {"header": ["x", "x"]}, "data.header: two columns have the name 'x'"),
        ("text;label\n", {}, "only one column, 'text;label'. ',' was taken for the separator. Is it another "
                             "separator: data.separator=';'?"),
        ("beds\n", {"separator": "\t"}, "f.csv, line 1: only one column, 'beds'"),
        ("a,b\n", {"separator": ""}, "data.separator is empty"),
    ],
)  # fmt: skip
def test_headers_that_cannot_be_used(text: str, options: Options, message: str) -> None:
    with pytest.raises(InputError) as error:
        read(text, **options)
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n"])
def test_no_rows(text: str) -> None:
    assert read(text) == []


# Cells have no carriage returns: `decode_file` turns CRLF into LF before, and a lone one ends no line.
cells = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]))


@given(st.lists(st.lists(cells, min_size=2, max_size=2)), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_reads_what_the_csv_module_writes(rows: list[list[str]], quoting: Literal[0, 1]) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator="\n").writerows(rows)
    # Without `skip_lines`, a first row that looks like the names of columns is a question.
    records = read_delimited(file.getvalue(), "f", ReadReport(), separator=",", header=["a", "b"], skip_lines=0)
    assert [list(record.values.values()) for record in records] == rows


def test_the_index_that_pandas_writes_is_a_column() -> None:
    records = read_delimited(",text,label\n0,warm beds,good\n", "f.csv", ReadReport(), separator=",")
    assert records[0].values == {"index": "0", "text": "warm beds", "label": "good"}
