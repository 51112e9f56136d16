"""Atomic writing: a reader sees the old file or the new one, never half of it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from recipes.system.console import CONTROL

LARGE = 64 << 20


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: to a temporary file in the same folder, which then replaces the target."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        # The name of a file may hold bytes that are no UTF-8, which Python has as lone surrogates.
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically. NaN and infinity become null, which every JSON reader understands."""
    write_text(path, _json(value, indent=2) + "\n")


def write_json_lines(path: Path, values: list[dict[str, Any]]) -> None:
    """Write one JSON object per line, atomically."""
    write_text(path, "".join(_json(value) + "\n" for value in values))


def flush_to_disk(folder: Path) -> None:
    """Wait until every file below a folder has reached the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def fingerprint(path: Path) -> str:
    """Return a file's size and, up to 64 MB, a hash of its content. A different fingerprint means a changed file."""
    size = path.stat().st_size
    if size > LARGE:
        return f"{size} bytes"
    return f"{size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(_without_nan_and_infinity(value), indent=indent, ensure_ascii=False, allow_nan=False)
    # `json.dumps` escapes only the control characters below U+0020.
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _without_nan_and_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan_and_infinity(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan_and_infinity(item) for item in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
