"""A config holds values: what stands in it calls nothing, and brings no secret into a report."""

import re
from collections.abc import Mapping
from typing import Any

from tasks.errors import InputError

CALLS = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_", "_mode_")
"What Hydra takes for an order to call something, and how."

CONFIDENTIAL = re.compile("token|key|secret|passw|credential|auth", re.IGNORECASE)
"In the names of environment variables that no config may read."


def refuse_calls(node: Any, path: str = "") -> None:
    """Refuse Hydra's "call this" keys wherever they stand in a tree, and what could make them up.

    Raises:
        InputError: it names the key.
    """
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in CALLS:
                raise InputError(f"Config: {path}{key} is not allowed: a config holds values, never code to call")
            refuse_calls(value, f"{path}{key!s}.")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            refuse_calls(value, f"{path}{index}.")
    else:
        refuse_made_up(node, path.rstrip("."))


def refuse_made_up(value: Any, key: str) -> None:
    """Refuse a value that is decoded from text when it is read, or a secret: all values are written to reports.

    Raises:
        InputError: it names the key.
    """
    if not isinstance(value, str):
        return
    if re.search(r"\$\{\s*oc\.(decode|create)\b", value):
        raise InputError(f"Config: {key}={value} is not allowed: write the value itself")
    for variable in re.findall(r"\$\{\s*oc\.env\s*:\s*([^,}]*)", value):
        if not re.fullmatch(r"\w+\s*", variable):
            raise InputError(f"Config: {key}={value} is not allowed: write the name of the variable itself")
        if CONFIDENTIAL.search(variable):
            raise InputError(
                f"Config: {key}={value} is not allowed: values are written to reports, and {variable.strip()} looks "
                "like a secret. Libraries read theirs from the environment by themselves"
            )
