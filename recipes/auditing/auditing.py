"""An audit of labels, from its cross-validation to the ranked list."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.auditing.fix_table import with_fixes_of
from recipes.command.dispatch import Sweep
from recipes.command.own_rows import shell_command
from recipes.comparing.stored_runs import StoredRun, finished_report, load_run, stored_lines
from recipes.config.conversion import parse_study
from recipes.reporting.audit_page import PAGE, RECORD, write_audit_page
from recipes.reporting.study_page import RECORD as STUDY
from recipes.results.sweep_table import jobs_of
from recipes.results.verdict import judged_split
from recipes.studies.cross_validation import FOLDER
from recipes.studies.question import folder_of
from recipes.studies.studying import study
from recipes.system.console import counted, escape_control_characters, say, table
from recipes.system.files import write_json, write_text
from tasks.auditing.classes import Audited
from tasks.auditing.suspect import Line, Suspect
from tasks.inspecting.audits import audit
from tasks.loading.fixes import digest_of_line
from tasks.task import AnyTask
from tasks.writing.csv_cells import csv_text

SHOWN = 10
"Suspects on the console."
LONGEST = 100
AROUND = 8
"Words that are shown on each side of an entity,"
AROUND_ANSWERS = 200
"and characters on each side of an answer."
HEADER = ("rank", "fix", "likely", "file", "line", "kind", "given", "suggested", "score", "text")
TABLE = "audit.csv"


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
    lines, runs = stored_lines(path), _runs(folder)
    task, folds = runs[0].task, parse_study(sweep.tree).folds
    audited = audit(task, lines)
    command = shell_command(sweep.line.overrides, "recipes.audit")
    about = {"task": task.name, "data": runs[0].data_name, "command": command, "folds": folds}
    write(folder, lines, audited, {**about, "score": _score(folder)}, task)
    show(folder, lines, audited, folds, sum(bool(run.report.verdict.collapsed) for run in runs))
    return 0


def _runs(folder: Path) -> list[StoredRun]:
    """Return the runs of all folds."""
    paths = [Path(job.outcome.directory) for job in jobs_of(folder) if job.outcome is not None]
    return [load_run(path, judged_split(finished_report(path).metrics)) for path in paths]


def _score(folder: Path) -> dict[str, Any]:
    """Return the score of all rows together, as the study has written it."""
    study = json.loads((folder / STUDY).read_text(encoding="utf-8"))
    line = next(line for line in study["tables"][0]["lines"] if line["cells"][0].startswith("all together"))
    return {"name": study["score"], "value": line["value"], "interval": line["interval"]}


def write(folder: Path, lines: Sequence[Line], audited: Audited, about: Mapping[str, Any], task: AnyTask) -> None:
    """Write the ranked list as a table, as JSON, and as a page. What stands in its column `fix` stays."""
    places = [(rank, one, lines[one.line]) for rank, one in enumerate(audited.suspects, 1)]
    cells = with_fixes_of(folder / TABLE, [_cells(rank, one, line) for rank, one, line in places])
    write_text(folder / TABLE, csv_text(HEADER, cells))
    noise = None if audited.noise is None else vars(audited.noise)
    suspects = [{**_plain(rank, one, line), "row": digest_of_line(task, line)} for rank, one, line in places]
    write_json(folder / RECORD, {**about, "rows": len(lines), "noise": noise, "suspects": suspects})
    write_audit_page(folder)


def _cells(rank: int, one: Suspect, line: Line) -> dict[str, str]:
    """Return the cells of a suspect; `fix` is for whoever reads the table."""
    place = {"rank": str(rank), "likely": "yes" if one.likely else "", "file": line["file"], "line": str(line["line"])}
    labels = {"kind": one.kind, "given": one.given, "suggested": one.suggested}
    return {**place, **labels, "score": f"{one.quality:.4f}", "text": excerpt(line, one)}


def _plain(rank: int, one: Suspect, line: Line) -> dict[str, Any]:
    before, here, after = _parts(line, one)
    said = line["prediction"].get("scores")
    reasons = ""
    if isinstance(said, Mapping):
        reasons = ", ".join(f"{said[name]:.2f} for {name}" for name in (one.suggested, one.given) if name in said)
    place = {"rank": rank, "file": line["file"], "number": line["line"], "unit": line["numbered"]}
    return {**place, **vars(one), "before": before, "here": here, "after": after, "reasons": reasons}


def show(folder: Path, lines: Sequence[Line], audited: Audited, folds: int, collapsed: int) -> None:
    """Print how much is probably wrong, and the first suspects.

    Args:
        folder: that of the study.
        lines: the rows with what was predicted for them.
        audited: what is suspicious.
        folds: how many trainings there were.
        collapsed: how many of them learnt nothing.
    """
    kinds = Counter(one.kind for one in audited.suspects)
    say(f"\nAudit of {len(lines):,} rows, each judged by a model trained without it ({folds} folds)")
    if audited.noise is not None:
        noise = audited.noise
        sure = "" if noise.low is None or noise.high is None else f" ({noise.low:.1%} to {noise.high:.1%})"
        say(f"about {noise.rate:.1%} of the {noise.of} are probably wrong{sure}, as far as confident learning can tell")
    if collapsed:
        say(f"{collapsed} of {folds} models have learnt nothing (docs/verdict.md), and what they say tells nothing")
    if not kinds:
        say("Nothing can be told" if collapsed else "Nothing is suspicious")
        return
    say(
        f"{counted(sum(kinds.values()), 'suspect')}: "
        + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    )
    rows = [["place", "kind", "given", "suggested", "text"]]
    for one in audited.suspects[:SHOWN]:
        line = lines[one.line]
        place = f"{Path(line['file']).name}, {line['numbered']} {line['line']}"
        rows.append([place, one.kind, one.given or "-", one.suggested or "-", _short(excerpt(line, one))])
    if len(audited.suspects) > SHOWN:
        say(f"The first {SHOWN}:")
    say(escape_control_characters(table(rows)))
    say(f"All of them, worst first: {folder / TABLE}; to read them by: {folder / PAGE}")


def excerpt(line: Line, one: Suspect) -> str:
    """Return the text of a row, or what stands around an entity."""
    before, here, after = _parts(line, one)
    return f"{before}[{here}]{after}" if here else before


def _parts(line: Line, one: Suspect) -> tuple[str, str, str]:
    """Return what stands before the words in question, these, and what stands after them."""
    if "tokens" in line:
        words, (start, end) = line["tokens"], one.bounds
        before = "".join(f"{word} " for word in words[max(start - AROUND, 0) : start])
        after = "".join(f" {word}" for word in words[end : end + AROUND])
        return before, " ".join(words[start:end]), after
    if "context" in line:
        start, end = one.suggested_at or _found(line["context"], one.given.split(" | ")[0])
        passage = line["context"]
        before = f"{line['question']} | {passage[max(start - AROUND_ANSWERS, 0) : start]}"
        return before, passage[start:end], passage[end : end + AROUND_ANSWERS]
    parts = [line[name] for name in ("text", "text_pair") if line.get(name)]
    return " | ".join(map(str, parts)), "", ""


def _found(passage: str, answer: str) -> tuple[int, int]:
    """Return where an answer stands in a passage; its beginning, if it is nowhere."""
    start = passage.find(answer)
    return (0, 0) if start < 0 else (start, start + len(answer))


def _short(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
