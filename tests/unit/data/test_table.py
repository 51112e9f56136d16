"""Tables: separators, headers, titles, and columns without a name, from the file to the rows."""

import re
import shlex

import pytest

from tasks.data.formats.table import records_of_rows
from tasks.data.options import DataOptions
from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.recorded import asked
from tests.unit.data.inputs import recognised, values

ROWS = [{"text": "warm beds, cold soup", "label": "mixed"}, {"text": "rain", "label": "bad"}]


def typed(message: str, *words: str) -> DataOptions:
    """Return the options of a command line with the overrides that a message suggests."""
    line = re.search(r".*?((?:['\"]?data\.\w+=).*)", message.rpartition("\n")[2])
    assert line is not None
    config, _ = asked("task=classification", "data.train=f.csv", *words, *shlex.split(line[1].rstrip("?")))
    return config.data


def refused(text: str, name: str = "f.csv") -> str:
    with pytest.raises(InputError) as error:
        values(name, text)
    return str(error.value)


def read(options: DataOptions) -> list[dict[str, str]]:
    records = read_records(options, "train", ReadReport())
    assert records is not None
    return [record.values for record in records]


@pytest.mark.parametrize("name", ["f.csv", "f.tsv", "f.txt", "f"])
@pytest.mark.parametrize(
    ("separator", "said"), [(";", "';' between columns"), ("\t", "a tab between columns"), ("|", "'|' between columns")]
)
def test_separators_are_found(name: str, separator: str, said: str) -> None:
    text = "".join(separator.join(row) + "\n" for row in (("text", "label"), *(row.values() for row in ROWS)))
    assert values(name, text) == ROWS
    is_usual = separator == "\t" and name != "f.csv"
    assert recognised(name, text).startswith(
        f"train: {name}: TSV, 2 rows"
        if is_usual
        else f"train: {name}: {'TSV' if name == 'f.tsv' else 'CSV'} with {said}, 2 rows"
    )


def test_commas_in_a_tsv_file_are_found() -> None:
    assert recognised("f.tsv", "text,label\nrain,bad\n") == "train: f.tsv: TSV with ',' between columns, 1 row"


@pytest.mark.parametrize("content", ["text,label\r\nrain,bad\r\n", "\ufefftext,label\r\nrain,bad\r\n",
                                     '\ufeff"text","label"\r\n"rain","bad"', "text,label\rrain,bad\r"])  # fmt: skip
