"""Prodigy's JSON lines: spans, choices or a label, each with the annotator's `answer`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.structured import read_json
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record

ANSWERS = ("accept", "reject", "ignore")
HASHES = ("_input_hash", "_task_hash")


def _is_prodigy(row: Any) -> bool:
    return isinstance(row, dict) and (row.get("answer") in ANSWERS or any(name in row for name in HASHES))


def _recognise(source: Source) -> Confidence:
    rows = source.sample
    return certain_if(bool(rows) and all(_is_prodigy(row) and ("text" in row or "tokens" in row) for row in rows))


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records = read_json(source, report)
    answered = [record for record in records if record.values.get("answer", "accept") != "ignore"]
    for record in records:
        if record.values.get("answer", "accept") == "ignore":
            report.leave_out("ignored by the annotator", "answer is 'ignore'", record.origin)
    if any("spans" in record.values or "tokens" in record.values for record in answered):
        return Contents(_with_spans(_accepted(answered, report)), "Prodigy spans")
    if any("options" in record.values or "accept" in record.values for record in answered):
        chosen = _accepted(answered, report)
        return Contents(
            [_with_label(record, record.values.get("accept") or []) for record in chosen], "Prodigy choices"
        )
    return Contents(_binary(answered, report), "Prodigy labels")


def _accepted(records: Sequence[Record], report: ReadReport) -> list[Record]:
    kept = []
    for record in records:
        if record.values.get("answer", "accept") == "accept":
            kept.append(record)
        else:
            report.leave_out("rejected by the annotator", "answer is 'reject'", record.origin)
    return kept


def _with_spans(records: Sequence[Record]) -> list[Record]:
    return [Record({**record.values, "spans": record.values.get("spans") or []}, record.origin) for record in records]


def _with_label(record: Record, label: Any) -> Record:
    values: Mapping[str, Any] = {name: value for name, value in record.values.items() if name != "accept"}
    return Record({**values, "label": label}, record.origin)


def _binary(records: Sequence[Record], report: ReadReport) -> list[Record]:
    """Return rows of two classes if annotators said yes or no to a single label, and else the accepted rows."""
    labels = {str(record.values.get("label")) for record in records}
    if len(labels) != 1:
        return _accepted(records, report)
    label = labels.pop()
    return [
        _with_label(record, label if record.values.get("answer", "accept") == "accept" else f"not {label}")
        for record in records
    ]


PRODIGY = Reader("prodigy", _recognise, _read)
