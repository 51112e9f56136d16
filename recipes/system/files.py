"""Writing files so that a reader sees the old one or the new one, never half of it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from recipes.system.console import CONTROL

LARGE = 64 << 20


def write_text(path: Path, text: str) -> None:
    """Write a text file whole: beside its place first, then moved there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole. Not-a-number becomes null, which every reader of JSON understands."""
    write_text(path, _json(value, indent=2) + "\n")


def write_json_lines(path: Path, values: list[dict[str, Any]]) -> None:
    """Write one JSON object a line, whole."""
    write_text(path, "".join(_json(value) + "\n" for value in values))


def flush_to_disk(folder: Path) -> None:
    """Wait until every file below a folder has reached the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def fingerprint(path: Path) -> str:
    """Return a file's size and, up to 64 MB, a hash of its content: another one means that the file has changed."""
    size = path.stat().st_size
    if size > LARGE:
        return f"{size} bytes"
    return f"{size} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False)
    # JSON itself escapes control characters below a blank; these are the others.
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