def test_byte_order_marks_and_line_ends(content: str) -> None:
    assert values("f.csv", content) == [ROWS[1]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding_and_is_said(encoding: str) -> None:
    line = recognised("f.csv", "text,label\r\nråin,bad\r\n".encode(encoding))
    assert line == f"train: f.csv: CSV, {encoding.upper()} by its byte order mark, 1 row"
    assert values("f.csv") == [{"text": "råin", "label": "bad"}]


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\n", "\ufeffsep=;\r\n"])
def test_a_line_that_names_the_separator(first: str) -> None:
    text = f"{first}text;label\nwarm beds, cold soup;mixed\nrain;bad\n"
    assert values("f.csv", text) == ROWS
    report = ReadReport("skip")
    values("f.csv", text + "too;many;cells\n", report)
    assert report.examples == {"too many cells": ["f.csv, line 5: 3 cells, but 2 columns: text, label"]}


def test_the_users_separator_is_taken_before_that_of_the_file() -> None:
    assert values("f.csv", "sep=;\ntext|label\na;b|c\n", separator="|") == [{"text": "a;b", "label": "c"}]


@pytest.mark.parametrize(
    "title",
    ["Guests of the lodge,\n", "Guests of the lodge\n", "Guests of the lodge,\n,\n", '"Guests,\nof the lodge",\n'],
)
def test_title_rows_are_named_and_the_way_out_works(title: str) -> None:
    message = refused(f'{title}text,label\n"warm beds, cold soup",mixed\nrain,bad\n')
    lines = title.count("\n")
    assert f"Line {lines + 1} looks like the names of the columns: data.skip_lines={lines}" in message
    assert read(typed(message)) == ROWS


def test_skipped_lines_are_counted_in_places() -> None:
    report = ReadReport("skip")
    assert values("f.csv", "Guests\n\ntext,label\nrain,bad\nrain\n", report, skip_lines=2) == [ROWS[1]]
    assert report.examples == {"too few cells": ["f.csv, line 5: 1 cell, but 2 columns: text, label"]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("text,text,label\na,b,c\n", ["text", "text_2", "label"]),
        ("text_2,text,text\na,b,c\n", ["text_2", "text", "text_3"]),
        ("text,text,text_2\na,b,c\n", ["text", "text_3", "text_2"]),
        ("text,text,label,,\na,b,c,,\n", ["text", "text_2", "label", "column4", "column5"]),
        ("text,,label\na,b,c\n", ["text", "column2", "label"]),
        ("#1 String,is it good?,is it good?\na,b,c\n", ["#1 String", "is it good?", "is it good?_3"]),
        ('"it\'s, so","it\'s, so",Größe\na,b,c\n', ["it's, so", "it's, so_2", "Größe"]),
        ("true,true,1\na,b,c\n", ["true", "true_2", "1"]),
        ("$x,$x,[y]\na,b,c\n", ["$x", "$x_2", "[y]"]),
        ("a\\b,a\\b,{y}\na,b,c\n", ["a\\b", "a\\b_2", "{y}"]),
        ("\ntext,text,label\n\na,b,c\n", ["text", "text_2", "label"]),
        ("sep=,\ntext,text,label\na,b,c\n", ["text", "text_2", "label"]),
    ],
)
def test_names_that_are_missing_or_there_twice_can_be_typed_as_suggested(text: str, names: list[str]) -> None:
    message = refused(text)
    assert "To name them yourself: " in message
    assert read(typed(message)) == [dict(zip(names, ["a", "b", "c", "", ""][: len(names)], strict=True))]


def test_the_way_out_keeps_the_title_out() -> None:
    text = "Guests,of,the lodge\nx,x,y\na,b,c\n"
    with pytest.raises(InputError) as error:
        values("f.csv", text, skip_lines=1)
    assert "data.skip_lines=2" in str(error.value)
    assert read(typed(str(error.value))) == [{"x": "a", "x_2": "b", "y": "c"}]


def test_a_header_of_several_lines_is_left_out_as_a_whole() -> None:
    message = refused('"two\nlines",x,x\na,b,c\n')
    assert message.endswith(" data.skip_lines=2")
    assert values("f.csv", header=["a", "b", "c"], skip_lines=2) == [{"a": "a", "b": "b", "c": "c"}]


def test_names_given_twice_are_the_users_own_fault() -> None:
    with pytest.raises(InputError, match=r"data\.header: two columns have the name 'x'") as error:
        values("f.csv", "1,2\n", header=["x", "x"])
    assert "skip_lines" not in str(error.value)


@pytest.mark.parametrize("header", ["text,label,,,", "text,label,", "text,label, , "])
def test_unnamed_columns_at_the_right_end_are_dropped(header: str) -> None:
    empty = header.count(",") - 1
    report = ReadReport()
    assert values("f.csv", f"{header}\nrain,bad{',' * empty}\nsnow,good\n", report) == [
        {"text": "rain", "label": "bad"},
        {"text": "snow", "label": "good"},
    ]
    assert report.notes == []
    assert values("f.csv", f"{header}\nrain,bad{',x' * empty}\n", report) == [{"text": "rain", "label": "bad"}]
    (note,) = report.notes
    assert "at the right end have no name, but 1 rows have something in them. It is not used" in note


def test_the_files_own_header_does_not_become_a_row() -> None:
    rows = "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(6))
    with pytest.raises(InputError, match=r"v1, v2: these look like the file's own names of its columns") as error:
        values("f.csv", f"v1,v2\n{rows}", header=["text", "label"])
    ways = re.findall(r"data\.skip_lines=(\d)", str(error.value))
    assert ways == ["1", "0"]
    counts = [len(values("f.csv", header=["text", "label"], skip_lines=int(way))) for way in ways]
    assert counts == [6, 7]


