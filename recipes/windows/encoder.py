"""From the rows of a split to its windows: encoded in portions, or taken from the cache."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock
from tqdm import tqdm

from recipes.model.loading import Loaded
from recipes.system.console import is_main_process
from recipes.windows.cache import cache_folder, code_digest, read_table, remove_unused, tokenizer_digest, write_table
from recipes.windows.columns import Windows, to_table
from tasks.columns import ROW
from tasks.data.options import Split
from tasks.loading.rows import AnyRows

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Encoder:
    """Turns the rows of a split into windows, by the task and the tokenizer, and keeps them in the cache."""

    rows: AnyRows
    loaded: Loaded
    length: int
    "Maximum number of tokens in a window."
    folder: Path | None
    "Folder of the cache. None: nothing is cached."
    tokenizer_digest: bytes

    @classmethod
    def of(cls, rows: AnyRows, loaded: Loaded, keep: bool) -> "Encoder":
        """Return the encoder of an experiment.

        Args:
            rows: the rows and their task.
            loaded: the model's tokenizer, adapted to the task, and its limit.
            keep: whether results are kept on disk.
        """
        length = rows.task.window_length(loaded.limit)
        folder = cache_folder() if keep else None
        return cls(rows, loaded, length, folder, tokenizer_digest(loaded.tokenizer) if folder else b"")

    def windows(self, split: Split, longest_first: bool) -> Windows:
        """Return the windows of a split, in the rows' order or the longest first, which wastes least on padding.

        Rows that were encoded before with the same tokenizer and options come from the cache. If several processes
        want the same windows at once, one encodes them and the others wait.
        """
        if self.folder is None:
            return _windows(self._encode(split), longest_first)
        path = self.folder / f"{self._key(split)}.arrow"
        table = read_table(path)
        if table is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with FileLock(path.with_suffix(".lock")):
                    table = read_table(path)
                    if table is None:
                        table = self._encode(split)
                        write_table(path, table)
                        remove_unused(self.folder)
            except OSError:
                # A full or read-only disk must not end the run: it goes on without the cache.
                table = self._encode(split) if table is None else table
        return _windows(table, longest_first)

    def _encode(self, split: Split) -> pa.Table:
        """Encode rows in portions, with a progress bar on a terminal if it takes long."""
        rows, task = self.rows.splits[split], self.rows.task
        portions = range(0, len(rows), ROWS_AT_ONCE)
        hidden = None if is_main_process() else True
        tables = []
        for first in tqdm(portions, desc=f"encoding {split}", delay=2, leave=False, disable=hidden):
            part = task.encode(rows[first : first + ROWS_AT_ONCE], self.loaded.tokenizer, self.rows.head, self.length)
            part[ROW] = [first + row for row in part[ROW]]
            tables.append(to_table(part))
        return pa.concat_tables(tables).combine_chunks()

    def _key(self, split: Split) -> str:
        """Return a hash of everything that the windows depend on."""
        digest = hashlib.sha256(self.tokenizer_digest + code_digest())
        content = (sorted(asdict(self.rows.task).items()), self.rows.head, self.length, self.rows.fingerprint(split))
        digest.update(repr(content).encode())
        return digest.hexdigest()[:32]


def _windows(table: pa.Table, longest_first: bool) -> Windows:
    if longest_first:
        sizes = pc.list_value_length(table["input_ids"]).to_numpy()
        table = table.take(pa.array(np.argsort(-sizes, kind="stable")))
    return Windows(table)
