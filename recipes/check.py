"""Check labelled rows before training on them: `python -m recipes.check task=ner data.train=news.conll`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.check_line import CheckLine

FOUND = 1
"Exit status if there are findings of the grade that counts."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or check. Returns the exit status."""
    from recipes.command.check_line import HELP, read_check_line
    from recipes.command.words import do
    from tasks.checks.kinds import KINDS

    status = 0

    def work(words: Sequence[str]) -> None:
        nonlocal status
        status = check_line(read_check_line(words, list(KINDS)))

    return do(sys.argv[1:] if arguments is None else arguments, HELP, work) or status


def check_line(line: "CheckLine") -> int:
    """Check what a command line names, and return the exit status.

    Raises:
        InputError: a choice can't be used, or there are no rows to check.
    """
    from recipes.command import composing
    from recipes.command.line import key_of
    from recipes.command.literals import with_literal_values
    from recipes.command.own_rows import require_task, shell_command
    from recipes.config.conversion import parse
    from recipes.results.location import data_name, safe_name
    from tasks.data.files import expand_home

    require_task(line.overrides, module="recipes.check")
    overrides = tuple(with_literal_values(line.overrides))
    tree = composing.compose_tree(overrides)
    completed = composing.with_own_files(overrides, tree)
    if completed != overrides:
        tree = composing.compose_tree(completed)
    composing.require_no_code(tree, ())
    choices = tree.hydra.runtime.choices
    config = parse(composing.without_hydra(tree))
    baseline = composing.baseline(str(choices.task), str(choices.data), str(choices.model), ())
    name = data_name(config, str(choices.data), baseline)
    root = expand_home(str(config.output_root)) / "checks"
    folder = line.output or root / config.task.name / safe_name(name)
    about = {"data": name, "model": str(choices.model), "command": shell_command(line.overrides, "recipes.check")}
    from recipes.checking.checking import (  # only now: it takes seconds, and most mistakes are found by then
        ModelUse,
        check,
    )

    named = any(key_of(word) in ("model", "model.path") for word in line.overrides)
    use: ModelUse = "leave" if not line.with_model else "must" if named else "try"
    record = check(config, folder, line.excused, about, use)
    return FOUND if _counts(record["counts"], line.fail_on) else 0


def _counts(counts: dict[str, int], fail_on: str) -> bool:
    """Tell whether there are findings of a grade, or of a graver one."""
    grades = list(counts)
    return fail_on in grades and any(counts[grade] for grade in grades[: grades.index(fail_on) + 1])


if __name__ == "__main__":
    sys.exit(main())
