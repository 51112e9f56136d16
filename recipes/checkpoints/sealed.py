"""Checkpoints on disk: written to a temporary folder, sealed with the hash of every file, then renamed.

A folder `checkpoints/` holds three kinds, each named for its optimizer step:

- `step-00000120`: everything needed to resume training. The two newest are kept.
- `best-00000080`: the weights of the evaluation that is kept so far, for as long as a training state refers to them.
- `done-00000300`: training has ended; only the weights that are kept remain to be evaluated.

A kill during writing leaves a `.partial` folder, which nothing reads.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.system.files import write_json

MANIFEST = "manifest.json"
FORMAT = 1
STEP, BEST, DONE, SOUP = "step", "best", "done", "soup"
"Kinds: states to resume from, the best weights, the end of training, and other good weights, for an average."
STATES_KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """A sealed checkpoint."""

    path: Path
    facts: Mapping[str, Any]
    "What its manifest says: `step`, and `best_step`, the step of the best weights at that time or None."

    @property
    def step(self) -> int:
        """The optimizer step after which it was written."""
        return int(self.facts["step"])

    @property
    def best(self) -> Path | None:
        """The folder of the best weights that it refers to."""
        step = self.facts.get("best_step")
        return None if step is None else self.path.parent / folder_name(BEST, int(step))


def folder_name(kind: str, step: int) -> str:
    """Return the folder's name, with zeros in front so that sorting by name sorts by step.

    >>> folder_name("step", 120)
    'step-00000120'
    """
    return f"{kind}-{step:08d}"


def begin(folder: Path, kind: str, step: int) -> Path:
    """Make an empty temporary folder for a checkpoint's files."""
    partial = folder / f".{folder_name(kind, step)}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def seal(partial: Path, facts: Mapping[str, Any]) -> Path:
    """Write the manifest of all files in a folder that `begin` made, and rename the folder to its final name.

    All files have reached the disk before the final name exists.
    """
    files = {}
    for path in _files(partial):
        with path.open("rb") as file:
            files[path.relative_to(partial).as_posix()] = {
                "size": path.stat().st_size,
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
            }
            os.fsync(file.fileno())
    write_json(partial / MANIFEST, {"format": FORMAT, **facts, "files": files})
    final = partial.with_name(partial.name.removeprefix(".").removesuffix(".partial"))
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    _sync(final.parent)
    return final


def read(path: Path) -> Checkpoint:
    """Return a checkpoint after verifying every byte of it.

    Raises:
        ValueError: a file is missing, truncated, changed or unexpected; the message says which.
    """
    try:
        facts = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        files, step = dict(facts.pop("files")), int(facts["step"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{MANIFEST} is missing or can't be read") from error
    if facts.get("format") != FORMAT:
        raise ValueError(f"it is of another version of this program (format {facts.get('format')})")
    if not path.name.endswith(f"-{step:08d}"):
        raise ValueError(f"{MANIFEST} is that of step {step}")
    there = {file.relative_to(path).as_posix(): file for file in _files(path)}
    for missing in sorted(files.keys() - there.keys()):
        raise ValueError(f"{missing} is missing")
    for strange in sorted(there.keys() - files.keys() - {MANIFEST}):
        raise ValueError(f"{strange} does not belong to it")
    for file_name, expected in files.items():
        size = there[file_name].stat().st_size
        if size != expected["size"]:
            raise ValueError(f"{file_name} has {size} bytes instead of {expected['size']}")
        with there[file_name].open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
                raise ValueError(f"the content of {file_name} has changed")
    return Checkpoint(path, facts)


def newest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest intact checkpoint to resume from, and a sentence for each damaged one that was skipped.

    A `done` checkpoint counts as the newest. A checkpoint whose best weights are missing or damaged is skipped, too.
    """
    complaints = []
    for path in [*sorted(folder.glob(f"{DONE}-*"), reverse=True), *sorted(folder.glob(f"{STEP}-*"), reverse=True)]:
        try:
            found = read(path)
            if found.best is not None:
                _require_best(found.best)
        except ValueError as error:
            complaints.append(f"checkpoint {path.name} is damaged and left out: {error}")
            continue
        return found, complaints
    return None, complaints


def rotate(folder: Path, best_step: int | None) -> None:
    """Remove what no resumed run needs: older training states, and best weights that no kept state refers to.

    Args:
        folder: the folder of all checkpoints.
        best_step: step of the best weights so far, which are always kept.
    """
    states = sorted(folder.glob(f"{STEP}-*"), reverse=True)
    kept = {path.name for path in states[:STATES_KEPT]}
    if best_step is not None:
        kept.add(folder_name(BEST, best_step))
    for path in states[:STATES_KEPT]:
        best = _best_step(path)
        if best is not None:
            kept.add(folder_name(BEST, best))
    for path in [*states, *folder.glob(f"{BEST}-*"), *folder.glob(".*.partial")]:
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _require_best(path: Path) -> None:
    if not path.is_dir():
        raise ValueError(f"the best weights it refers to ({path.name}) are missing")
    try:
        read(path)
    except ValueError as error:
        raise ValueError(f"the best weights it refers to ({path.name}) are damaged: {error}") from error


def _best_step(path: Path) -> int | None:
    """Return the step of the best weights that a training state refers to, without verifying its files."""
    try:
        step = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["best_step"]
    except (OSError, ValueError, KeyError):
        return None
    return None if step is None else int(step)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if not path.is_dir())


def _sync(folder: Path) -> None:
    """Make a rename in this folder survive a power cut, if the system supports it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
