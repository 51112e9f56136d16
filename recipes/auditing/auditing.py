"""An audit of labels, from its cross-validation to the ranked list."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.command.dispatch import Sweep
from recipes.config.conversion import parse_study
from recipes.studies.cross_validation import FOLDER
from recipes.studies.question import folder_of
from recipes.studies.studying import study
from recipes.system.console import counted, escape_control_characters, say, table
from recipes.system.files import write_json, write_text
from tasks.auditing.classes import Audited
from tasks.auditing.suspect import Line, Suspect
from tasks.inspecting.audits import audit
from tasks.task import AnyTask

SHOWN = 10
"Suspects on the console."
LONGEST = 100
HEADER = ("rank", "likely", "file", "line", "kind", "given", "suggested", "score", "text")
RECORD, TABLE = "audit.json", "audit.csv"


def audit_by_study(sweep: Sweep) -> int:
    """Cross-validate, and rank the labels by what that predicts.

    Returns:
        The exit status.

    Raises:
        InputError: see `recipes.studies.studying.study`.
    """
    status = study(sweep)
    folder = folder_of(sweep)
    path = folder / FOLDER / f"seed={int(sweep.tree.seed)}.jsonl"
    if status or not path.is_file():
        return status
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    audited = audit(task_of(folder), lines)
    write(folder, lines, audited)
    show(folder, lines, audited, parse_study(sweep.tree).folds)
    return 0


def task_of(folder: Path) -> AnyTask:
    """Return the task of a study, with its `auto` options resolved, as its runs have stored it."""
    from recipes.comparing.stored_runs import load_run
    from recipes.results.sweep_table import jobs_of
    from recipes.results.verdict import judged_split

    outcome = next(job.outcome for job in jobs_of(folder) if job.outcome is not None)
    path = Path(outcome.directory)
    metrics = json.loads((path / "report.json").read_text(encoding="utf-8"))["metrics"]
    return load_run(path, judged_split(metrics)).task


def write(folder: Path, lines: Sequence[Line], audited: Audited) -> None:
    """Write the ranked list as a table and as JSON."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(HEADER)
    for rank, one in enumerate(audited.suspects, 1):
        line = lines[one.line]
        likely = "yes" if one.likely else ""
        writer.writerow(
            [
                rank,
                likely,
                line["file"],
                line["line"],
                one.kind,
                one.given,
                one.suggested,
                f"{one.quality:.4f}",
                excerpt(line, one),
            ]
        )
    write_text(folder / TABLE, written.getvalue())
    noise = None if audited.noise is None else vars(audited.noise)
    suspects = [
        {**vars(one), "file": lines[one.line]["file"], "number": lines[one.line]["line"]} for one in audited.suspects
    ]
    write_json(folder / RECORD, {"rows": len(lines), "noise": noise, "suspects": suspects})


def show(folder: Path, lines: Sequence[Line], audited: Audited, folds: int) -> None:
    """Print how much is probably wrong, and the first suspects."""
    kinds = Counter(one.kind for one in audited.suspects)
    say(f"\nAudit of {len(lines):,} rows, each judged by a model trained without it ({folds} folds)")
    if audited.noise is not None:
        noise = audited.noise
        sure = "" if noise.low is None or noise.high is None else f" ({noise.low:.1%} to {noise.high:.1%})"
        say(f"about {noise.rate:.1%} of the labels are probably wrong{sure}, as far as confident learning can tell")
    if not kinds:
        say("Nothing is suspicious")
        return
    say(
        f"{counted(sum(kinds.values()), 'suspect')}: "
        + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    )
    rows = [["place", "kind", "given", "suggested", "text"]]
    for one in audited.suspects[:SHOWN]:
        line = lines[one.line]
        place = f"{Path(line['file']).name}, {line['line']}"
        rows.append([place, one.kind, one.given or "-", one.suggested or "-", _short(excerpt(line, one))])
    say(escape_control_characters(table(rows)))
    say(f"All of them, worst first: {folder / TABLE}")


def excerpt(line: Line, one: Suspect) -> str:
    """Return the text of a row, or what stands around an entity."""
    if "tokens" in line:
        words = line["tokens"]
        before, here = words[max(one.start - 8, 0) : one.start], words[one.start : one.end]
        return " ".join([*before, f"[{' '.join(here)}]", *words[one.end : one.end + 8]])
    parts = [line[name] for name in ("text", "text_pair", "question", "context") if line.get(name)]
    return " | ".join(map(str, parts))


def _short(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
