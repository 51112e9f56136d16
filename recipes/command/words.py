"""What the commands besides `recipes.run` have in common: help, flags, and errors as messages."""

from collections.abc import Callable, Mapping, Sequence

from recipes.system.console import complain, say
from tasks.errors import InputError, did_you_mean

BAD_INPUT = 2
"Exit status if the user's input can't be used."


def without_flags(
    arguments: Sequence[str], value_flags: Mapping[str, str], switches: Sequence[str], words: Sequence[str] = ()
) -> tuple[list[str], dict[str, str], set[str]]:
    """Return the words of a command line that are no flags, the values of flags by their names, and the switches.

    Args:
        arguments: the command line.
        value_flags: the flags that take a value, with the names of the values.
        switches: the flags that take none.
        words: what begins like a flag and is none.

    Raises:
        InputError: there is no such flag, or its value is missing.
    """
    plain: list[str] = []
    values: dict[str, str] = {}
    switched: set[str] = set()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag in value_flags:
            if not equals and not rest:
                raise InputError(f"{flag}: a value is missing")
            values[value_flags[flag]] = value if equals else rest.pop(0)
        elif flag in switches and not equals:
            switched.add(flag)
        elif word.startswith("-") and word not in words:
            near = did_you_mean(flag, (*value_flags, *switches, "--help"))
            raise InputError(f"No flag '{flag}'.{near} What there is: --help")
        else:
            plain.append(word)
    return plain, values, switched


INTERRUPTED = 130
"Exit status after Ctrl-C: 128 and the number of SIGINT."


def do(arguments: Sequence[str], help_text: str, work: Callable[[Sequence[str]], None]) -> int:
    """Print a command's help if it is asked for, or else do its work. Returns the exit status."""
    if {"--help", "-h"} & set(arguments):
        say(help_text)
        return 0
    try:
        return status_of(lambda: work(arguments))
    except KeyboardInterrupt:
        complain("Interrupted: nothing was written")
        return INTERRUPTED


def status_of(work: Callable[[], None]) -> int:
    """Do the work of a command, and return its exit status. Errors about the input become messages."""
    try:
        work()
    except InputError as error:
        complain(str(error))
        return BAD_INPUT
    except BrokenPipeError:
        raise  # whoever reads the output has gone, as `| head` does
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{error.strerror or error}")
        return BAD_INPUT
    except Exception as error:
        from recipes.command.hydra_errors import explain  # Hydra, which `--help` does not need

        message = explain(error)
        if message is None:
            raise
        complain(message)
        return BAD_INPUT
    return 0
