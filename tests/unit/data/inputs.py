"""Writing small files, and reading them as a run would."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.read import read_records
from tasks.data.records import ReadReport


def written(name: str, content: str | bytes) -> Source:
    """Write a file into the current folder, line ends as they are given."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source(path)


def json_lines(*rows: Any) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def values(
    name: str, content: str | bytes | None = None, report: ReadReport | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Return the columns of each row of a file or folder, written first if there is content."""
    if content is not None:
        written(name, content)
    records = read_records(replace(DataOptions(train=name), **options), "train", report or ReadReport())
    assert records is not None
    return [record.values for record in records]


def recognised(name: str, content: str | bytes | None = None, **options: Any) -> str:
    """Return the line on the console that says what a file was recognised as."""
    report = ReadReport()
    values(name, content, report, **options)
    (line,) = report.recognised
    return line
