"""The table of an audit with what somebody has written into its column `fix`."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.reporting.audit_page import RECORD
from recipes.reporting.records import read_record
from recipes.reporting.study_page import RECORD as STUDY
from recipes.system.console import counted
from tasks.corrections import YES, Fix
from tasks.errors import InputError
from tasks.loading.fixes import DROP, Fixes, Place, RowFixes, suspect_of

FIX = "fix"
REMEDY = "The audit's command makes it anew"


def overrides_of(path: Path) -> list[str]:
    """Return the overrides of the runs of the audit that a table is of, its seed among them.

    Raises:
        InputError: what the audit has left is not beside the table, or is damaged.
    """
    record = path.parent / STUDY
    if not record.is_file():
        raise InputError(_alone(path, STUDY))
    with read_record(record, REMEDY) as study:
        seeds = [word for run in study["runs"] for word in run["overrides"] if word.startswith("seed=")]
        return [*study["overrides"], *seeds[:1]]


def read_fix_table(path: Path) -> Fixes:
    """Return what is to be fixed, by the places of the rows.

    Raises:
        InputError: it is no table of an audit, nothing is to be fixed, or what the audit has left is not beside it.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. It is the audit.csv of an audit, with a filled column {FIX}")
    record = path.parent / RECORD
    if not record.is_file():
        raise InputError(_alone(path, RECORD))
    rows = rows_of(path)
    if not rows or not {"rank", FIX, "file", "line"} <= rows[0].keys():
        raise InputError(f"{path}: not a table of an audit, which has the columns rank, {FIX}, file and line")
    with read_record(record, REMEDY) as found:
        fixes = _fixes_of(rows, found["suspects"], path)
    if not fixes:
        raise InputError(
            f"{path}: the column {FIX} is empty. Write yes where the suggestion is right, or what is right"
        )
    return fixes


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table, by the names of its columns.

    Raises:
        InputError: it can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: can't be read as a table: {error}") from error


def _alone(path: Path, missing: str) -> str:
    return f"{path}: beside it there is no {missing}. The table must stay in the folder of its audit"


def _fixes_of(rows: Sequence[Mapping[str, str]], suspects: Sequence[Mapping[str, Any]], path: Path) -> Fixes:
    digests: dict[Place, str] = {}
    fixes: dict[Place, list[Fix]] = defaultdict(list)
    for number, row in enumerate(rows, 2):
        word = (row[FIX] or "").strip()
        if not word:
            continue
        one = _suspect_of(row, suspects, f"{path}, line {number}")
        place = one["file"], one["number"]
        if "row" not in one:
            raise InputError(
                f"{path.parent / RECORD} is of an older version of this program. {REMEDY}; the column {FIX} is kept"
            )
        digests[place] = one["row"]
        fixes[place].append(Fix(suspect_of(one), word.lower() if word.lower() in (YES, DROP) else word))
    return {place: RowFixes(digests[place], tuple(found)) for place, found in fixes.items()}


def _suspect_of(row: Mapping[str, str], suspects: Sequence[Mapping[str, Any]], place: str) -> Mapping[str, Any]:
    """Return the suspect that a row of the table is about."""
    rank = int(row["rank"]) if (row["rank"] or "").isdecimal() else 0
    one = suspects[rank - 1] if 0 < rank <= len(suspects) else None
    if one is None or (one["file"], str(one["number"])) != (row["file"], row["line"]):
        raise InputError(f"{place}: rank, file and line are not those of the audit. Was it done again since?")
    return one


def with_fixes_of(path: Path, cells: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the cells of a table that is to be written, with what somebody has written into the one that is there.

    Raises:
        InputError: something stands there at a suspect that is none any more, so that it would be lost.
    """
    there = rows_of(path) if path.is_file() else []
    written = {_subject(row): row[FIX] for row in there if (row.get(FIX) or "").strip()}
    kept = [{**row, FIX: written.pop(_subject(row), "")} for row in cells]
    if written:
        raise InputError(
            f"{path}: its column {FIX} is filled for {counted(len(written), 'suspect')} that this audit does not have. "
            "To keep the table, move it elsewhere; then give the command again"
        )
    return kept


def _subject(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a row of a table is about, whatever its rank, and whatever a program has made of its white space."""
    names = ("file", "line", "kind", "given", "suggested", "text")
    return tuple("".join((row.get(name) or "").split()) for name in names)
