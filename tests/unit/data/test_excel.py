"""Excel workbooks."""

import builtins
import datetime
import re
import shlex
import sys
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.recorded import asked
from tests.unit.data.inputs import recognised, values

ROWS = (("text", "label"), ("warm beds", "good"), ("cold soup", "bad"))
READ = [{"text": "warm beds", "label": "good"}, {"text": "cold soup", "label": "bad"}]


def book(**sheets: Any) -> bytes:
    """Return a workbook: for each sheet its rows. An underscore in a name stands for a blank."""
    made, file = openpyxl.Workbook(), BytesIO()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name.replace("_", " "))
        for cells in rows:
            sheet.append(cells)
    made.save(file)
    return file.getvalue()


def test_the_only_sheet() -> None:
    assert values("f.xlsx", book(Guests=ROWS)) == READ
    assert recognised("f.xlsx") == "train: f.xlsx: Excel sheet 'Guests', 2 rows"


def test_empty_sheets_do_not_count() -> None:
    assert values("f.xlsx", book(Sheet1=(), Guests=ROWS, Sheet3=())) == READ


def test_several_sheets_are_a_question_with_an_answer_that_works() -> None:
    with pytest.raises(InputError) as error:
        values("f.xlsx", book(All_guests=ROWS, Staff=(("text", "label"), ("rain", "bad"))))
    assert "f.xlsx has several sheets: All guests, Staff" in str(error.value)
    config, _ = asked(
        "task=classification", "data.train=f.xlsx", *shlex.split(str(error.value).partition("which: ")[2])
    )
    records = read_records(config.data, "train", ReadReport())
    assert records is not None
    assert [record.values for record in records] == READ
    assert values("f.xlsx", sheet="Staff") == [{"text": "rain", "label": "bad"}]
    with pytest.raises(InputError, match=r"data\.sheet=Stuff: .* Sheets: All guests, Staff\. Did you mean 'Staff'\?"):
        values("f.xlsx", sheet="Stuff")


def test_types_of_cells() -> None:
    day = datetime.datetime(2024, 5, 1)
    cells = (7, 0.5, True, "0123", None, day)
    assert values("f.xlsx", book(A=(("a", "b", "c", "d", "e", "f"), cells))) == [
        dict(zip("abcdef", cells, strict=True))
    ]


def test_empty_rows_are_left_out_and_numbers_are_those_of_the_sheet() -> None:
    report = ReadReport()
    content = book(A=(("Guests", None), (None, None), ("text", "label"), ("warm beds", "good")))
    with pytest.raises(InputError, match=r"row 1: only one column.*\nLine 3 looks like .*: data\.skip_lines=2"):
        values("f.xlsx", content)
    records = values("f.xlsx", None, report, skip_lines=2)
    assert records == READ[:1]


def test_unnamed_columns_at_the_right_end() -> None:
    report = ReadReport()
    content = book(A=(("text", "label", None, None), ("warm beds", "good", None, None), ("rain", "bad", None, "!")))
    assert values("f.xlsx", content, report) == [READ[0], {"text": "rain", "label": "bad"}]
    assert len(report.notes) == 1


def test_missing_cells_at_the_end_of_a_row_are_empty() -> None:
    assert values("f.xlsx", book(A=(("text", "label"), ("rain",), ("snow", "good")))) == [
        {"text": "rain", "label": None},
        {"text": "snow", "label": "good"},
    ]


def test_a_name_that_is_there_twice_can_be_replaced_as_suggested() -> None:
    with pytest.raises(InputError) as error:
        values("f.xlsx", book(A=(("text", "text", "label"), ("a", "b", "c"))))
    way_out = shlex.split(re.findall(r"yourself: (.*)", str(error.value))[0])
    config, _ = asked("task=classification", "data.train=f.xlsx", *way_out)
    records = read_records(config.data, "train", ReadReport())
    assert records is not None
    assert [record.values for record in records] == [{"text": "a", "text_2": "b", "label": "c"}]


@pytest.mark.parametrize("content", [b"", b"text,label\n", book(A=ROWS)[:-200], b"PK\x03\x04 and more"])
def test_damaged_files(content: bytes) -> None:
    with pytest.raises(InputError, match=r"f\.xlsx: can't be (read as an Excel workbook|unpacked): "):
        values("f.xlsx", content)


def test_a_workbook_without_rows() -> None:
    with pytest.raises(InputError, match=r"f\.xlsx: holds no usable row"):
        values("f.xlsx", book(A=()))


def test_without_openpyxl_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = book(A=ROWS)
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "openpyxl")
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"pip install 'finetune-recipes\[xlsx\]'"):
        values("f.xlsx", content)


def test_a_workbook_is_no_text() -> None:
    with pytest.raises(InputError, match=r"is an Excel workbook: data\.format=xlsx reads it"):
        values("f.xlsx", book(A=ROWS), format="csv")
