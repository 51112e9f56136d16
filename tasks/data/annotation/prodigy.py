"""Prodigy's JSON lines: spans, choices or a label, each with the annotator's `answer`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.data.formats.portions import Portions, PortionsOfLines
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Beginning, Source
from tasks.data.formats.structured import json_shape, read_json
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record

ANSWERS = ("accept", "reject", "ignore")
HASHES = ("_input_hash", "_task_hash")
SPANS, CHOICES = "Prodigy spans", "Prodigy choices"


def _is_prodigy(row: Any) -> bool:
    return isinstance(row, dict) and (row.get("answer") in ANSWERS or any(name in row for name in HASHES))


def _recognise(source: Source) -> Confidence:
    rows = source.sample
    return certain_if(bool(rows) and all(_is_prodigy(row) and ("text" in row or "tokens" in row) for row in rows))


@dataclass(frozen=True)
class _Kind:
    """What a file annotates, and the label that annotators said yes or no to, if there is a single one."""

    what: str
    label: str | None = None


def _kind(records: Sequence[Record]) -> _Kind:
    answered = [record.values for record in records if not _is_ignored(record)]
    if any("spans" in values or "tokens" in values for values in answered):
        return _Kind(SPANS)
    if any("options" in values or "accept" in values for values in answered):
        return _Kind(CHOICES)
    labels = {str(values.get("label")) for values in answered}
    return _Kind("Prodigy labels", labels.pop() if len(labels) == 1 else None)


def _is_ignored(record: Record) -> bool:
    return bool(record.values.get("answer", "accept") == "ignore")


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records = read_json(source, report)
    kind = _kind(records)
    return Contents(_annotated(records, kind, report), kind.what)


def _annotated(records: Sequence[Record], kind: _Kind, report: ReadReport) -> list[Record]:
    """Return the rows of a file of this kind, without those that the annotator ignored or rejected."""
    rows: list[Record] = []
    for record in records:
        if _is_ignored(record):
            report.leave_out("ignored by the annotator", "answer is 'ignore'", record.origin)
        elif kind.label is not None:
            rows += _of_two_classes(record, kind.label, report)
        elif record.values.get("answer", "accept") != "accept":
            report.leave_out("rejected by the annotator", "answer is 'reject'", record.origin)
        else:
            rows.append(_accepted(record, kind))
    return rows


def _accepted(record: Record, kind: _Kind) -> Record:
    if kind.what == SPANS:
        return Record({**record.values, "spans": record.values.get("spans") or []}, record.origin)
    return _with_label(record, record.values.get("accept") or []) if kind.what == CHOICES else record


def _with_label(record: Record, label: Any) -> Record:
    values: Mapping[str, Any] = {name: value for name, value in record.values.items() if name != "accept"}
    return Record({**values, "label": label}, record.origin)


def _of_two_classes(record: Record, label: str, report: ReadReport) -> Iterator[Record]:
    """Yield a row of the class `label` or `not label`, by what the annotator said, unless it has another label."""
    if str(record.values.get("label")) != label:
        other = f"the label {record.values.get('label')!r}, but the rows that were looked at have only {label!r}"
        report.bad_row("another label", other, record.origin)
        return
    is_accepted = record.values.get("answer", "accept") == "accept"
    yield _with_label(record, label if is_accepted else f"not {label}")


def _in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions | None:
    del options
    if json_shape(source) != "lines":
        return None
    kind = _kind(read_json(source, ReadReport("skip")))
    return PortionsOfLines(kind.what, lambda portion: _annotated(read_json(portion, report), kind, report))


PRODIGY = Reader("prodigy", _recognise, _read, in_portions=_in_portions)
