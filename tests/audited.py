"""An audit's folder made by hand, with a table whose column `fix` is filled."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.auditing.auditing import HEADER, TABLE
from recipes.reporting.audit_page import RECORD
from recipes.reporting.study_page import RECORD as STUDY
from tasks.classification import Classification
from tasks.loading.fixes import digest_of_line


def write_rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write texts with labels as CSV: the first row is in line 2."""
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


def leave_audit(folder: Path, rows: Path, fixes: Mapping[int, tuple[str, str]], *overrides: str) -> Path:
    """Leave an audit of a file of `write_rows`, and return its table.

    Args:
        folder: where it is left.
        rows: the file.
        fixes: for each line in question what is suggested, and what stands in the column `fix`.
        overrides: those of the audit, the file's own excepted.
    """
    folder.mkdir(parents=True)
    lines = rows.read_text().splitlines()
    suspects: list[dict[str, Any]] = []
    for rank, (number, (suggested, _)) in enumerate(fixes.items(), 1):
        text, _, label = lines[number - 1].rpartition(",")
        digest = digest_of_line(Classification(kind="single_label"), {"text": text, "gold": label})
        at = {"given_at": None, "suggested_at": None}
        said = {"kind": "label", "given": label, "suggested": suggested, "quality": 0.1, "likely": True}
        place = {"rank": rank, "file": str(rows), "number": number, "line": number - 2, "row": digest}
        suspects.append({**place, **said, **at})
    (folder / RECORD).write_text(json.dumps({"suspects": suspects}))
    words = ["data=files", "task=classification", f"data.train={rows}", *overrides]
    (folder / STUDY).write_text(json.dumps({"overrides": words, "runs": [{"overrides": [*words, "seed=3"]}]}))
    with (folder / TABLE).open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for one, (_, word) in zip(suspects, fixes.values(), strict=True):
            cells = {name: one[name] for name in ("rank", "file", "kind", "given", "suggested")}
            writer.writerow({**cells, "line": one["number"], "fix": word})
    return folder / TABLE
