"""Find labels that are probably wrong: `python -m recipes.audit task=classification data.train=reviews.csv`."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or audit. Returns the exit status."""
    started = time.perf_counter()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if {"--help", "-h"} & set(words):
        from recipes.command.audit_line import HELP
        from recipes.system.console import say

        say(HELP)
        return 0
    if words[:1] == ["apply"]:
        from recipes.command.words import do

        return do(words[1:], "", _apply)
    if words[:1] == ["compare"]:
        return _compare(words[1:], started)
    from recipes.auditing.auditing import audit_by_study
    from recipes.command import dispatch
    from recipes.command.words import BAD_INPUT
    from recipes.run import run
    from recipes.system.console import complain

    other = next((word for word in words if word.startswith(("study=", "search=", "-m"))), None)
    if other is not None:
        complain(f"{other}: an audit is a cross-validation (study.folds=5), and nothing else at the same time")
        return BAD_INPUT
    if any(word.startswith("data.fixes=") for word in words):
        complain(
            "data.fixes: an audit is of rows as they stand in files. To audit corrected ones: apply, and the copies"
        )
        return BAD_INPUT
    return dispatch.main(run, [*words, "study=cross_validation"], started, dispatch.Sweepers(study=audit_by_study))


def _compare(words: Sequence[str], started: float) -> int:
    """Train with and without the fixes of an audit, and say what they bring. Returns the exit status."""
    from recipes.auditing.comparing import words_of_study
    from recipes.command import dispatch
    from recipes.command.words import status_of
    from recipes.run import run, study

    overrides: list[str] = []
    status = status_of(lambda: overrides.extend(words_of_study(words)))
    return status or dispatch.main(run, overrides, started, dispatch.Sweepers(study=study))


def _apply(words: Sequence[str]) -> None:
    """Write corrected copies of the files of an audit.

    Raises:
        InputError: the words or the table can't be used.
    """
    from recipes.auditing.applying import apply_fixes
    from recipes.command.words import without_flags
    from tasks.errors import InputError

    names, values, _ = without_flags(words, {"-o": "output", "--output": "output"}, ())
    if len(names) != 1 or not values.get("output"):
        raise InputError("Which table, and into which folder? python -m recipes.audit apply audit.csv -o FOLDER")
    apply_fixes(Path(names[0]).expanduser(), Path(values["output"]).expanduser())


if __name__ == "__main__":
    sys.exit(main())
