"""The file that a command writes: what speaks against it is said before any work is done."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tasks.data.files import find_files
from tasks.errors import InputError


def require_free(output: Path, inputs: Sequence[str] = (), *, overwrite: bool, beside: Sequence[Path] = ()) -> None:
    """Refuse an output that is a folder, an input, or there already, or that can't be written.

    Args:
        output: what the user gave with `-o`.
        inputs: what the user gave to read: paths, globs, or other names.
        overwrite: whether a file may be written anew.
        beside: further files that will be written.

    Raises:
        InputError: the message names the file, and what to do.
    """
    try:
        read = {path.resolve() for name in inputs for path in _files(name)}
        for path in (output, *beside):
            if path.is_dir():
                raise InputError(f"-o {_named(path, output)} is a folder. Name a file")
            if path.resolve() in read:
                raise InputError(f"-o {_named(path, output)} is one of the input's files. Name another one")
        there = next((path for path in (output, *beside) if path.exists()), None)
        folder = next(parent for parent in output.absolute().parents if parent.exists())
    except OSError as error:
        raise InputError(f"-o {output}: can't be written: {error.strerror}") from error
    if there is not None and not overwrite:
        raise InputError(f"-o {_named(there, output)} is there already. To write it anew: --overwrite")
    if not folder.is_dir():
        raise InputError(f"-o {output}: can't be written: {folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"-o {output}: can't be written: no permission to write in {folder}")


def _named(path: Path, output: Path) -> str:
    return f"{output}:" if path == output else f"{output}: {path}, which is written with it,"


def _files(name: str) -> list[Path]:
    # What names no file, such as a data set of the hub, is no output; what is wrong with it is said where it is read.
    with suppress(InputError):
        return find_files([name], "INPUT", folders=True)
    return []
