"""Write the report and the model card of finished runs anew: `python -m recipes.report RUN`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or write cards. Returns the exit status."""
    from recipes.command.report_line import HELP
    from recipes.command.words import do, without_flags

    return do(
        sys.argv[1:] if arguments is None else arguments,
        HELP,
        lambda words: write_reports(without_flags(words, {}, ())[0]),
    )


def write_reports(names: Sequence[str]) -> None:
    """Write the report and the card of each run that paths, globs, sweeps and folders name, and the reports of sweeps.

    Raises:
        InputError: no run is named, or some are unfinished or damaged.
    """
    from recipes.comparing.stored_runs import paths_of, sweeps_of
    from recipes.reporting.search_page import is_search, write_search_page
    from recipes.reporting.study_page import is_study, write_study_page
    from recipes.reporting.sweep_page import write_sweep_page
    from recipes.system.console import complain, say
    from tasks.errors import InputError

    if not names:
        raise InputError("Which run? python -m recipes.report RUN. What there is: --help")
    failed = 0
    paths = paths_of(names)
    if len(paths) > 1:
        say(f"{len(paths)} runs")
    for path in paths:
        try:
            _write(path)
        except InputError as error:
            failed += 1
            complain(str(error))
    for folder in sweeps_of(names):
        write = write_search_page if is_search(folder) else write_study_page if is_study(folder) else write_sweep_page
        say(f"Written: {write(folder)}")
    if failed:
        raise InputError(f"{failed} of {len(paths)} runs have no new report")


def _write(path: "Path") -> None:
    """Write the report and the card of a run.

    Raises:
        InputError: it is unfinished or damaged.
    """
    from recipes.comparing.stored_runs import finished_report, load_run, readable
    from recipes.reporting.run_page import run_page
    from recipes.results.model_card import model_card
    from recipes.results.run_directory import RunDirectory
    from recipes.system.console import say
    from recipes.system.files import write_text

    directory, report = RunDirectory(path), finished_report(path)
    run = load_run(path, report.judged)
    with readable(path):
        page = run_page(report, run.config, run.task, run.lines, run.data_name)
        card = model_card(report, run.task, run.data_name)
    write_text(directory.page, page)
    say(f"Written: {directory.page}")
    if directory.model.is_dir():
        write_text(directory.model_card, card)
        say(f"Written: {directory.model_card}")
    else:
        say(f"{directory.model} is gone: there is no model to write a card for")


if __name__ == "__main__":
    sys.exit(main())
