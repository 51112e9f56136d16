"""The cache of encoded windows on disk. A table's file name is a hash of everything that the table depends on."""

import hashlib
import os
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

UNUSED_DAYS = 30
"Days after which cached files that nothing has read are removed."


def cache_folder() -> Path:
    """Return the folder of the cache: RECIPES_CACHE, or `finetune-recipes` in the user's cache folder."""
    chosen = os.environ.get("RECIPES_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finetune-recipes"


@cache
def code_digest() -> bytes:
    """Hash the code that makes windows and the versions of its libraries: a change may change the windows."""
    import tokenizers
    import transformers

    import tasks

    digest = hashlib.sha256(f"{transformers.__version__} {tokenizers.__version__}".encode())
    for folder in (Path(str(tasks.__file__)).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.digest()


def tokenizer_digest(tokenizer: Any) -> bytes:
    """Hash everything that decides how a tokenizer encodes a text."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    content = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    settings = (
        type(tokenizer).__name__,
        tokenizer.model_input_names,
        tokenizer.padding_side,
        tokenizer.truncation_side,
    )
    return hashlib.sha256(f"{settings} {content}".encode()).digest()


def read_table(path: Path) -> pa.Table | None:
    """Return a cached table, or None if the file is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:32], memoryview(content)[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    os.utime(path)
    return pa.ipc.open_stream(body).read_all()


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table atomically, after the hash of its bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    body = sink.getvalue()
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest())
            file.write(body)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)


def remove_unused(folder: Path) -> None:
    """Remove files that have not been read for a month, and old ones that a kill left half written."""
    oldest = time.time() - UNUSED_DAYS * 86_400
    for path in [*folder.glob("*.arrow"), *folder.glob("*.lock"), *folder.glob(".*.partial")]:
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:
            continue
