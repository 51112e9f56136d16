"""Where a run lives: a path made from its choices, so that the same command finds its own earlier work."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from recipes.config import Config, flatten, to_dict
from recipes.files import fingerprint
from tasks.errors import InputError

REPORT = "report.json"
CONFIG = "config.yaml"
LOCK = ".lock"
CHECKPOINTS = "checkpoints"
IDENTITY = "identity.json"
"In the folder of checkpoints: what besides the config decides what comes out."
LONGEST_NAME = 80

# What these say does not change what comes out, or stands elsewhere in the path.
NOT_CHOICES = (
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


def locate(config: Config, data_choice: str, model_choice: str, baseline: Mapping[str, Any]) -> Path:
    """Return `output_root/<task>/<data>/<model>/<choices>/seed=<n>`.

    Args:
        config: the config of the run.
        data_choice: the choice of the `data` group; for one's own files their name is taken instead.
        model_choice: the choice of the `model` group; for another path its name is taken instead.
        baseline: dotted keys and values that these groups give by themselves. Choices are the differences from it.
    """
    flat = flatten(to_dict(config))
    changed = {key: value for key, value in flat.items() if is_choice(key) and value != baseline.get(key)}
    own_data = any(flat[key] != baseline.get(key) for key in ("data.name", "data.train", "data.hub"))
    data = (config.data.name or _data_name(config)) if own_data else data_choice
    model = _model_name(config.model.path) if "model.path" in changed else model_choice
    if "hparams.learning_rate" in changed and "model.learning_rate" in changed:
        del changed["model.learning_rate"]
    parts = (config.task.name, data, model, choices_name(changed), f"seed={config.seed}")
    return Path(config.output_root, *(safe(part) for part in parts))


def is_choice(key: str) -> bool:
    """Tell whether a key can change what comes out of a run."""
    return not key.startswith(NOT_CHOICES)


def choices_name(changed: Mapping[str, Any]) -> str:
    """Return a readable name for changed values, with a hash where it can't hold them all.

    >>> choices_name({"hparams.learning_rate": 5e-05, "hparams.epochs": 2.0})
    'epochs=2,learning_rate=5e-05'
    >>> choices_name({})
    'default'
    """
    if not changed:
        return "default"
    items = sorted((key.rsplit(".", 1)[-1], _written(value)) for key, value in changed.items())
    name = ",".join(f"{key}={value}" for key, value in items)
    short = safe(name)
    whole = not any("/" in str(value) for value in changed.values())
    if whole and short == name and len(name) <= LONGEST_NAME and len({key for key, _ in items}) == len(items):
        return name
    digest = hashlib.sha256(json.dumps(changed, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return f"{short[: LONGEST_NAME - 9].rstrip(',=')}-{digest}"


def safe(name: str) -> str:
    """Return a name that is one path component on every system: no separators, no leading dot.

    >>> safe("../a b"), safe("hf/name")
    ('-a-b', 'hf-name')
    """
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "-", name).lstrip(".") or "-"


def finished_report(folder: Path) -> dict[str, Any] | None:
    """Return the report of a finished run, or None if there is none."""
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return report if isinstance(report, dict) and report.get("status") == "finished" else None


def tidy(folder: Path) -> None:
    """Remove what was needed on the way: checkpoints, and files that a kill has left half written."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    for path in folder.rglob(".*.partial"):
        with suppress(OSError):
            path.unlink()


def require_same_config(folder: Path, config: Config) -> None:
    """Refuse a directory that another config made.

    Raises:
        InputError: it names the keys that differ.
    """
    path = folder / CONFIG
    if not path.is_file():
        return
    there = flatten(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    here = flatten(to_dict(config))
    differing = [key for key in sorted({*there, *here}) if is_choice(key) and there.get(key) != here.get(key)]
    if differing:
        lines = [f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now" for key in differing]
        raise InputError(
            "\n".join(
                [
                    f"{folder} was made with another config:",
                    *lines,
                    "To do it again with this one: overwrite=true; to keep both: output_root=OTHER_FOLDER",
                ]
            )
        )


def require_same_files(folder: Path, report: Mapping[str, Any]) -> None:
    """Refuse to call a run done whose data have changed since.

    Raises:
        InputError: it names the files.
    """
    then = report.get("data", {}).get("files", {})
    changed = [name for name, known in then.items() if Path(name).is_file() and fingerprint(Path(name)) != known]
    if changed:
        raise InputError(
            f"{folder} holds a finished run, but its data have changed since: {', '.join(changed)}.\n"
            "To train on them as they are now: overwrite=true; to keep both: output_root=OTHER_FOLDER"
        )


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run directory; the system lets go of it when the process ends, however it ends.

    Folders that were made for it and in which nothing has come to lie are removed again.

    Raises:
        InputError: another process has it, or it can't be written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{folder} is in use: another process is doing this very run. Wait for it, or take another output_root"
        ) from error
    except OSError as error:
        raise InputError(f"{folder} can't be written to: {error.strerror or error}") from error
    try:
        yield
    finally:
        # Before the lock is let go: after that, another process may hold one of the same name.
        (folder / LOCK).unlink(missing_ok=True)
        lock.release()
        for path in (folder / CHECKPOINTS, *made):
            with suppress(OSError):
                path.rmdir()


def require_same_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Refuse to go on with a training that began with other rows, another model or other processes.

    Raises:
        InputError: it names what differs.
    """
    lines = _differences(folder, identity)
    if lines:
        raise InputError(
            "\n".join(
                [
                    f"{folder} holds an unfinished run that began differently:",
                    *(f"  {line}" for line in lines),
                    "To begin anew: overwrite=true; to keep both: output_root=OTHER_FOLDER",
                ]
            )
        )


def other_machine(folder: Path, machine: Mapping[str, Any]) -> str:
    """Say how this machine differs from the one that an unfinished run began on; nothing if it does not."""
    return ", ".join(_differences(folder, machine))


def _differences(folder: Path, now: Mapping[str, Any]) -> list[str]:
    try:
        then = json.loads((folder / CHECKPOINTS / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [f"{key}: {then.get(key)!r} then, {value!r} now" for key, value in now.items() if then.get(key) != value]


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list):
        return "+".join(map(_written, value))
    if isinstance(value, dict):
        return "+".join(f"{key}-{_written(item)}" for key, item in value.items())
    return Path(str(value)).name if "/" in str(value) else str(value)


def _data_name(config: Config) -> str:
    """Name one's own data by the hub id, or by the training file or the folder that it shares with a generic name."""
    if config.data.hub is not None:
        return config.data.hub
    first = config.data.train[0] if isinstance(config.data.train, list) else config.data.train
    path = Path(str(first))
    return f"{path.parent.name}-{path.stem}" if path.stem in ("train", "training") and path.parent.name else path.stem


def _model_name(path: str) -> str:
    folder = Path(path).expanduser()
    return folder.absolute().name if folder.is_dir() else path
