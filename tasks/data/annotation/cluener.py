"""CLUENER's JSON lines: `label: {type: {mention: [[start, end], ...]}}`, with ends that are inclusive."""

from typing import Any

from tasks.data.cells import whole_number
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.structured import json_lines_in_portions, read_json
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record


def _recognise(source: Source) -> Confidence:
    rows = source.sample
    labels = [row.get("label") for row in rows if isinstance(row, dict) and isinstance(row.get("text"), str)]
    return certain_if(len(labels) == len(rows) and any(labels) and all(map(_is_nested, labels)))


def _is_nested(label: Any) -> bool:
    return isinstance(label, dict) and all(
        isinstance(mentions, dict) and all(isinstance(places, list) for places in mentions.values())
        for mentions in label.values()
    )


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records = []
    for record in read_json(source, report):
        try:
            spans = _spans(record.values.get("label") or {})
        except ValueError as error:
            report.bad_row("bad entity", str(error), record.origin)
            continue
        values = {name: value for name, value in record.values.items() if name != "label"}
        records.append(Record({**values, "spans": spans}, record.origin))
    return Contents(records, "CLUENER spans")


def _spans(label: Any) -> list[dict[str, Any]]:
    if not _is_nested(label):
        raise ValueError(f"{label!r} is not of the form {{type: {{mention: [[start, end]]}}}}")
    spans = []
    for kind, mentions in label.items():
        for mention, places in mentions.items():
            for place in places:
                numbers = [whole_number(value) for value in place] if isinstance(place, list) else []
                if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
                    raise ValueError(f"{place!r} is not a start and an end")
                start, end = numbers[0], numbers[1]
                spans.append({"start": start, "end": end + 1, "label": kind, "text": mention})
    return spans


CLUENER = Reader("cluener", _recognise, _read, in_portions=json_lines_in_portions(_read))
