"""Compare finished runs: `python -m recipes.compare outputs/ner/a outputs/ner/b`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.compare_line import CompareLine
    from recipes.comparing.stored_runs import StoredRun
    from recipes.comparing.verdicts import Comparison


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or compare. Returns the exit status."""
    from recipes.command.compare_line import HELP, read_compare_line
    from recipes.command.words import do

    return do(sys.argv[1:] if arguments is None else arguments, HELP, lambda words: _compare(read_compare_line(words)))


def _compare(line: "CompareLine") -> None:
    from recipes.command.output_file import require_free
    from recipes.comparing.outputs import console_lines
    from recipes.comparing.page import FORMATS
    from recipes.system.console import escape_control_characters, say
    from recipes.system.files import write_text

    if line.output is not None:
        require_free(
            line.output,
            [f"{run}/**/report.{suffix}" for run in line.runs for suffix in ("json", "html")],
            overwrite=line.overwrite,
        )
    comparison = compare_runs(line)
    for text in console_lines(comparison):
        say(escape_control_characters(text))
    if line.output is not None:
        write_text(line.output, FORMATS[line.output.suffix.lower()](comparison))
        say(f"Written: {line.output}")


def compare_runs(line: "CompareLine") -> "Comparison":
    """Return the comparison that a command line asks for.

    Raises:
        InputError: a run is missing or unfinished, or the runs are on different rows.
    """
    from recipes.comparing.groups import groups_of
    from recipes.comparing.stored_runs import require_same_rows
    from recipes.comparing.verdicts import compare

    runs = _runs(line)
    require_same_rows(runs)
    return compare(groups_of(runs), line.score)


def _runs(line: "CompareLine") -> "list[StoredRun]":
    from recipes.comparing.stored_runs import finished_report, load_run, paths_of

    paths = paths_of(line.runs)
    has_test = all("test" in finished_report(path).metrics for path in paths)
    split = line.split or ("test" if has_test else "validation")
    return [load_run(path, split) for path in paths]


if __name__ == "__main__":
    sys.exit(main())
