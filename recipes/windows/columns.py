"""Windows of token ids, stored in Arrow's compact columns.

A column holds a list of small integers for each window. As Python objects, they would take ten times the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import pyarrow as pa
from torch.utils.data import Dataset

from tasks.columns import FOR_DECODING, ROW, SMALL
from tasks.task import Features

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
    """The windows of a split, as a data set: item i has the model's inputs of window i, as views of Arrow memory."""

    def __init__(self, table: pa.Table) -> None:
        self.columns = {name: _column(table[name]) for name in table.column_names}
        self._inputs = [name for name in self.columns if name not in FOR_DECODING]

    def __len__(self) -> int:
        return len(self.columns[ROW])

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: self.columns[name][index] for name in self._inputs}

    @property
    def lengths(self) -> Array:
        """The number of tokens of each window, int [windows]."""
        ids = self.columns["input_ids"]
        assert isinstance(ids, Ragged)
        return np.diff(ids.bounds)

    @property
    def token_ids(self) -> Array:
        """The distinct token ids that occur, int [ids]."""
        ids = self.columns["input_ids"]
        assert isinstance(ids, Ragged)
        return np.unique(ids.values)


def to_table(features: Features) -> pa.Table:
    """Return the columns that a task's `encode` made as an Arrow table."""
    return pa.table({name: _compact(name, pa.array(values)) for name, values in features.items()})


def _compact(name: str, column: pa.Array) -> pa.Array:
    """Cast a column to the smallest type that is sure to hold its values. All portions must get the same type."""
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
