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
    from recipes.auditing.auditing import audit_by_study
    from recipes.command import dispatch
    from recipes.command.words import BAD_INPUT
    from recipes.run import run
    from recipes.system.console import complain

    other = next((word for word in words if word.startswith(("study=", "search=", "-m"))), None)
    if other is not None:
        complain(f"{other}: an audit is a cross-validation (study.folds=5), and nothing else at the same time")
        return BAD_INPUT
    return dispatch.main(run, [*words, "study=cross_validation"], started, dispatch.Sweepers(study=audit_by_study))


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
