"""Arrow tables, and Parquet files, which hold one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.data.formats.reader import Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

MOST_ROWS = 1 << 16
"How many rows a portion has at most, whatever their size: the texts of a column may be packed to almost nothing."


def read_parquet(source: Source) -> list[Record]:
    """Turn the rows of a Parquet file into records.

    Files written by `datasets` store the names of integer labels. The names replace the integers.

    Raises:
        InputError: it is not a Parquet file.
    """
    import pyarrow
    from pyarrow import parquet

    with _refusing_what_is_no_parquet(source.path):
        table = parquet.read_table(pyarrow.BufferReader(source.data))
        return records_of_table(table, table.schema, source.file)


def stream_parquet(path: Path, portion_bytes: int) -> Iterator[list[Record]]:
    """Yield the rows of a Parquet file in portions that have about this size in the file, unpacked.

    Raises:
        InputError: it is not a Parquet file.
    """
    from pyarrow import parquet

    with _refusing_what_is_no_parquet(path), parquet.ParquetFile(path) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        row_bytes = sum(group.total_byte_size for group in groups) / max(file.metadata.num_rows, 1)
        rows = int(min(max(portion_bytes / max(row_bytes, 1), 1), MOST_ROWS))
        first = 1
        for batch in file.iter_batches(batch_size=rows):
            yield records_of_table(batch, file.schema_arrow, str(path), first)
            first += batch.num_rows


@contextmanager
def _refusing_what_is_no_parquet(path: Path) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read as Parquet: {error}") from error


def records_of_table(table: Any, schema: Any, file: str, first: int = 1) -> list[Record]:
    """Turn the rows of an Arrow table, or of a batch of its rows, into records, with the names of integer labels.

    Args:
        table: the table, or the batch.
        schema: the table's schema, which has the names of integer labels.
        file: the file's name.
        first: the number of the first row.

    Raises:
        InputError: a column of bytes holds no text.
    """
    features: dict[str, Any] = {}
    if b"huggingface" in (schema.metadata or {}):
        from datasets import Features

        features = Features.from_arrow_schema(schema)
    records = []
    binary = _binary_columns(schema)
    for number, row in enumerate(table.to_pylist(), start=first):
        values = {name: name_labels(value, features.get(name)) for name, value in row.items()}
        try:
            values |= {name: row[name].decode() for name in binary if row[name] is not None}
        except UnicodeDecodeError as error:
            raise InputError(f"{file}, row {number}: holds bytes that are no text: {error}") from error
        records.append(Record(values, Origin(file, number, "row")))
    return records


def _binary_columns(schema: Any) -> list[str]:
    """Return the columns of bytes: texts of programs that do not mark them as such, as Spark and Impala do not."""
    import pyarrow

    kinds = pyarrow.types
    return [field.name for field in schema if kinds.is_binary(field.type) or kinds.is_large_binary(field.type)]


def name_labels(value: Any, feature: Any) -> Any:
    """Replace integers of a `ClassLabel`, or of lists of them, by their names. Leave all other values unchanged.

    >>> name_labels([0, 2, -1], List(ClassLabel(names=["O", "B-person", "I-person"])))
    ['O', 'I-person', None]
    """
    if feature is None:
        return value
    from datasets import ClassLabel, LargeList, List

    if isinstance(feature, ClassLabel) and isinstance(value, int):
        # -1 marks a row without a label, as in the test splits of GLUE.
        return feature.names[value] if 0 <= value < len(feature.names) else None
    if isinstance(feature, List | LargeList) and isinstance(value, list):
        return [name_labels(item, feature.feature) for item in value]
    return value


def _read_parquet(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options, report
    return Contents(read_parquet(source), "Parquet")


PARQUET = Reader(
    "parquet",
    lambda source: certain_if(source.data.startswith(b"PAR1") or source.suffix == ".parquet"),
    _read_parquet,
)
