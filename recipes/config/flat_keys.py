"""Nested configs as flat dicts with dotted keys such as `hparams.learning_rate`."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recipes.config.schema import TASKS, CommandConfig, Config


def flat_values(tree: DictConfig, leave_out: Collection[str]) -> dict[str, Any]:
    """Return a composed tree as a dict from dotted keys to resolved values, without some top-level keys."""
    chosen = OmegaConf.masked_copy(tree, [str(key) for key in tree if key not in leave_out])
    container = OmegaConf.to_container(chosen, resolve=True)
    assert isinstance(container, dict)
    return flatten({str(key): value for key, value in container.items()})


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as a dict from dotted keys to leaf values.

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


def default_values(task: str) -> dict[str, Any]:
    """Return the default of every key of a task's config, by its dotted key. A key without a default has `???`."""
    return flatten(dataclasses.asdict(Config(task=TASKS[task]())))


def known_keys() -> list[str]:
    """Return every dotted key that a command line can set, whatever the task."""
    keys = list(flatten(dataclasses.asdict(CommandConfig())))
    return sorted({*keys, *(f"task.{f.name}" for kind in TASKS.values() for f in dataclasses.fields(kind))})
