"""The experiment as one typed value: Hydra's schema on the way in, plain dataclasses from here on.

Each default stands here and nowhere else; the YAML files in `conf/` only say what differs for one choice. `parse` turns
Hydra's tree into a `Config`, and no OmegaConf type goes further.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recipes.config.schema import TASKS, Config


def plain(tree: DictConfig, leave_out: str) -> dict[str, Any]:
    """Return a composed tree as dotted keys and resolved values, without one top-level key."""
    chosen = OmegaConf.masked_copy(tree, [str(key) for key in tree if key != leave_out])
    container = OmegaConf.to_container(chosen, resolve=True)
    assert isinstance(container, dict)
    return flatten({str(key): value for key, value in container.items()})


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted keys to leaf values.

    >>> flatten({"seed": 1, "data": {"limit": {"train": 5}}})
    {'seed': 1, 'data.limit.train': 5}
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def known_keys(task: str | None = None) -> list[str]:
    """Return every dotted key that a config of this task (or of any task) can have."""
    tasks = [TASKS[task]] if task is not None and task in TASKS else list(TASKS.values())
    keys = list(flatten(dataclasses.asdict(Config())))
    return sorted({*keys, *(f"task.{f.name}" for kind in tasks for f in dataclasses.fields(kind))})
