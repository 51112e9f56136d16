"""The one exception that is shown to the user as a message instead of a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Something that the user gave (a file, a row, a config value) cannot be used.

    The message says what is wrong, where the fault is, and what would be right. It may have several lines.
    """


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest of `choices`, or an empty string when none is near.

    >>> did_you_mean("roberta-bse", ["roberta-base", "minilm"])
    " Did you mean 'roberta-base'?"
    """
    near = get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
