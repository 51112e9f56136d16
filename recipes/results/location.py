"""The path of a run directory: made from the run's choices, so that the same command finds its earlier work."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config
from tasks.data.files import SAMPLE_PREFIX, expand_home

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

INPUT_PATHS = ("model.path", "data.hub", "data.train", "data.validation", "data.test", "data.label_names", "data.fixes")
"Keys whose value is, or can be, the path of something that a run reads."

COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
"Endings of file names that tell nothing about the rows."

PATTERN = re.compile(r"\[[^\]]*\]|[*?]+")
"The parts of a glob that stand for other characters."


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
    root = expand_home(config.output_root)
    if root.is_absolute() or ".." in root.parts:
        # Runs from several working directories meet in this folder: a relative path is not enough to tell files apart.
        changed |= {key: _absolute(changed[key]) for key in _local_paths(config) if key in changed}
        config = replace(config, data=replace(config.data, train=changed.get("data.train", config.data.train)))
    data = data_name(config, data_choice, baseline)
    model = model_name(config, model_choice, baseline)
    if "hparams.learning_rate" in changed and "model.learning_rate" in changed:
        del changed["model.learning_rate"]
    parts = (config.task.name, _short(data), _short(model), choices_name(changed), f"seed={config.seed}")
    return root.joinpath(*(safe_name(part) for part in parts))


def data_name(config: Config, data_choice: str, baseline: Mapping[str, Any]) -> str:
    """Return what the data are called in paths: the choice of the group, or the name of the user's own files.

    Args:
        config: the config of the run.
        data_choice: the choice of the `data` group.
        baseline: dotted keys and values that the groups give by themselves.
    """
    flat = flatten(to_dict(config))
    own_data = any(flat[key] != baseline.get(key) for key in ("data.name", "data.train", "data.hub"))
    return (config.data.name or _data_name(config)) if own_data else data_choice


def model_name(config: Config, model_choice: str, baseline: Mapping[str, Any]) -> str:
    """Return what the model is called in paths: the choice of the group, or the name of the path that was set.

    Args:
        config: the config of the run.
        model_choice: the choice of the `model` group.
        baseline: dotted keys and values that the groups give by themselves.
    """
    return model_choice if config.model.path == baseline.get("model.path") else _model_name(config.model.path)


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


def _local_paths(config: Config) -> list[str]:
    """Return the keys that hold paths of files and folders in this config, and not names of the hub."""
    names = {"model.path": config.model.path, "data.hub": config.data.hub}
    hub = {key for key, name in names.items() if name is None or not expand_home(name).is_dir()}
    if config.data.hub is not None:
        hub |= {"data.train", "data.validation", "data.test"}
    if not isinstance(config.data.label_names, str):
        hub.add("data.label_names")
    return [key for key in INPUT_PATHS if key not in hub]


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_absolute, value))
    if value is None or str(value).startswith(SAMPLE_PREFIX):
        return value
    return os.path.abspath(expand_home(str(value)))  # noqa: PTH100, Path.resolve follows links


def _data_name(config: Config) -> str:
    """Name the user's data after the hub id, or after the training file and the folders that it is in."""
    hub, train = config.data.hub, config.data.train
    if hub is not None:
        return _path_name(hub) if expand_home(hub).is_dir() else hub
    if not isinstance(train, list):
        return _path_name(str(train))
    return _path_name(str(train[0])) + (f"+{len(train) - 1}" if len(train) > 1 else "")


def _path_name(value: str) -> str:
    """Return a name for a path or glob: the file's, without its extension, after those of its last two folders.

    >>> _path_name("fr/2024/train.csv.gz"), _path_name("./reviews.csv"), _path_name("parts/*.jsonl")
    ('fr-2024-train', 'reviews', 'parts')
    """
    path = expand_home(value)
    if ".." in path.parts or not path.name:
        path = Path(_absolute(value))
    folders = [part for part in path.parent.parts if part != path.anchor][-2:]
    name = path.name
    if not path.is_dir():
        while Path(name).suffix.lower() in COMPRESSED:
            name = Path(name).stem
        name = Path(name).stem
    parts = [*folders, name] if path.exists() else [PATTERN.sub("", part) for part in (*folders, name)]
    return "-".join(filter(None, (safe_name(part).strip("-_.") for part in parts))) or "files"


def _model_name(path: str) -> str:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        return path
    run = folder.absolute().parent if folder.name == "model" else folder.absolute()
    if (run / "report.json").is_file() and len(run.parts) > 4:
        # A run directory of ours: .../<data>/<model>/<choices>/seed=<n>.
        return "-".join(run.parts[-4:-2])
    return folder.absolute().name


def _short(name: str) -> str:
    """Return a name that fits into a file system, with a hash in place of what is too long."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
