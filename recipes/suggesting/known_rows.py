"""The rows that a run was trained and judged on, which need no label any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from recipes.config.conversion import data_options
from recipes.results.run_directory import RunDirectory
from tasks.data.options import Columns
from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.task import AnyTask, Row
from tasks.writing.to_label import LABEL, place_to_fill


@dataclass(frozen=True)
class Known:
    """What is known of the training of a model."""

    rows: Sequence[Row] = field(default_factory=list)
    "The labelled rows."
    place: str = LABEL
    "The column that their labels stand in."
    doubt: str = ""
    "Why these may not be all, or none."


def known_rows(directory: RunDirectory, task: AnyTask) -> Known:
    """Return what is known of the rows of a run.

    Args:
        directory: that of the run, or of any other trained model.
        task: that of the model.
    """
    usual = place_to_fill(task, [], Columns())
    path = directory.config
    if not path.is_file():
        return Known([], usual, f"{directory} is no run directory: rows that have a label already can't be told")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        data = data_options(tree["data"])
        rows = load(task, data, int(tree["seed"]))
        place = place_to_fill(task, read_records(data, "train", ReadReport()) or [], data.columns)
    except (InputError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        why = f"rows that have a label already can't be told, as those of the run can't be read: {first}"
        return Known([], usual, why)
    labelled = [row for split, of_split in rows.splits.items() if split not in rows.unlabelled for row in of_split]
    return Known(labelled, place, _changed(directory))


def _changed(directory: RunDirectory) -> str:
    report = directory.finished_report()
    try:
        if report is not None:
            directory.require_same_files(report)
    except InputError:
        return "the files of the run have changed since: rows that it was trained on may be suggested again"
    return ""
