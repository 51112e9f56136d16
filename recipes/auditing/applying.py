"""Corrected copies of labelled files, from the column `fix` of an audit's table."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.command.composing import compose
from recipes.config.schema import TASKS
from recipes.reporting.audit_page import RECORD
from recipes.reporting.study_page import RECORD as STUDY
from recipes.system.console import counted, say
from recipes.system.files import write_text
from tasks.auditing.suspect import Suspect
from tasks.data.read import read_label_names, read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.inspecting.corrections import Fix, corrected
from tasks.load import read_splits
from tasks.task import AnyTask, Layout
from tasks.writing.fitting import unused_columns
from tasks.writing.rereading import reading_of
from tasks.writing.writer import has_own_ids, renumbered
from tasks.writing.writers import choose_writer

DROP = "drop"
"What leaves a row out."


def apply_fixes(path: Path, output: Path) -> None:
    """Write corrected copies of the training files of an audit into a folder. The originals stay as they are.

    Args:
        path: the table, with `yes`, `drop` or what is right in the column `fix`.
        output: the folder, which must not hold any of the files yet.

    Raises:
        InputError: the table is none of an audit, nothing is to be fixed, or a fix or a file can't be used.
    """
    fixes = _read_fixes(path)
    study = json.loads((path.parent / STUDY).read_text(encoding="utf-8"))
    config = compose(study["overrides"])
    layout = Layout(config.data.columns, read_label_names(config.data.label_names))
    report = ReadReport(on_bad_row=config.data.on_bad_row)
    task, given, _, _ = read_splits(config.task, config.data, layout, report)
    train: list[Any] = given["train"]
    files: Mapping[str, list[Any]] = defaultdict(list)
    counts = Counter[str]()
    for row in train:
        found = fixes.pop((str(row.origin.file), row.origin.number), [])
        if any(fix.word == DROP for fix in found):
            counts["left out"] += 1
            continue
        changed = corrected(task, row, found) if found else row
        counts["changed"] += changed != row
        files[str(row.origin.file)].append(changed)
    if fixes:
        file, number = next(iter(fixes))
        raise InputError(f"{file}, {number}: no such row is read any more. Were the files changed since the audit?")
    if not has_own_ids(train):
        files = {name: renumbered(rows) for name, rows in files.items()}
    copies = [_copy_of(Path(name), rows, task) for name, rows in files.items()]
    _write(output, copies)
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


def _read_fixes(path: Path) -> dict[tuple[str, int], list[Fix]]:
    """Return the fixes of each row, by file and number."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. It is the audit.csv of an audit, with a filled column fix")
    record = path.parent / RECORD
    if not record.is_file():
        raise InputError(f"{path}: beside it there is no {RECORD}. The table must stay in the folder of its audit")
    suspects = json.loads(record.read_text(encoding="utf-8"))["suspects"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"rank", "fix", "file", "line"} <= rows[0].keys():
        raise InputError(f"{path}: not a table of an audit, which has the columns rank, fix, file and line")
    fixes: dict[tuple[str, int], list[Fix]] = defaultdict(list)
    for number, row in enumerate(rows, 2):
        word = (row["fix"] or "").strip()
        if word:
            one = _suspect_of(row, suspects, f"{path}, line {number}")
            word = word.lower() if word.lower() in ("yes", DROP) else word
            fixes[one["file"], one["number"]].append(Fix(_suspect(one), word))
    if not fixes:
        raise InputError(f"{path}: the column fix is empty. Write yes where the suggestion is right, or what is right")
    return fixes


def _suspect_of(row: Mapping[str, str], suspects: Sequence[Mapping[str, Any]], place: str) -> Mapping[str, Any]:
    """Return the suspect that a row of the table is about."""
    rank = int(row["rank"]) if row["rank"].isdecimal() else 0
    one = suspects[rank - 1] if 0 < rank <= len(suspects) else None
    if one is None or (one["file"], str(one["number"])) != (row["file"], row["line"]):
        raise InputError(f"{place}: rank, file and line are not those of the audit. Was it done again since?")
    return one


def _suspect(one: Mapping[str, Any]) -> Suspect:
    at = {name: None if one[name] is None else tuple(one[name]) for name in ("given_at", "suggested_at")}
    return Suspect(one["line"], one["kind"], one["given"], one["suggested"], one["quality"], one["likely"], **at)


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
