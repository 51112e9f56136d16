"""Windows of token ids: encoded in portions, held in Arrow's compact columns, kept on disk by content.

A column is a list of small integers for each window; as Python objects they would take ten times the memory.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock
from torch.utils.data import Dataset
from tqdm import tqdm

from recipes.console import is_main_process
from recipes.models import Loaded
from tasks.load import Rows
from tasks.task import Features

ROWS_AT_ONCE = 1000
UNUSED_DAYS = 30
"Cached files that nothing has read for so long are removed."

SMALL = ("attention_mask", "token_type_ids", "candidates")
FOR_DECODING = ("row", "words", "start", "end")
"Columns that the model is not fed with."

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ragged(Sequence[Array]):
    """Lists of unequal length in one array: entry i is `values[bounds[i]:bounds[i + 1]]`, a view."""

    values: Array
    bounds: Array

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Array]: ...
    def __getitem__(self, index: int | slice) -> Array | Sequence[Array]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        view: Array = self.values[self.bounds[index] : self.bounds[index + 1]]
        return view


class Windows(Dataset[dict[str, Any]]):  # type: ignore[misc]
    """The windows of a split, for a data loader: window i is what the model is fed with, as views of Arrow's memory."""

    def __init__(self, table: pa.Table) -> None:
        self.columns = {name: _column(table[name]) for name in table.column_names}
        self._inputs = [name for name in self.columns if name not in FOR_DECODING]

    def __len__(self) -> int:
        return len(self.columns["row"])

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: self.columns[name][index] for name in self._inputs}

    @property
    def lengths(self) -> Array:
        """The tokens of each window, int [windows]."""
        ids = self.columns["input_ids"]
        assert isinstance(ids, Ragged)
        return np.diff(ids.bounds)

    @property
    def token_ids(self) -> Array:
        """The distinct token ids that occur, int [ids]."""
        ids = self.columns["input_ids"]
        assert isinstance(ids, Ragged)
        return np.unique(ids.values)


@dataclass(frozen=True)
class Encoder:
    """What turns the rows of a split into windows: the settled task, its tokenizer, and where results are kept."""

    rows: Rows
    loaded: Loaded
    length: int
    "Tokens in a window, at most."
    folder: Path | None
    "Folder of the cache; None: nothing is kept."
    tokenizer_digest: bytes

    @classmethod
    def of(cls, rows: Rows, loaded: Loaded, keep: bool) -> "Encoder":
        """Return the encoder of an experiment.

        Args:
            rows: the rows, with the settled task.
            loaded: the model's tokenizer, adapted to the task, and its limit.
            keep: whether results are kept on disk.
        """
        length = rows.task.window_length(loaded.limit)
        folder = cache_folder() if keep else None
        return cls(rows, loaded, length, folder, _tokenizer_digest(loaded.tokenizer) if folder else b"")

    def windows(self, split: str, longest_first: bool) -> Windows:
        """Return the windows of a split, in the rows' order or the longest first, which wastes least on padding.

        Rows that were encoded before with the same tokenizer and options come from the cache. Of several processes
        that want the same windows at once, one encodes them.
        """
        if self.folder is None:
            return _windows(self._encode(split), longest_first)
        path = self.folder / f"{self._key(split)}.arrow"
        table = _read(path)
        if table is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with FileLock(path.with_suffix(".lock")):
                    table = _read(path)
                    if table is None:
                        table = self._encode(split)
                        _write(path, table)
                        _remove_unused(self.folder)
            except OSError:
                # A full or read-only disk costs time, never the run.
                table = self._encode(split) if table is None else table
        return _windows(table, longest_first)

    def _encode(self, split: str) -> pa.Table:
        """Encode in portions, with a bar on a terminal if it takes long."""
        rows, task = self.rows.splits[split], self.rows.task
        portions = range(0, len(rows), ROWS_AT_ONCE)
        hidden = None if is_main_process() else True
        tables = []
        for first in tqdm(portions, desc=f"encoding {split}", delay=2, leave=False, disable=hidden):
            part = task.encode(rows[first : first + ROWS_AT_ONCE], self.loaded.tokenizer, self.rows.head, self.length)
            part["row"] = [first + row for row in part["row"]]
            tables.append(_table(part))
        return pa.concat_tables(tables).combine_chunks()

    def _key(self, split: str) -> str:
        """Return a hash of everything that the windows depend on."""
        digest = hashlib.sha256(self.tokenizer_digest + _code_digest())
        content = (sorted(asdict(self.rows.task).items()), self.rows.head, self.length, self.rows.fingerprint(split))
        digest.update(repr(content).encode())
        return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """Return the folder of the cache: RECIPES_CACHE, or `finetune-recipes` where the system keeps caches."""
    chosen = os.environ.get("RECIPES_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finetune-recipes"


def _table(features: Features) -> pa.Table:
    return pa.table({name: _compact(name, pa.array(values)) for name, values in features.items()})


def _compact(name: str, column: pa.Array) -> pa.Array:
    """Give a column the smallest type that is sure to hold it; all portions must agree on it."""
    inner = column.type.value_type if pa.types.is_list(column.type) else column.type
    if pa.types.is_null(inner):
        inner = pa.int32()
    small = pa.int8() if name in SMALL else pa.float32() if pa.types.is_floating(inner) else pa.int32()
    return column.cast(pa.list_(small) if pa.types.is_list(column.type) else small)


def _column(column: pa.ChunkedArray) -> Array | Ragged:
    """Return numbers as an array and lists as `Ragged`, without copying."""
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    if not pa.types.is_list(whole.type):
        return np.asarray(whole.to_numpy(zero_copy_only=False))
    return Ragged(whole.values.to_numpy(), whole.offsets.to_numpy())


def _windows(table: pa.Table, longest_first: bool) -> Windows:
    if longest_first:
        sizes = pc.list_value_length(table["input_ids"]).to_numpy()
        table = table.take(pa.array(np.argsort(-sizes, kind="stable")))
    return Windows(table)


@cache
def _code_digest() -> bytes:
    """Hash the code of the tasks and the libraries' versions: windows of another version are no use."""
    import tokenizers
    import transformers

    import tasks

    digest = hashlib.sha256(f"{transformers.__version__} {tokenizers.__version__}".encode())
    for path in [Path(__file__), *sorted(Path(str(tasks.__file__)).parent.glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.digest()


def _tokenizer_digest(tokenizer: Any) -> bytes:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    content = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    settings = (
        type(tokenizer).__name__,
        tokenizer.model_input_names,
        tokenizer.padding_side,
        tokenizer.truncation_side,
    )
    return hashlib.sha256(f"{settings} {content}".encode()).digest()


def _read(path: Path) -> pa.Table | None:
    """Return a cached table, or None if there is none that is whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:32], memoryview(content)[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    os.utime(path)
    return pa.ipc.open_stream(body).read_all()


def _write(path: Path, table: pa.Table) -> None:
    """Write a table with the hash of its bytes before it, whole or not at all."""
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


def _remove_unused(folder: Path) -> None:
    oldest = time.time() - UNUSED_DAYS * 86_400
    for path in [*folder.glob("*.arrow"), *folder.glob("*.lock"), *folder.glob(".*.partial")]:
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:
            continue
