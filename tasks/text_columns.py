"""The columns of texts, or of pairs of texts, in the records of a file."""

from collections.abc import Sequence

from tasks.class_labels import LabelColumns, usual_label_columns
from tasks.data.column_names import PAIR_COLUMNS, TEXT_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import ReadReport, Record
from tasks.record_columns import column, find_column


def find_text_columns(records: Sequence[Record], columns: Columns) -> tuple[str | None, str | None]:
    """Return the columns of the text and of the second text of a pair, None for one that is not there."""
    if columns.text is None and columns.text_pair is None:
        for names in PAIR_COLUMNS:
            first, second = (find_column(records, name, ()) for name in names)
            if first is not None and second is not None:
                return first, second
    second = None if columns.text_pair is None else find_column(records, columns.text_pair, ())
    return find_column(records, columns.text, TEXT_COLUMNS), second


def text_columns(records: Sequence[Record], columns: Columns) -> tuple[str, str | None]:
    """Return the columns of the text and of the second text of a pair, None for single texts.

    Raises:
        InputError: a column that the user named, or each of the usual ones, is missing.
    """
    text, second = find_text_columns(records, columns)
    if text is None:
        text = column(records, columns.text, TEXT_COLUMNS, "data.columns.text")
    if second is None and columns.text_pair is not None:
        second = column(records, columns.text_pair, (), "data.columns.text_pair")
    return text, second


def note_other_columns(records: Sequence[Record], columns: Columns, labels: LabelColumns, report: ReadReport) -> None:
    """Add a note if there are more columns with a usual name for labels or texts than those that are taken."""
    if columns.label is None:
        _note_second("labels", usual_label_columns(records), "label", report)
    if columns.text is None and find_text_columns(records, columns)[1] is None:
        found = [find_column(records, name, ()) for name in TEXT_COLUMNS]
        texts = [name for name in dict.fromkeys(found) if name is not None and name not in labels.names]
        _note_second("texts", texts, "text", report)


def _note_second(what: str, names: Sequence[str], key: str, report: ReadReport) -> None:
    if len(names) > 1:
        report.note(
            f"{what} are taken from the column '{names[0]}', though there is '{names[1]}', too. "
            f"To take another one: data.columns.{key}=NAME"
        )
