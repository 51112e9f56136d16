"""How often the intervals of learning curves hold what more rows then give: `scripts/bench curves`."""

import shutil
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recipes.bench.few_rows import SOURCES, call_run
from recipes.bench.table import write
from recipes.config.schema import TASKS
from recipes.results.report import Report, load_report
from recipes.results.scores import format_score
from recipes.statistics.power_law import fit_power_law
from recipes.studies.learning_curve import Scale, predict
from recipes.system.console import say

SEEDS = 5
SIZES = {
    "sst2": (100, 200, 400, 800, 1600, 3200),
    "trec6": (76, 153, 306, 613, 1226, 2453),
    "wnut17": (53, 106, 212, 424, 848, 1697),
}
"Of the parts that a curve is drawn through; of trec6 and wnut17 half of all rows at most."


def measure(given: Namespace) -> list[Path]:
    """Draw a learning curve through runs on parts of the rows, and compare what it says of all rows with their run."""
    rows = [["set", "seed", "rows", "predicted", "90% interval of a run", "measured", "within"]]
    held, found = 0, []
    for seed in range(1, SEEDS + 1):
        for source, sizes in SIZES.items():
            if given.data not in (None, source):
                continue
            one = _case(source, sizes, seed, given.output / "curves", given.overrides)
            held += one["within"]
            found.append(one)
            low, high = (format_score(end) for end in one["of a run"])
            shown = [format_score(one["score"]), f"{low} to {high}", format_score(one["measured"])]
            rows.append([source, str(seed), f"{one['rows']:,}", *shown, "yes" if one["within"] else "no"])
            say("  ".join(rows[-1]))
    notes = [
        f"{held} of {len(found)} intervals hold what was then measured. Each curve goes through one run for each "
        "number of rows, all with the same seed as the run on all rows; the scores are those of test."
    ]
    return write(given.output, "curves", rows, notes, {"cases": found})


def _case(source: str, sizes: Sequence[int], seed: int, folder: Path, overrides: Sequence[str]) -> dict[str, Any]:
    task = SOURCES[source].task
    root = folder / f"{source}-{seed}"
    words = [f"task={task}", f"data={SOURCES[source].data}", f"seed={seed}", f"output_root={root}", *overrides]
    call_run([*words, "study=learning_curve", "study.n=1", f"study.sizes=[{','.join(map(str, sizes))}]"])
    call_run(words)
    *parts, whole = sorted(_reports(root), key=lambda report: report.data.rows["train"])
    name, kind = whole.objective.name, TASKS[task]()
    points = [(report.data.rows["train"], report.metrics["test"][name]) for report in parts]
    scale = Scale.of(kind, name)
    law = fit_power_law([size for size, _ in points], [scale.error(score) for _, score in points], kind.point)
    measured = whole.metrics["test"][name]
    predicted = predict(law, scale, whole.data.rows["train"])
    low, high = predicted["of a run"]
    of_case = {"set": source, "seed": seed, "points": points, "measured": measured}
    return {**of_case, **predicted, "within": low <= measured <= high}


def _reports(root: Path) -> Iterator[Report]:
    """Yield the reports of all runs, whose weights are removed: there are too many of them."""
    for path in root.rglob("report.json"):
        shutil.rmtree(path.parent / "model", ignore_errors=True)
        report = load_report(path)
        assert report is not None
        yield report
