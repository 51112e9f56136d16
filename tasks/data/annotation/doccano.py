"""doccano's JSON lines: a text with `label: [[start, end, type], ...]`, or with `entities` and their offsets."""

from typing import Any

from tasks.data.annotation.spans import looks_like_spans
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.structured import json_lines_in_portions, read_json
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record

SPAN_KEYS = ("label", "labels", "entities")


def _span_key(row: Any) -> str | None:
    """Return the key under which a row of doccano has its entities."""
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return None
    for key in SPAN_KEYS:
        value = row.get(key)
        if isinstance(value, list) and looks_like_spans(value):
            is_doccano = all("start_offset" in item if isinstance(item, dict) else key != "entities" for item in value)
            return key if is_doccano else None
    return None


def _recognise(source: Source) -> Confidence:
    rows = source.sample
    keys = [_span_key(row) for row in rows]
    annotated = any(isinstance(row, dict) and key and row[key] for row, key in zip(rows, keys, strict=True))
    return certain_if(annotated and None not in keys and not any("answer" in row or "cats" in row for row in rows))


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records = []
    for record in read_json(source, report):
        key = next((key for key in SPAN_KEYS if key in record.values), None)
        values = {name: value for name, value in record.values.items() if name != key}
        records.append(Record({**values, "spans": record.values[key] if key else []}, record.origin))
    return Contents(records, "doccano spans")


DOCCANO = Reader("doccano", _recognise, _read, in_portions=json_lines_in_portions(_read))
