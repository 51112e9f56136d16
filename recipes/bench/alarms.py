"""How often the paired test sees a difference where there is none, and where there is one of the size it can see."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from recipes.bench.table import write
from recipes.statistics.bootstrap import drawn_weights
from recipes.statistics.comparison import SIGNIFICANCE, RunScores, difference, visible
from recipes.system.console import say
from tasks.scoring.resampling import Numbers

REPETITIONS = 1000
DRAWS = 1000
EASE, EASE_DEVIATION = 1.5, 1.5
"Of rows: the logit of the chance to get one right is normal."
MANY = 200_000
"Rows from which the true accuracy is told."


@dataclass(frozen=True)
class Setting:
    """Two groups of runs on the same rows."""

    rows: int
    seeds: int
    seed_deviation: float
    "What a seed adds to the logit of all rows varies by this much."


SETTINGS = (
    Setting(500, 1, 0.0),
    Setting(500, 3, 0.0),
    Setting(500, 2, 0.15),
    Setting(500, 3, 0.15),
    Setting(1000, 5, 0.15),
)


def measure(given: Namespace) -> list[Path]:
    """Draw pairs of groups without a difference, and with one of the size that the test says it can see."""
    repetitions = given.rows or REPETITIONS
    table = [["rows, seeds, deviation of seeds", "false alarms", "visible difference", "found"]]
    content = {}
    for setting in SETTINGS:
        weights = np.concatenate(list(drawn_weights(setting.rows, DRAWS, seed=1)))
        generator = np.random.default_rng(1)
        without = [difference(*groups(generator, setting, 0.0, weights), setting.rows) for _ in range(repetitions)]
        alarms = sum(one.p_value < SIGNIFICANCE for one in without) / repetitions
        size = median(visible(one.estimate.spread) for one in without)
        lead = lead_for(setting, size)
        having = [difference(*groups(generator, setting, lead, weights), setting.rows) for _ in range(repetitions)]
        found = sum(one.p_value < SIGNIFICANCE for one in having) / repetitions
        name = f"{setting.rows}, {setting.seeds}, {setting.seed_deviation:g}"
        say(f"{name}: {alarms:.1%} false alarms, {found:.1%} of differences of {size:.3f} found")
        table.append([name, f"{alarms:.1%}", f"{size:.3f}", f"{found:.1%}"])
        content[name] = {"false_alarms": alarms, "visible": size, "found": found}
    return write(
        given.output, "alarms", table, [f"Of {repetitions} simulated pairs of groups each, accuracy."], content
    )


def groups(
    generator: np.random.Generator, setting: Setting, lead: float, weights: Numbers
) -> tuple[list[RunScores], list[RunScores]]:
    """Return the runs of two groups on the same rows; the logits of the second are greater by `lead`."""
    ease = generator.normal(EASE, EASE_DEVIATION, setting.rows)
    first, second = (
        [_run(generator, ease + more, setting, weights) for _ in range(setting.seeds)] for more in (0.0, lead)
    )
    return first, second


def _run(generator: np.random.Generator, logits: Numbers, setting: Setting, weights: Numbers) -> RunScores:
    logits = logits + generator.normal(0, setting.seed_deviation)
    right = (generator.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(float)
    return RunScores(float(right.mean()), weights @ right / len(right))


def lead_for(setting: Setting, size: float) -> float:
    """Return the lead that makes the true accuracy greater by a size."""
    from scipy.optimize import brentq

    generator = np.random.default_rng(0)
    logits = generator.normal(EASE, EASE_DEVIATION, MANY) + generator.normal(0, setting.seed_deviation, MANY)

    def missing(lead: float) -> float:
        return float((1 / (1 + np.exp(-logits - lead))).mean() - (1 / (1 + np.exp(-logits))).mean() - size)

    return float(brentq(missing, 0.0, 10.0))
