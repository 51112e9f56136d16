"""Train and evaluate one model, or sweep over many: `python -m recipes.run task=ner model=roberta-base`."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.dispatch import Invocation, Sweep
    from recipes.config.schema import Config
    from recipes.results.report import Report
    from recipes.results.sweep_table import Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or compose the config of each run and execute it. Returns the exit status."""
    started = time.perf_counter()
    if sys.platform == "win32":
        print("This program runs on Linux and macOS. On Windows, run it in WSL 2.", file=sys.stderr)  # noqa: T201
        return 2
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if {"--help", "-h"} & set(arguments):
        from recipes.command.help import help_text
        from recipes.system.console import say

        say(help_text())
        return 0
    from recipes.command import dispatch

    return dispatch.main(run, arguments, started, dispatch.Sweepers(search, study))


def run(config: "Config", invocation: "Invocation") -> "Outcome":
    """Execute one run, or report that it is done already.

    Raises:
        InputError: the data, the model or a choice can't be used.
    """
    from recipes.report import write_reports
    from recipes.results.scores import format_score_in
    from recipes.results.sweep_table import Outcome
    from recipes.system.console import say, say_field
    from tasks.errors import InputError

    directory = invocation.directory_of(config)
    if not config.overwrite:
        directory.require_same_config(config)
        report = directory.finished_report()
        if report is not None:
            directory.require_same_files(report)
            directory.tidy()
            if not directory.page.is_file():  # a kill right before it was written, or an older version
                with suppress(InputError, OSError), directory.lock():
                    write_reports([str(directory)])
            say(f"Already done: {directory}")
            if not directory.has_weights:
                say_field("", "its weights were removed by a search or a study")
            for split, scores in report.metrics.items():
                name = report.objective.name
                say_field(split, f"{name} {format_score_in(scores[name], report.verdict.interval(split, name))}")
            say("To do it again: overwrite=true")
            return Outcome.of(report, directory)
    say_field("run", f"{invocation.subject(config)}, seed {config.seed}")
    run_experiment = _imported_experiment()
    report = run_experiment(
        config, invocation.command, directory, invocation.interruption, invocation.started, invocation.watch
    )
    return Outcome.of(report, directory)


def search(sweep: "Sweep") -> int:
    """Search among many runs, of which each is chosen by what those before it gave. Returns the exit status."""
    from recipes.searching.searching import search as search_among_runs

    return search_among_runs(sweep)


def study(sweep: "Sweep") -> int:
    """Answer a question by several runs. Returns the exit status."""
    if sweep.tree.study.kind == "suggestions":
        from recipes.suggesting.replaying import replay

        return replay(sweep)
    from recipes.studies.studying import study as study_by_runs

    return study_by_runs(sweep)


def _imported_experiment() -> Callable[..., "Report"]:
    """Import the training code without garbage collection: in four seconds instead of five.

    Imports make millions of objects that all stay, so the garbage collector would scan them again and again in vain.
    What an earlier run in this process has left must not stay, so that only the first import is treated so.
    """
    if "recipes.experiments.experiment" in sys.modules:
        from recipes.experiments.experiment import run_experiment

        return run_experiment
    gc.disable()
    try:
        from recipes.system.quiet_libraries import quiet_libraries

        quiet_libraries()
        from recipes.experiments.experiment import run_experiment
    finally:
        gc.freeze()
        gc.enable()
    return run_experiment


if __name__ == "__main__":
    sys.exit(main())
