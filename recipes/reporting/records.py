"""Files in which searches and studies have left what they found."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import InputError


@contextmanager
def read_record(path: Path, remedy: str) -> Iterator[dict[str, Any]]:
    """Give the content of a file, and turn errors of a damaged one into a sentence, wherever they show within.

    Args:
        path: the file, which holds a JSON object.
        remedy: what to do about a damaged one.

    Raises:
        InputError: it is damaged.
    """
    try:
        yield dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: {error}. {remedy}") from error