def test_a_header_for_a_file_without_one() -> None:
    rows = "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(6))
    assert len(values("f.csv", rows, header=["text", "label"])) == 6


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('rain, "bad"', ["rain", "bad"]),
        ('"rain" ,"bad" ', ["rain", "bad"]),
        (' "a, b" , "c ""d"""', ["a, b", 'c "d"']),
        (' a "b" c,d', [' a "b" c', "d"]),
        (' "a" b,c', [' "a" b', "c"]),
        ('5" disk,6" disk', ['5" disk', '6" disk']),
    ],
)
def test_blanks_around_quotes(line: str, cells: list[str]) -> None:
    assert values("f.csv", f"text,label\n{line}\n") == [dict(zip(("text", "label"), cells, strict=True))]


def test_quotes_in_a_text_of_a_tsv_file_are_refused_with_a_way_out() -> None:
    text = 'text\tlabel\n"Great" film\tgood\nso "so"\tbad\n'
    message = refused(text, "f.tsv")
    assert "followed by more text on this line" in message
    assert values("f.tsv", text, quoting=False) == [
        {"text": '"Great" film', "label": "good"},
        {"text": 'so "so"', "label": "bad"},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,label\nrain,bad\nsnow\n", "f.csv, line 3: 1 cell, but 2 columns: text, label"),
        ("text,label\nrain,really,bad\nsnow,good\n", "f.csv, line 2: 3 cells, but 2 columns: text, label"),
        ("text;label\nrain\nsnow;good\n", "only one column, 'text;label'. ',' was taken for the separator. Is it "
                                          "another separator: data.separator=';'?"),
    ],
)  # fmt: skip
def test_ragged_rows_are_refused(text: str, message: str) -> None:
    assert message in refused(text)


def test_a_suggested_separator_works() -> None:
    message = refused("text;label\nrain\nsnow;good\n")
    assert typed(message).separator == ";"


def test_quotes_that_join_rows_are_noted_and_the_way_out_works() -> None:
    text = 'text\tlabel\nrain\tbad\n"so cold\tbad\nwarm"\tgood\nsnow\tgood\n'
    report = ReadReport()
    assert len(values("f.tsv", text, report)) == 3
    (note,) = report.notes
    assert "f.tsv: quotes join 1 lines with the next ones, as in line 3" in note
    assert len(values("f.tsv", quoting=False)) == 4


@pytest.mark.parametrize("cell", ['"warm, really\nwarm"', '"warm\nbeds"', '"a, bad, b\nc"'])
def test_texts_of_several_lines_are_not_noted(cell: str) -> None:
    report = ReadReport()
    assert len(values("f.csv", f"text,label\n{cell},good\nrain,bad\n", report)) == 2
    assert report.notes == []


def test_a_header_line_that_comes_again_is_left_out_and_counted() -> None:
    report = ReadReport()
    assert values("f.csv", "text,label\nrain,bad\n\ntext, label\nsnow,good\n", report) == [
        {"text": "rain", "label": "bad"},
        {"text": "snow", "label": "good"},
    ]
    assert report.examples == {"names of the columns again": ["f.csv, line 4: the line repeats the header line"]}
    assert len(values("f.csv", "a,b\na,b\n", header=["a", "b"])) == 2


@pytest.mark.parametrize("rule", ["|---|---|", "| :--- | ---: |"])
def test_markdown_is_no_table_of_ours(rule: str) -> None:
    assert refused(f"| text | label |\n{rule}\n| rain | bad |\n", "f.md") == (
        "f.md: is a Markdown table: save it as CSV, or remove the line below the header"
    )


def test_a_single_column_of_texts_is_a_table() -> None:
    (record,) = records_of_rows([(1, ["Text"]), (2, ["warm beds"])], "test.csv", ReadReport())
    assert record.values == {"Text": "warm beds"}
