"""Overrides as one types them: values in the quotes that Hydra's grammar and a shell need."""

import re
import shlex
from collections.abc import Iterable

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(?<! )")
"Texts that need no quotes in a list."
OTHER_VALUES = ("null", "true", "false", "nan", "inf")
"Words that are no texts for Hydra, in lower case."


def hydra_literal(value: str) -> str:
    r"""Return a value in quotes, so that Hydra reads it literally.

    >>> print(hydra_literal(";"), hydra_literal("${x}"))
    ';' '\${x}'
    """
    return quoted(re.sub(r"(\\*)\$\{", r"\1\1\\${", value))


def quoted(value: str) -> str:
    """Return a value in the quotes of Hydra's grammar. What is in `${...}` is replaced all the same."""
    # Hydra takes backslashes as they stand, except before a quote.
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    escaped = re.sub(r"(\\+)\Z", r"\1\1", escaped)
    return f"'{escaped}'"


def shell_word(text: str) -> str:
    """Return a text as one word of a shell's command line.

    >>> print(shell_word("seed=1"), shell_word("data.separator=';'"))
    seed=1 "data.separator=';'"
    """
    quoted = shlex.quote(text)
    return f'"{text}"' if quoted != text and "'" in text and not set(text) & set('"$`\\!') else quoted


def list_override(key: str, values: Iterable[str]) -> str:
    """Return an override that sets a key to a list of texts, as one word of a shell's command line.

    >>> print(list_override("data.header", ["text", "is it good?"]))
    "data.header=[text,'is it good?']"
    """
    items = (value if _is_plain(value) else hydra_literal(value) for value in values)
    return shell_word(f"{key}=[{','.join(items)}]")


def _is_plain(value: str) -> bool:
    return PLAIN.fullmatch(value) is not None and value.casefold() not in OTHER_VALUES
