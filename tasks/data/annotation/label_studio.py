"""Label Studio's exports JSON and JSON-MIN: choices and labelled spans. Its CSV and CoNLL are read as such."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.data.annotation.spans import looks_like_spans
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.formats.structured import read_json
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record

SPAN_TYPES = ("labels", "hypertextlabels", "paragraphlabels")
MIN_MARKS = ("annotation_id", "annotator", "lead_time")
MIN_EXTRAS = (*MIN_MARKS, "annotators", "created_at", "updated_at", "file_upload", "agreement", "ner_id")
"Keys that JSON-MIN adds to each row."


def _annotations(row: Any) -> list[Any] | None:
    """Return the annotations of a task of the full export, which older versions call completions."""
    if not isinstance(row, dict) or not isinstance(row.get("data"), dict):
        return None
    found = row.get("annotations", row.get("completions"))
    return found if isinstance(found, list) else None


def _recognise(source: Source) -> Confidence:
    rows = source.sample
    return certain_if(bool(rows) and all(_annotations(row) is not None for row in rows))


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records, has_spans, shown = [], False, read_json(source, report)
    for record in shown:
        try:
            result = _result(_annotations(record.values) or [], record.origin, report)
            if result is None:
                continue
            values = _values(record.values["data"], result)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            report.bad_row("bad annotation", f"{type(error).__name__}: {error}", record.origin)
            continue
        has_spans = has_spans or "spans" in values
        records.append(Record({"id": record.values.get("id"), **values}, record.origin))
    if has_spans:
        # A task without any span looks like one without labels.
        records = [Record({"spans": [], **record.values}, record.origin) for record in records]
    return Contents(records, "Label Studio spans" if has_spans else "Label Studio choices")


def _result(annotations: Sequence[Any], origin: Origin, report: ReadReport) -> list[Any] | None:
    """Return what the annotators of one task said, or None if they said nothing or contradict each other."""
    finished = [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]
    finished = [one for one in finished if one.get("ground_truth")] or finished
    if not finished:
        why = "all its annotations were cancelled" if annotations else "it has no annotation"
        report.leave_out("not annotated", why, origin)
        return None
    results = [one.get("result") or [] for one in finished]
    if len({_content(result) for result in results}) > 1:
        report.bad_row(
            "annotators disagree", f"{len(results)} annotations that differ, none marked as ground truth", origin
        )
        return None
    first: list[Any] = results[0]
    return first


def _content(result: Iterable[Any]) -> str:
    """Return a key that equal annotations share, whatever their ids and order."""
    return json.dumps(sorted(json.dumps([item.get("from_name"), item.get("value")], sort_keys=True) for item in result))


def _values(data: Mapping[str, Any], result: Sequence[Any]) -> dict[str, Any]:
    """Return the columns of one task: those of its data, `spans`, and each other control under its own name.

    If there is one control with choices, its choices are also the column `label`.
    """
    values: dict[str, Any] = dict(data)
    spans, choices = [], {}
    for item in result:
        kind, value = item.get("type"), item.get("value", {})
        if kind in SPAN_TYPES:
            labels = value[kind]
            spans.append({**value, "label": labels})
        elif kind in ("choices", "taxonomy"):
            chosen = [" / ".join(one) if isinstance(one, list) else str(one) for one in value[kind]]
            choices[str(item.get("from_name"))] = chosen
        elif kind in value:
            values[str(item.get("from_name"))] = value[kind]
    if spans:
        values["spans"] = spans
    values |= choices
    if len(choices) == 1:
        values["label"] = next(iter(choices.values()))
    texts = [name for name, value in data.items() if isinstance(value, str)]
    if "text" not in data and len(texts) == 1:
        values["text"] = data[texts[0]]
    return values


LABEL_STUDIO = Reader("label_studio", _recognise, _read)


def _recognise_min(source: Source) -> Confidence:
    rows = source.sample
    return certain_if(
        bool(rows) and all(isinstance(row, dict) and any(name in row for name in MIN_MARKS) for row in rows)
    )


def _read_min(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    records = read_json(source, report)
    plain = [
        Record({name: value for name, value in record.values.items() if name not in MIN_EXTRAS}, record.origin)
        for record in records
    ]
    controls = {name for record in plain for name, value in record.values.items() if _is_control(value)}
    spans = {name for record in plain for name, value in record.values.items() if value and _holds_spans(value)}
    if len(spans) == 1:
        name = spans.pop()
        return Contents([_renamed(record, name, "spans", []) for record in plain], "Label Studio spans")
    others = {name for record in plain for name, value in record.values.items() if isinstance(value, str)}
    others -= {"id", "text"}
    label = controls if controls else others
    if len(label) == 1:
        name = label.pop()
        plain = [_renamed(record, name, "label", None) for record in plain]
    return Contents(plain, "Label Studio choices")


def _is_control(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("choices"), list)


def _holds_spans(value: Any) -> bool:
    return isinstance(value, list) and looks_like_spans(value)


def _renamed(record: Record, name: str, new: str, absent: Any) -> Record:
    value = record.values.get(name, absent)
    value = value["choices"] if _is_control(value) else value
    return Record({**{key: item for key, item in record.values.items() if key != name}, new: value}, record.origin)


LABEL_STUDIO_MIN = Reader("label_studio_min", _recognise_min, _read_min)
