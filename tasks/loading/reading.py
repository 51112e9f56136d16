"""Reading of the rows of each split that is given, as the task makes them of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.data.column_names import LABEL_COLUMNS, PAIR_COLUMNS, TEXT_COLUMNS
from tasks.data.options import SPLITS, DataOptions, Split
from tasks.data.read import read_records
from tasks.data.records import Origin, ReadReport, Record
from tasks.data.sorting_columns import sorting_values, used_columns
from tasks.data.suggested import labelled_by_now
from tasks.errors import InputError
from tasks.record_columns import column_names
from tasks.task import AnyTask, Layout

CHOICES = frozenset({*TEXT_COLUMNS, *LABEL_COLUMNS, *(name for pair in PAIR_COLUMNS for name in pair)})
"Usual names of columns, of which a file may have several."


@dataclass(frozen=True)
class GivenSplits:
    """The rows of each split that is given."""

    task: AnyTask
    "With its `auto` options resolved."
    rows: dict[Split, list[Any]]
    unlabelled: frozenset[Split]
    "Splits whose rows have no labels."
    columns: dict[Origin, dict[str, str]]
    "Other columns of the files that sort their rows, such as a source, with their value for each row."


def read_splits(task: AnyTask, options: DataOptions, layout: Layout, report: ReadReport) -> GivenSplits:
    """Read every split that is given.

    Raises:
        InputError: a file, row or label can't be used, and the user did not choose to skip such rows.
    """
    records = _read_records(task, options, layout, report)
    train = records["train"]
    task = task.resolve_auto(train, layout, report)
    records = {split: found if split == "train" else _with_columns_of(train, found) for split, found in records.items()}
    test = records.get("test")
    unlabelled: frozenset[Split] = frozenset({"test"} if test and not task.has_labels(test, layout) else ())
    given = {
        split: task.with_groups_that_count(task.read(found, layout, report, labelled=split not in unlabelled))
        for split, found in records.items()
    }
    for split, rows in given.items():
        if not rows:
            raise InputError(f"data.{split}: no usable row is left in {_source(options, split)}")
        expected, form = task.form(given["train"][0]), task.form(rows[0])
        if form != expected:
            raise InputError(
                f"data.{split}: the rows are {form}, but those of training are {expected}. See data.columns"
            )
    there = [record for found in records.values() for record in task.whole_records(found, layout)]
    return GivenSplits(task, given, unlabelled, sorting_values(there, used_columns(layout.columns)))


def _read_records(task: AnyTask, options: DataOptions, layout: Layout, report: ReadReport) -> dict[Split, list[Record]]:
    """Return the records of each split that is given, without those that nobody has labelled yet.

    Raises:
        InputError: a file can't be read, or there are no training rows.
    """
    given = {split: found for split in SPLITS if (found := read_records(options, split, report)) is not None}
    if "train" not in given:
        raise InputError("data.train: no training rows are given")
    for split, found in given.items():
        if split != "test":  # whose rows may have no labels
            given[split] = labelled_by_now(found, layout.columns, report, may_be_empty=task.tags_words)
    return given


def _with_columns_of(train: Sequence[Record], records: list[Record]) -> list[Record]:
    """Return the records of another split without texts and labels that training rows don't have.

    Otherwise one more column, such as a title, may be taken for the text in this split only.
    """
    there, known = column_names(records), column_names(train)
    more = {name for name in there if name not in known and name.strip().casefold() in CHOICES}
    if not more or not set(known) <= set(there):
        return records
    return [
        Record({name: value for name, value in record.values.items() if name not in more}, record.origin)
        for record in records
    ]


def _source(options: DataOptions, split: Split) -> str:
    return str(getattr(options, split) or options.hub)


def sources(options: DataOptions) -> dict[str, str | Sequence[str] | None]:
    """Return where each split comes from, for the report."""
    if options.hub is not None:
        return {"hub": options.hub, "revision": options.hub_revision}
    return {split: getattr(options, split) for split in SPLITS}
