"""`scripts/bench [PART] [flags]`: measure on this machine, print a table, and write it as Markdown and JSON."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.bench import alarms, audits, compare, coverage, curves, epochs, inference, levers, parts, searches, trials
from recipes.command.words import status_of
from recipes.system.console import say

PARTS = {
    "compare": "stock, plain and default in turn on the same rows (the default)",
    "overhead": "the Trainer against a bare loop on the same batches",
    "decoding": "the span search against a loop over every pair of start and end",
    "evaluation": "memory and time of evaluating many rows",
    "inference": "predicting with a loaded model, against pipelines and loops of transformers",
    "coverage": "how many intervals of scores hold the true score, on simulated predictions",
    "alarms": "how often the paired test of two groups of runs errs, on simulated predictions",
    "few": "hparams=small_data against the default on small sets, over seeds",
    "levers": "what each lever of training is worth on small sets, over seeds",
    "epochs": "what each rule on which epoch is kept is worth on test rows, over seeds",
    "audits": "how many planted errors an audit of labels finds, against other rankings",
    "curves": "how often the intervals of learning curves hold what more rows then give",
    "searches": "tpe with a pruner against search by chance, in equal seconds; what pruners save",
    "trials": "memory and overhead of a search's trials in one process",
    "startup": "--help, the way to the first step, and the second job of a sweep",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the flags and run one part."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure speed on this machine. Leave it alone meanwhile: two jobs on the same cores slow each "
        "other down many times over.",
        epilog="Parts: " + "; ".join(f"{name}: {what}" for name, what in PARTS.items()),
    )
    parser.add_argument("words", nargs="*", metavar="PART or KEY=VALUE", help="what to measure, and further overrides")
    parser.add_argument("--task", action="append", choices=list(compare.CASES), help="compare: this task only")
    parser.add_argument("--data", help="one choice of the group data; for compare with one --task")
    parser.add_argument("--model", default="minilm", help="a choice of the group model (default: minilm)")
    parser.add_argument("--rows", type=int, help="training rows (compare, overhead), windows or rows (other parts)")
    parser.add_argument("--batch-size", type=int, help="rows in a step (compare, overhead)")
    parser.add_argument("--repetitions", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument(
        "--processes", type=int, default=1, help="few, levers, epochs, audits: runs at a time, a thread each"
    )
    parser.add_argument(
        "--seeds", type=int, default=levers.SEEDS, help=f"few, levers, epochs: seeds at most (default: {levers.SEEDS})"
    )
    parser.add_argument("--known", type=Path, help="levers: a file of results that are taken as they are")
    parser.add_argument("--output", type=Path, default=Path("outputs/bench"), help="folder of the tables")
    given = parser.parse_intermixed_args(sys.argv[1:] if arguments is None else arguments)
    given.overrides = [word for word in given.words if "=" in word]
    chosen = [word for word in given.words if "=" not in word] or ["compare"]
    if len(chosen) != 1 or chosen[0] not in PARTS:
        parser.error(f"{' '.join(chosen)}: one part, of {', '.join(PARTS)}")
    if chosen == ["compare"] and given.data and len(given.task or []) != 1:
        parser.error("--data goes with one --task")
    if given.known is not None and (chosen != ["levers"] or given.overrides):
        parser.error(
            "--known goes with levers alone, and without overrides: the results are those of the bench as it is"
        )
    # Use a separate cache, so that what other runs have cached does not change the measurements.
    os.environ["RECIPES_CACHE"] = str((given.output / "cache").absolute())
    measure = {
        "compare": compare.measure,
        "overhead": parts.overhead,
        "decoding": parts.decoding,
        "evaluation": parts.evaluation,
        "inference": inference.measure,
        "coverage": coverage.measure,
        "alarms": alarms.measure,
        "few": levers.few,
        "levers": levers.levers,
        "epochs": epochs.measure,
        "audits": audits.measure,
        "curves": curves.measure,
        "searches": searches.measure,
        "trials": trials.measure,
        "startup": parts.startup,
    }[chosen[0]]
    return status_of(lambda: say("Written: " + ", ".join(str(path) for path in measure(given))))


if __name__ == "__main__":
    sys.exit(main())
