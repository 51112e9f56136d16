"""Keeps what a tracker's client does away from the training and the console."""

import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

from recipes.checkpoints.training_state import random_state, set_random_state

LONGEST_REASON = 200
"Characters of an error message that the console shows."

CREDENTIALS = re.compile(r"://[^/@\s]*@")


def set_defaults(settings: Mapping[str, str]) -> None:
    """Set environment variables by which a client is kept quiet; those that the user has set stay."""
    for name, value in settings.items():
        os.environ.setdefault(name, value)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Silence prints, logs and warnings of the code in this block, and restore all random states after it."""
    state, disabled = random_state(), logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        set_random_state(state)


def without_credentials(text: str) -> str:
    """Take user names and passwords out of addresses.

    >>> without_credentials("http://ada:secret@example.org/ is down")
    'http://***@example.org/ is down'
    """
    return CREDENTIALS.sub("://***@", text)


def reason(error: Exception) -> str:
    """Return what an exception says in a line, without credentials."""
    lines = str(error).strip().splitlines()
    said = without_credentials(lines[0] if lines else type(error).__name__).rstrip(".")
    return said if len(said) <= LONGEST_REASON else f"{said[:LONGEST_REASON]}..."
