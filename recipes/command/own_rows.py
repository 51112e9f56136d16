"""Commands that name rows of the user's own: which they are, and that they have to say what to learn from them."""

from collections.abc import Sequence

from recipes.command.groups import choices
from recipes.command.line import key_of
from recipes.config.validation import ROW_SOURCE_KEYS, names_own_rows
from tasks.errors import InputError
from tasks.overrides import shell_word


def sets_own_rows(override: str) -> bool:
    """Tell whether an override names rows of the user's own."""
    key, value = key_of(override), override.partition("=")[2].strip("'\"")
    return key in {f"data.{name}" for name in ROW_SOURCE_KEYS} and value != "null" and names_own_rows(value)


def lacks_task(overrides: Sequence[str]) -> bool:
    """Tell whether overrides name rows of the user's own, and nothing that could choose a task for them."""
    values = {key_of(override): override.partition("=")[2] for override in overrides}
    chosen = {"task", "experiment"} & values.keys() or values.get("data", "files") != "files"
    return not chosen and any(map(sets_own_rows, overrides))


def require_task(overrides: Sequence[str], flags: Sequence[str] = (), module: str = "recipes.run") -> None:
    """Refuse overrides that name rows, but do not say what to learn from them: no guess is good enough.

    Args:
        overrides: those of the command.
        flags: what else the command has to have.
        module: which command it is.

    Raises:
        InputError: the message has a command for each task.
    """
    if lacks_task(overrides):
        rows = next(override for override in overrides if sets_own_rows(override))
        commands = "\n".join(f"  {command}" for command in commands_with_tasks([*flags, *overrides], module))
        raise InputError(f"{rows}: say with task=... what to learn from these rows. One of:\n{commands}")


def commands_with_tasks(words: Sequence[str], module: str = "recipes.run") -> list[str]:
    """Return the command with these words for each task."""
    return [shell_command([f"task={task}", *words], module) for task in choices("task")]


def shell_command(words: Sequence[str], module: str = "recipes.run") -> str:
    """Return a command, by default that of a run, as it is typed at a shell."""
    return " ".join([f"python -m {module}", *map(shell_word, words)])
