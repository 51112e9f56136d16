"""Corrected copies of labelled files, from the column `fix` of an audit's table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.auditing.fix_table import overrides_of, read_fix_table
from recipes.command.composing import compose
from recipes.command.own_rows import shell_command
from recipes.config.schema import TASKS
from recipes.system.console import counted, say
from recipes.system.files import write_text
from tasks.data.read import read_label_names, read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.loading.fixes import require_rows, with_fixes
from tasks.loading.reading import read_splits
from tasks.task import AnyTask, Layout
from tasks.writing.fitting import unused_columns
from tasks.writing.rereading import reading_of
from tasks.writing.writer import has_own_ids, renumbered
from tasks.writing.writers import choose_writer


def apply_fixes(path: Path, output: Path) -> None:
    """Write corrected copies of the training files of an audit into a folder. The originals stay as they are.

    Args:
        path: the table, with `yes`, `drop` or what is right in the column `fix`.
        output: the folder, which must not hold any of the files yet.

    Raises:
        InputError: the table is none of an audit, nothing is to be fixed, or a fix or a file can't be used.
    """
    fixes = read_fix_table(path)
    config = compose(overrides_of(path))
    layout = Layout(config.data.columns, read_label_names(config.data.label_names))
    report = ReadReport(on_bad_row=config.data.on_bad_row)
    given = read_splits(config.task, config.data, layout, report)
    task, train = given.task, given.rows["train"]
    require_rows(task, train, fixes)
    found = with_fixes(task, train, fixes)
    files: Mapping[str, list[Any]] = defaultdict(list)
    for row in found.rows:
        files[str(row.origin.file)].append(row)
    if not has_own_ids(train):
        files = {name: renumbered(rows) for name, rows in files.items()}
    copies = [_copy_of(Path(name), rows, task) for name, rows in files.items()]
    _write(output, copies)
    counts = {"changed": found.changed, "left out": found.left_out}
    said = ", ".join(f"{counted(count, 'row')} {what}" for what, count in counts.items() if count)
    unused = unused_columns(read_records(config.data, "train", ReadReport()) or [], config.data.columns, task.name)
    if unused:
        say(f"Columns that {task.name} rows have no place for are not in the copies: {', '.join(unused)}")
    for reason, count in report.skipped.items():
        say(f"Not in the copies, as they were no part of the audit: {count} x {reason}")
    for copy in copies:
        for what, count in copy.losses.items():
            say(f"{copy.name}: {what} ({counted(count, 'row')}) has no place in it")
    say(f"Written: {', '.join(str(output / copy.name) for copy in copies)}; {said or 'nothing changed'}")
    options = " ".join(dict.fromkeys(copy.reading for copy in copies if copy.reading))
    how = f"with {options}, and " if options else ""
    say(f"To be read {how}without the options of data.* that told how the originals are written")
    say(f"To see what the fixes bring: {shell_command(['compare', str(path)], 'recipes.audit')}")


@dataclass(frozen=True)
class _Copy:
    """A corrected copy of a file, before it is written."""

    name: str
    text: str
    losses: Mapping[str, int]
    "What the format has no place for, and how many rows lost it."
    reading: str
    "Options of the task with which it has to be read."


def _copy_of(path: Path, rows: Sequence[Any], task: AnyTask) -> _Copy:
    """Return the corrected copy of a file, once it is proved that it reads back as its rows."""
    writer = choose_writer(task.name, path.suffix.lower(), None)
    written = writer.write(rows, True, ReadReport())
    reading = reading_of(written, True, writer, TASKS[task.name], path.name)
    options = " ".join(f"task.{key}={value}" for key, value in reading.options.items())
    return _Copy(path.name, written.text, written.losses, options)


def _write(output: Path, copies: Sequence[_Copy]) -> None:
    names = [copy.name for copy in copies]
    if len(set(names)) < len(names):
        raise InputError("Several training files have the same name: they can't be written into one folder")
    there = [name for name in names if (output / name).exists()]
    if there:
        raise InputError(f"-o {output}: {there[0]} is there already. Name another folder")
    output.mkdir(parents=True, exist_ok=True)
    for copy in copies:
        write_text(output / copy.name, copy.text)
