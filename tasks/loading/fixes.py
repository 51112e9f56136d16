"""Fixes of training rows: which rows are corrected, how, and that they still are the rows that were looked at."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tasks.auditing.suspect import Line, Suspect
from tasks.corrections import Fix, corrected
from tasks.errors import InputError
from tasks.task import AnyTask, Row

DROP = "drop"
"What leaves a row out."

Place: TypeAlias = tuple[str, int]
"A file, and the number of a row in it."


@dataclass(frozen=True)
class RowFixes:
    """What somebody has decided on a row."""

    row: str
    "The digest of the row as it was audited."
    fixes: tuple[Fix, ...]

    @property
    def drops(self) -> bool:
        """Whether the row is left out."""
        return any(fix.word == DROP for fix in self.fixes)


Fixes: TypeAlias = Mapping[Place, RowFixes]


@dataclass(frozen=True)
class Corrected:
    """Rows with their fixes."""

    rows: list[Any]
    changed: int
    left_out: int


def place_of(row: Row) -> Place:
    """Return where a row stands."""
    return str(row.origin.file), row.origin.number


def digest_of_line(task: AnyTask, line: Line) -> str:
    """Return a digest of the input and the gold answer of a line of a predictions file."""
    return _digest([line.get(name) for name in task.inputs()], line["gold"])


def _digest(inputs: Sequence[Any], gold: Any) -> str:
    return hashlib.sha256(json.dumps([*inputs, gold]).encode()).hexdigest()[:16]


def require_rows(task: AnyTask, rows: Sequence[Row], fixes: Fixes) -> None:
    """Refuse fixes of rows that are not read any more, or that are not what was audited.

    Raises:
        InputError: names the first such row.
    """
    read = {place_of(row): row for row in rows if place_of(row) in fixes}
    for place, one in fixes.items():
        row = read.get(place)
        if row is None:
            file, number = place
            raise InputError(f"{file}, {number}: no such row is read any more. Were the files changed since the audit?")
        if _digest([getattr(row, name) for name in task.inputs()], task.gold(row)) != one.row:
            raise InputError(
                f"{row.origin}: this is not the row that was audited: its text or its label is another one now. Were "
                "the files changed since the audit?"
            )


def with_fixes(task: AnyTask, rows: Iterable[Row], fixes: Fixes) -> Corrected:
    """Return rows with those of the fixes that are theirs.

    Raises:
        InputError: a fix can't be applied; names the row.
    """
    kept: list[Any] = []
    changed = left_out = 0
    for row in rows:
        one = fixes.get(place_of(row))
        if one is not None and one.drops:
            left_out += 1
            continue
        new = row if one is None else corrected(task, row, one.fixes)
        changed += new != row
        kept.append(new)
    return Corrected(kept, changed, left_out)


def plain_fixes(fixes: Fixes) -> list[dict[str, Any]]:
    """Return fixes as JSON values, which `read_fixes` reads from a file."""
    return [
        {
            "file": file,
            "number": number,
            "row": one.row,
            "fixes": [{"word": fix.word, **vars(fix.suspect)} for fix in one.fixes],
        }
        for (file, number), one in fixes.items()
    ]


def read_fixes(path: Path) -> dict[Place, RowFixes]:
    """Return the fixes in a file of `plain_fixes`.

    Raises:
        InputError: there is no such file, or it is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            (str(one["file"]), int(one["number"])): RowFixes(
                str(one["row"]), tuple(Fix(suspect_of(fix), str(fix["word"])) for fix in one["fixes"])
            )
            for one in found
        }
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(f"data.fixes={path}: {reason}. {_MADE_BY}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"data.fixes={path}: no such file as it is made for a comparison. {_MADE_BY}") from error


_MADE_BY = "python -m recipes.audit compare audit.csv makes it from an audit's table"


def suspect_of(values: Mapping[str, Any]) -> Suspect:
    """Return the suspect that JSON values hold, among others perhaps."""
    at = {name: None if values[name] is None else tuple(values[name]) for name in ("given_at", "suggested_at")}
    return Suspect(
        values["line"], values["kind"], values["given"], values["suggested"], values["quality"], values["likely"], **at
    )
