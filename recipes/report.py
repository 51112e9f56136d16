"""Write the model card of finished runs anew: `python -m recipes.report RUN`."""

import sys
from collections.abc import Sequence


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
    """Write the card of each run that paths, globs, sweeps and folders name.

    Raises:
        InputError: no run is named, or one is unfinished, damaged or without its model.
    """
    from recipes.comparing.stored_runs import finished_report, load_run, paths_of
    from recipes.results.model_card import model_card
    from recipes.results.run_directory import RunDirectory
    from recipes.system.console import say
    from recipes.system.files import write_text
    from tasks.errors import InputError

    if not names:
        raise InputError("Which run? python -m recipes.report RUN. What there is: --help")
    for path in paths_of(names):
        directory, report = RunDirectory(path), finished_report(path)
        if not directory.model.is_dir():
            raise InputError(f"{path}: its model is gone, so that there is nothing to describe")
        run = load_run(path, "test" if "test" in report.metrics else "validation")
        write_text(directory.model_card, model_card(report, run.task, run.data_name))
        say(f"Written: {directory.model_card}")


if __name__ == "__main__":
    sys.exit(main())
