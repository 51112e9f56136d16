"""The path of a run directory: made from the run's choices, so that the same command finds its earlier work."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config

LONGEST_NAME = 80
"Maximum length, in characters, of the part of the path that names the choices."

UNNAMED_KEY_PREFIXES = (
    "seed",
    "output_root",
    "overwrite",
    "tracker.",
    "task.name",
    "data.name",
    "data.task",
    "runtime.threads",
    "runtime.cache",
    "runtime.checkpoint_every",
    "runtime.tokens_at_once",
)
"Prefixes of the keys that do not affect results, or that have a part of the path of their own."


def run_path(config: Config, data_choice: str, model_choice: str, baseline: Mapping[str, Any]) -> Path:
    """Return `output_root/<task>/<data>/<model>/<choices>/seed=<n>`.

    Args:
        config: the config of the run.
        data_choice: the choice of the `data` group. For the user's own files, the path has their name instead.
        model_choice: the choice of the `model` group. For another `model.path`, the path has that model's name instead.
        baseline: dotted keys and values that these groups give by themselves. The path names the differences from it.
    """
    flat = flatten(to_dict(config))
    changed = {key: value for key, value in flat.items() if affects_results(key) and value != baseline.get(key)}
    own_data = any(flat[key] != baseline.get(key) for key in ("data.name", "data.train", "data.hub"))
    data = (config.data.name or _data_name(config)) if own_data else data_choice
    model = _model_name(config.model.path) if "model.path" in changed else model_choice
    if "hparams.learning_rate" in changed and "model.learning_rate" in changed:
        del changed["model.learning_rate"]
    parts = (config.task.name, data, model, choices_name(changed), f"seed={config.seed}")
    return Path(config.output_root, *(safe_name(part) for part in parts))


def affects_results(key: str) -> bool:
    """Tell whether a key affects results. False for the seed too, which has a part of the path of its own."""
    return not key.startswith(UNNAMED_KEY_PREFIXES)


def choices_name(changed: Mapping[str, Any]) -> str:
    """Return a readable name for changed values. It ends in a hash if it can't show all of them in full.

    >>> choices_name({"hparams.learning_rate": 5e-05, "hparams.epochs": 2.0})
    'epochs=2,learning_rate=5e-05'
    >>> choices_name({})
    'default'
    """
    if not changed:
        return "default"
    items = sorted((key.rsplit(".", 1)[-1], _value_in_path(value)) for key, value in changed.items())
    name = ",".join(f"{key}={value}" for key, value in items)
    short = safe_name(name)
    whole = not any("/" in str(value) for value in changed.values())
    if whole and short == name and len(name) <= LONGEST_NAME and len({key for key, _ in items}) == len(items):
        return name
    digest = hashlib.sha256(json.dumps(changed, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return f"{short[: LONGEST_NAME - 9].rstrip(',=')}-{digest}"


def safe_name(name: str) -> str:
    """Turn a name into a valid path component on every system: no separators, no leading dot.

    >>> safe_name("../a b"), safe_name("hf/name")
    ('-a-b', 'hf-name')
    """
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "-", name).lstrip(".") or "-"


def _value_in_path(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list):
        return "+".join(map(_value_in_path, value))
    if isinstance(value, dict):
        return "+".join(f"{key}-{_value_in_path(item)}" for key, item in value.items())
    return Path(str(value)).name if "/" in str(value) else str(value)


def _data_name(config: Config) -> str:
    """Name the user's data after the hub id or the training file; a generic file name follows its folder's name."""
    if config.data.hub is not None:
        return config.data.hub
    first = config.data.train[0] if isinstance(config.data.train, list) else config.data.train
    path = Path(str(first))
    return f"{path.parent.name}-{path.stem}" if path.stem in ("train", "training") and path.parent.name else path.stem


def _model_name(path: str) -> str:
    folder = Path(path).expanduser()
    return folder.absolute().name if folder.is_dir() else path
