"""Rows with typed values: JSON lines, JSON and Parquet."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
SHAPES = 'an array of objects, {"data": [objects]}, or an object of equally long columns'


def read_jsonl(text: str, file: str, report: ReadReport) -> list[Record]:
    r"""Turn each line that is not blank into a record.

    >>> read_jsonl('{"text": "warm beds", "label": "good"}\n', "lodge.jsonl", ReadReport())
    [Record(values={'text': 'warm beds', 'label': 'good'}, origin=Origin(file='lodge.jsonl', number=1, unit='line'))]

    Lines that are not JSON objects go to `report`.
    """
    records = []
    # Not splitlines(): it also splits at U+2028 and others, which JSON allows in a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        origin = Origin(file, number)
        try:
            values = _parse(line)
        except (ValueError, RecursionError) as error:
            report.bad_row("not JSON", f"not valid JSON, {_json_fault(error, with_line=False)}", origin)
            continue
        if isinstance(values, dict):
            records.append(Record(values, origin))
        else:
            report.bad_row("not an object", f"a JSON object is needed, not {line[:40]}", origin)
    return records


def read_json(text: str, file: str, report: ReadReport) -> list[Record]:
    """Turn a JSON file in one of `SHAPES` into records. Array entries that are not objects go to `report`.

    >>> read_json('{"text": ["warm beds"], "label": ["good"]}', "lodge.json", ReadReport())
    [Record(values={'text': 'warm beds', 'label': 'good'}, origin=Origin(file='lodge.json', number=1, unit='row'))]

    Raises:
        InputError: the file is not JSON or has another shape.
    """
    records = []
    for number, values in enumerate(_json_rows(load_json(text, file), file), start=1):
        origin = Origin(file, number, "row")
        if isinstance(values, dict):
            records.append(Record(values, origin))
        else:
            report.bad_row("not an object", f"a JSON object is needed, not {json.dumps(values)[:40]}", origin)
    return records


def _json_rows(tree: Any, file: str) -> Iterator[Any]:
    rows = tree.get("data") if isinstance(tree, dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        tree = rows
    if isinstance(tree, list):
        return iter(tree)
    if not isinstance(tree, dict):
        raise InputError(f"{file}: the file holds a single value. These shapes can be read: {SHAPES}")
    strange = next((key for key, column in tree.items() if not isinstance(column, list)), None)
    if strange is not None:
        raise InputError(f"{file}: '{strange}' is not a list. These shapes can be read: {SHAPES}")
    lengths = {key: len(column) for key, column in tree.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(f"{file}: the columns are not equally long: {counts}")
    return (dict(zip(tree, cells, strict=True)) for cells in zip(*tree.values(), strict=True))


def load_json(text: str, file: str) -> Any:
    """Parse a whole file as JSON.

    Raises:
        InputError: it is not JSON; names line and column.
    """
    try:
        return _parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}, {_json_fault(error)}") from error


def _parse(text: str) -> Any:
    """Parse JSON, and refuse texts with half a surrogate pair, which JSON allows but no tokenizer accepts."""
    value = json.loads(text)
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _json_fault(error: Exception, *, with_line: bool = True) -> str:
    if isinstance(error, json.JSONDecodeError):
        place = f"line {error.lineno}, column {error.colno}" if with_line else f"column {error.colno}"
        return f"{place}: {error.msg}"
    if isinstance(error, UnicodeEncodeError):
        before = error.object[max(error.start - 20, 0) : error.start]
        return f"half of a surrogate pair, {error.object[error.start]!r}, after {before!r}"
    return f"{type(error).__name__}: {error}"


def read_parquet(path: Path) -> list[Record]:
    """Turn the rows of a Parquet file into records.

    Files written by `datasets` store the names of integer labels. The names replace the integers.

    Raises:
        InputError: it is not a Parquet file.
    """
    import pyarrow
    from pyarrow import parquet

    features: dict[str, Any] = {}
    try:
        table = parquet.read_table(path)
        if b"huggingface" in (table.schema.metadata or {}):
            from datasets import Features

            features = Features.from_arrow_schema(table.schema)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read as Parquet: {error}") from error
    records = []
    for number, row in enumerate(table.to_pylist(), start=1):
        values = {name: name_labels(value, features.get(name)) for name, value in row.items()}
        records.append(Record(values, Origin(str(path), number, "row")))
    return records


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
