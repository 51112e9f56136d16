"""Predictions on their way to a file: kept beside it as they are made, so that an interrupted command can go on.

The first line of the file says what is predicted, and with which model; each other line holds a row. Lines that a kill
left half written are cut off. The file that the user asked for takes its name once all its rows are there.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tasks.errors import InputError
from tasks.writing.writer import to_json

Line = dict[str, Any]
"""A row: `values`, its columns in the input; `file`; `place`, its number there; `answer`; and for words with tags
`tokens`, and `gold` if they have tags already."""


def plain(value: Any) -> Any:
    """Return a value of a file as JSON can hold it: numbers that are none become null, dates and others texts.

    >>> plain({"price": float("nan"), "parts": (1, 2.5)})
    {'price': None, 'parts': [1, 2.5]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


@dataclass(frozen=True)
class Journal:
    """The predictions made so far for one output file."""

    output: Path

    @property
    def path(self) -> Path:
        """The file beside the output."""
        return self.output.with_name(f".{self.output.name}.partial")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from predicting into the same file.

        Raises:
            InputError: another process does so, or the folder can't be written to.
        """
        lock_file = self.output.with_name(f".{self.output.name}.lock")
        lock = FileLock(lock_file, timeout=0)
        try:
            self.output.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise InputError(f"-o {self.output}: another process is writing this file") from error
        except OSError as error:
            raise InputError(f"-o {self.output}: can't be written: {error.strerror or error}") from error
        try:
            yield
        finally:
            lock_file.unlink(missing_ok=True)
            lock.release()

    def begin(self, identity: Mapping[str, Any], overwrite: bool) -> int:
        """Return how many rows there are already, and cut off a line that is incomplete.

        Args:
            identity: what the predictions depend on, as JSON values.
            overwrite: whether to begin anew in any case.

        Raises:
            InputError: the journal is of other predictions; names what differs. Or it can't be written.
        """
        try:
            return self._begin(identity, overwrite)
        except OSError as error:
            raise InputError(f"-o {self.output}: can't be written: {error.strerror or error}") from error

    def _begin(self, identity: Mapping[str, Any], overwrite: bool) -> int:
        if self.path.exists() and not overwrite:
            then = self._identity()
            rows = 0 if then is None else self._cut_incomplete()
            # Without rows there is nothing to lose: a mistake may have stopped that command, which is mended now.
            if then is not None and rows:
                self._require_same(then, identity)
                return rows
        with self.path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{to_json(dict(identity))}\n")
        return 0

    def remove_if_empty(self) -> None:
        """Remove the journal if it has no row."""
        if self.path.exists() and next(self.lines(), None) is None:
            self.path.unlink()

    def _identity(self) -> Line | None:
        """Return the first line, or None if a kill left not even that."""
        try:
            with self.path.open(encoding="utf-8") as file:
                first = file.readline()
            tree = json.loads(first) if first.endswith("\n") else None
        except (OSError, ValueError):
            return None
        return tree if isinstance(tree, dict) else None

    def _require_same(self, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        lines = [
            f"  {key}: {then.get(key)!r} then, {now.get(key)!r} now"
            for key in dict.fromkeys((*then, *now))
            if then.get(key) != now.get(key)
        ]
        if lines:
            raise InputError(
                "\n".join(
                    [
                        f"-o {self.output}: an interrupted prediction is there ({self.path}), but of another kind:",
                        *lines,
                        "To go on with it, give its command again. To begin anew: --overwrite",
                    ]
                )
            )

    def _cut_incomplete(self) -> int:
        rows, end = -1, 0
        with self.path.open("rb+") as file:
            for line in file:
                if not line.endswith(b"\n") or not line.rstrip(b"\n").endswith(b"}"):
                    break
                rows += 1
                end += len(line)
            file.truncate(end)
        return rows

    def append(self, lines: Sequence[Line]) -> None:
        """Add rows, and wait until they are on the disk.

        Raises:
            InputError: the disk is full, or the file can't be written to.
        """
        try:
            with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.writelines(f"{to_json({**line, 'values': plain(line['values'])})}\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"{self.path}: can't be written: {error.strerror}. What is there stays: to go on, make room and give "
                "the same command again"
            ) from error

    def lines(self) -> Iterator[Line]:
        """Yield the rows that are there now."""
        end = self.path.stat().st_size
        with self.path.open("rb") as file:
            file.readline()
            while file.tell() < end:
                yield self._read(file.readline())

    def _read(self, line: bytes) -> Line:
        try:
            tree = json.loads(line)
        except ValueError:
            tree = None
        if not isinstance(tree, dict) or not {"values", "file", "place", "answer"} <= tree.keys():
            raise InputError(f"{self.path}: is damaged, so that it can't be gone on with: --overwrite begins anew")
        return tree
