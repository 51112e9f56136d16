"""Find labels that are probably wrong: `python -m recipes.audit task=classification data.train=reviews.csv`."""

import sys
import time
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or audit. Returns the exit status."""
    started = time.perf_counter()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if {"--help", "-h"} & set(words):
        from recipes.command.audit_line import HELP
        from recipes.system.console import say

        say(HELP)
        return 0
    from recipes.auditing.auditing import audit_by_study
    from recipes.command import dispatch
    from recipes.run import run

    chosen = [] if any(word.startswith("study=") for word in words) else ["study=cross_validation"]
    return dispatch.main(run, [*words, *chosen], started, dispatch.Sweepers(study=audit_by_study))


if __name__ == "__main__":
    sys.exit(main())
