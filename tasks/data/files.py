"""Finding files: from the user's paths, globs and lists of them to existing files."""

import glob
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.errors import InputError, did_you_mean

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE_PREFIX = "sample:"
PUBLIC_DATA = "RECIPES_DATA"
"The environment variable that names the folder of public data sets. Without it, the configs use `data`."


def find_files(value: Any, key: str, *, folders: bool = False) -> list[Path]:
    """Return the files that a path, a glob or a list of them stands for, sorted and without duplicates.

    `sample:ner/train.conll` is a file that comes with the package, `~` is the home folder.

    >>> [path.name for path in find_files("sample:ner/*.conll", "data.train")]
    ['test.conll', 'train.conll', 'validation.conll']

    Args:
        value: a path, a glob or a list of them, as the user wrote it.
        key: the config key of the value; errors name it.
        folders: whether a path may be a folder, which is then returned itself.

    Raises:
        InputError: no file matches, or the path is a folder and must not be.
    """
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not values or not all(item and isinstance(item, str) for item in values):
        raise InputError(f"{key}={value!r}: a path, a glob such as '{key}=data/*.csv', or a list of them")
    try:
        return sorted({path for item in values for path in _matches(item, key, folders)})
    except OSError as error:
        raise InputError(f"{key}={value}: can't look there: {error.strerror}") from error


def expand_home(value: str) -> Path:
    """Return the path with a leading `~` or `~user` replaced, or unchanged if there is no such user."""
    # Path.expanduser raises for an unknown user.
    return Path(os.path.expanduser(value))  # noqa: PTH111


def _matches(value: str, key: str, folders: bool) -> list[Path]:
    in_package = value.startswith(SAMPLE_PREFIX)
    path = SAMPLES / value.removeprefix(SAMPLE_PREFIX) if in_package else expand_home(value)
    if path.is_dir() and not folders:
        raise InputError(folder_message(path, key))
    # A file may have brackets in its name, so an existing file takes precedence over a pattern.
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        # Path.glob takes no absolute patterns.
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        files = [file for file in found if file.is_file()]
        if files:
            return files
    raise InputError(_missing(value, path, key))


def folder_message(path: Path, key: str) -> str:
    """Return the error for a folder where files are needed: what to type instead, for each kind of file in it."""
    message = f"{key}={path}: {path.absolute()} is a folder. Name files:"
    return "\n  ".join([message, *_choices(path, key)])


def _choices(folder: Path, key: str) -> Iterator[str]:
    """Yield values to use instead of a folder: a glob for each extension, or the file if only one has it."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    counts = Counter(file.suffix for file in files)
    for suffix, count in counts.most_common(8):
        only = next(file for file in files if file.suffix == suffix)
        yield f"{key}={only}" if count == 1 else f"{key}='{folder / f'*{suffix}'}' ({count} files)"
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not files:
        yield from (f"{key}={path}" for path in inside[:8])
        yield "(a folder for each class needs texts that end in .txt)" if inside else "(there is no file in it)"


def _missing(value: str, path: Path, key: str) -> str:
    place = path.absolute()
    what = "no file matches" if glob.has_magic(str(path)) else "there is no file"
    message = f"{key}={value}: {what} {place}."
    folder = place.parent
    if folder.is_dir():
        message += did_you_mean(place.name, sorted(entry.name for entry in folder.iterdir()))
    elif not glob.has_magic(str(folder)):
        message += f" There is no folder {folder} either."
    if path.parts[0] == "data" and not os.environ.get(PUBLIC_DATA):
        message += f"\nIf the public data sets are in another folder, say so first: export {PUBLIC_DATA}=/that/folder"
    return message
