"""Refuses configs that call code or read secrets: a config holds values only, and reports show all of them."""

import re
from collections.abc import Mapping
from typing import Any

from tasks.errors import InputError

CALLS = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_", "_mode_")
"Keys that tell Hydra to call something, or how to call it."

CONFIDENTIAL = re.compile("token|key|secret|passw|credential|auth", re.IGNORECASE)
"Matches the names of environment variables that look like secrets. No config may read them."


def refuse_calls(node: Any, path: str = "") -> None:
    """Refuse keys that tell Hydra to call code, anywhere in a tree, and values that could produce such keys.

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
    """Refuse a value that Hydra would decode from text or read from a secret environment variable.

    Decoding could produce keys that call code. Secrets must not be read, as all values are written to reports.

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
