"""How many planted errors an audit finds, against other rankings of the same predictions: `scripts/bench audits`."""

import json
import shutil
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recipes.bench.few_rows import SOURCES, call, drawn, mapped
from recipes.bench.planting import Plant, plant
from recipes.bench.rankings import Doubt, found, found_by_chance, of_audit, others
from recipes.bench.table import write
from recipes.command.composing import compose
from recipes.comparing.stored_runs import stored_lines
from recipes.reporting.audit_page import RECORD
from recipes.results.scores import format_score
from recipes.studies.cross_validation import FOLDER
from recipes.system.console import say
from recipes.system.files import write_json, write_text
from tasks.auditing.suspect import Line
from tasks.data.records import ReadReport
from tasks.loading.load import load
from tasks.writing.writers import choose_writer

SEED = 1
"Of the rows that are drawn, of what is changed in them, and of the trainings."
SIZES = {
    "trec6": 2000,
    "sst2": 2000,
    "goemotions": 5000,
    "wnut17": 1500,
    "ncbi_disease": 1500,
    "squad_slice": 1000,
}
"Rows of each set."
RATES = (0.1, 0.05)
"Shares of rows, of sentences those of entities, that are changed."
BUDGET = 0.1
"Of the rows: how many doubts someone looks at."
SUFFIXES = {"classification": ".jsonl", "ner": ".conll", "qa": ".json"}
"Of files whose texts may have several labels."
RANKINGS = ("audit", "chance", "loss", "cleanlab")


@dataclass(frozen=True)
class Case:
    """A set with planted errors."""

    source: str
    rate: float
    size: int
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.source}-{self.size}-{self.rate:g}"


def measure(given: Namespace) -> list[Path]:
    """Plant errors in each set, audit it, and count how many of them stand at the head of each ranking."""
    cases = [
        Case(source, rate, given.rows or size, tuple(given.overrides))
        for rate in RATES
        for source, size in SIZES.items()
        if given.data in (None, source) and (not given.task or SOURCES[source].task in given.task)
    ]
    folder = given.output / "audits"
    rows = [["rows", "changed", "score", *RANKINGS, "estimate"]]
    results = []
    for case, result in zip(cases, mapped(partial(_result, folder=folder), cases, given.processes), strict=True):
        cells = _cells(case, result)
        say("  ".join(cells))
        rows.append(cells)
        results.append({**vars(case), **result})
    notes = [
        "Of each ranking: the share of changed ones among the first as many as were changed / the share of them that "
        f"are among the first as many as {BUDGET:.0%} of the rows. Of a sentence, its worst word is looked at. "
        "Chance: the expected value of rows, or words, in random order. Score: of all rows, by the five models."
    ]
    return write(given.output, "audits", rows, notes, {"cases": results})


def _cells(case: Case, result: dict[str, Any]) -> list[str]:
    shares = [result["found"].get(name) for name in RANKINGS]
    noise = result["noise"]
    return [
        f"{case.source}, {case.size:,}",
        f"{case.rate:.0%}: {result['changed']}",
        format_score(result["score"]["value"]),
        *("" if one is None else f"{one['as many']:.0%} / {one['budget']:.0%}" for one in shares),
        "" if noise is None else f"{noise['rate']:.1%} of the {noise['of']}",
    ]


def _result(case: Case, folder: Path) -> dict[str, Any]:
    """Return what is known of a case, or audit it."""
    kept, root = folder / "results" / f"{case.name}.json", folder / "runs" / case.name
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return known
    path, plants = planted_file(case, folder / "data")
    call_audit(case, path, root)
    (written,) = root.rglob(RECORD)
    record = json.loads(written.read_text(encoding="utf-8"))
    lines = stored_lines(written.parent / FOLDER / f"seed={SEED}.jsonl")
    result = {
        "changed": len(plants),
        "score": record["score"],
        "noise": record["noise"],
        "found": counted(record, lines, plants),
    }
    write_json(kept, result)
    for model in list(root.rglob("model")):
        shutil.rmtree(model)  # predictions are kept, so that the audit can be ranked anew
    return result


def call_audit(case: Case, path: Path, root: Path) -> None:
    """Audit a file as a user does."""
    from recipes.audit import main

    words = [f"task={SOURCES[case.source].task}", "data=files", f"data.train={path}", "data.test_fraction=0"]
    call(main, [*words, f"seed={SEED}", "runtime.threads=1", f"output_root={root}", *case.overrides])


def planted_file(case: Case, folder: Path) -> tuple[Path, list[Plant]]:
    """Write rows of a set with planted errors. Return the file, and what was changed."""
    task, data = SOURCES[case.source].task, SOURCES[case.source].data
    suffix = SUFFIXES[task]
    config = compose([f"task={task}", f"data={data}"])
    rows = load(config.task, config.data, SEED)
    few = drawn(rows.task, rows.splits["train"], case.size, SEED, by_label=False)
    changed, plants = plant(task, few, case.rate, SEED)
    path = folder / f"{case.name}{suffix}"
    write_text(path, choose_writer(task, suffix, None).write(changed, True, ReadReport(on_bad_row="error")).text)
    return path, plants


def counted(record: dict[str, Any], lines: Sequence[Line], plants: Sequence[Plant]) -> dict[str, dict[str, float]]:
    """Return for each ranking which share of the planted errors are among its first."""
    rankings: dict[str, list[Doubt]] = {"audit": of_audit(record, lines), **others(lines)}
    budgets = {"as many": len(plants), "budget": round(BUDGET * len(lines))}
    shares = {
        name: {budget: found(ranking, plants, many) / len(plants) for budget, many in budgets.items()}
        for name, ranking in rankings.items()
    }
    things = sum(len(line.get("tokens", [""])) for line in lines)
    shares["chance"] = {budget: found_by_chance(plants, things, many) / len(plants) for budget, many in budgets.items()}
    return shares
