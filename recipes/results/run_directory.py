"""Where a run lives: a path made from its choices, so that the same command finds its own earlier work."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config
from recipes.results.location import is_choice
from recipes.system.files import fingerprint
from tasks.errors import InputError

REPORT = "report.json"
CONFIG = "config.yaml"
LOCK = ".lock"
CHECKPOINTS = "checkpoints"
IDENTITY = "identity.json"
"In the folder of checkpoints: what besides the config decides what comes out."


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
