"""Excel workbooks (.xlsx), read with openpyxl, which the extra `xlsx` installs."""

from io import BytesIO
from typing import Any

from tasks.data.decoding import ZIP
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.table import Row, records_of_rows
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport
from tasks.errors import InputError, did_you_mean
from tasks.overrides import shell_word


def _rows(source: Source, sheet: str | None) -> tuple[str, list[Row]]:
    """Return the name of the sheet that is meant, and its rows that are not empty, with their numbers."""
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(
            f"{source.path}: Excel workbooks need openpyxl: pip install 'finetune-recipes[xlsx]', or save it as CSV"
        ) from error
    try:
        book = openpyxl.load_workbook(BytesIO(source.data), read_only=True, data_only=True)
        sheets = {name: _cells(book[name]) for name in book.sheetnames if hasattr(book[name], "iter_rows")}
    except Exception as error:  # openpyxl's errors for damaged files have no common class
        raise InputError(f"{source.path}: can't be read as an Excel workbook: {error}") from error
    filled = [name for name, rows in sheets.items() if rows]
    if sheet is not None:
        if sheet not in sheets:
            raise InputError(
                f"data.sheet={sheet}: {source.path} has no such sheet. Sheets: {', '.join(sheets)}."
                + did_you_mean(sheet, sheets)
            )
        return sheet, sheets[sheet]
    if len(filled) > 1:
        raise InputError(
            f"{source.path} has several sheets: {', '.join(filled)}. Say which: "
            + shell_word(f"data.sheet={filled[0]}")
        )
    return (filled[0], sheets[filled[0]]) if filled else ("", [])


def _cells(sheet: Any) -> list[Row]:
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    return [(number, list(cells)) for number, cells in rows if any(cell is not None for cell in cells)]


def _recognise(source: Source) -> Confidence:
    return certain_if(source.suffix in (".xlsx", ".xlsm") or source.data.startswith(ZIP))


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    sheet, rows = _rows(source, options.sheet)
    rows = [(number, cells) for number, cells in rows if number > (options.skip_lines or 0)]
    records = records_of_rows(
        rows, source.file, report, header=options.header, skip_lines=options.skip_lines, unit="row"
    )
    return Contents(records, f"Excel sheet '{sheet}'")


EXCEL = Reader("xlsx", _recognise, _read)
