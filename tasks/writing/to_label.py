"""Rows that are to be labelled, with what a model says of them, as annotation tools and tables have them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import quoteattr

from tasks.class_labels import usual_label_columns
from tasks.data.column_names import ANSWER_COLUMNS
from tasks.data.options import Columns
from tasks.data.records import Record
from tasks.data.suggested import PREDICTED, UNCERTAINTY
from tasks.errors import InputError
from tasks.ner import Sentence
from tasks.record_columns import find_column
from tasks.tags import split_tag
from tasks.task import AnyTask, Prediction, Row
from tasks.writing.sentences import entities_of, joined

LABEL = "label"
"The column that is to be filled, and the name of the control in Label Studio."
ANSWER = "answer"
"The column that is to be filled for questions."
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "classification": (".csv", ".jsonl", ".json"),
    "ner": (".jsonl", ".json"),
    "qa": (".csv", ".jsonl"),
}
"The files that the rows of a task can be labelled in."


def require_fillable(task: str, suffix: str) -> None:
    """Refuse a file in which the rows of a task can't be labelled.

    Raises:
        InputError: the message says which can.
    """
    if suffix not in SUFFIXES[task]:
        why = "entities have no place in a table" if task == "ner" else "Label Studio's answers could not be read back"
        raise InputError(f"-o FILE{suffix}: {why}: choose from {', '.join(SUFFIXES[task])}")


def place_to_fill(task: AnyTask, records: Sequence[Record], columns: Columns) -> str:
    """Return the column that labels stand in, as training reads them.

    Args:
        task: that of the rows.
        records: those of the training file; if there are none, the column has its usual name.
        columns: the columns that the user named.
    """
    if task.name == "qa":
        return find_column(records, columns.answers, ANSWER_COLUMNS) or ANSWER
    if columns.label is not None and not isinstance(columns.label, str):
        return LABEL
    return columns.label or next(iter(usual_label_columns(records)), LABEL)


def table_row(task: AnyTask, prediction: Prediction, values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the columns of a row, an empty one to fill, and what is predicted for it.

    Args:
        task: that of the row.
        prediction: what the model says of it.
        values: the columns that it was read from.
        place: the column to fill.
    """
    return {**values, place: "", PREDICTED: prediction[ANSWER if task.name == "qa" else LABEL]}


def tool_line(task: AnyTask, row: Row, prediction: Prediction, values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return a row as doccano imports it: `{"text", "label": []}`, the rest as its metadata; a question as in a table.

    The place for the label stays empty: doccano would take a predicted one for one that somebody has given.
    """
    if task.name == "qa":
        return table_row(task, prediction, values, place)
    found = _entities(row, prediction) if isinstance(row, Sentence) else prediction[LABEL]
    return {**_texts(row), LABEL: [], **_rest(row, values), PREDICTED: found}


def require_fillable_variety(task: Any, suffix: str) -> None:
    """Refuse numbers in doccano's lists of labels.

    Raises:
        InputError: the message says where they can be filled in.
    """
    if suffix == ".jsonl" and getattr(task, "kind", "") == "regression":
        raise InputError(f"-o FILE{suffix}: numbers have no place in doccano's labels: choose from .csv, .json")


def label_studio_task(row: Row, prediction: Prediction, values: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return a row as a task of Label Studio, with a prediction that is shown until somebody annotates.

    Args:
        row: the row, without a label.
        prediction: what the model says of it.
        values: the columns that it was read from.
        model: what the predictions are signed with.
    """
    result = [{"from_name": LABEL, "to_name": "text", **one} for one in _results(row, prediction)]
    data = {**_texts(row), **_rest(row, values)}
    return {"data": data, "predictions": [{"model_version": model, "result": result}]}


def _results(row: Any, prediction: Prediction) -> list[dict[str, Any]]:
    if isinstance(row, Sentence):
        text = _texts(row)["text"]
        return [
            {"type": "labels", "value": {"start": start, "end": end, "text": text[start:end], "labels": [kind]}}
            for start, end, kind in _entities(row, prediction)
        ]
    label = prediction[LABEL]
    if isinstance(label, float):
        return [{"type": "number", "value": {"number": label}}]
    return [{"type": "choices", "value": {"choices": [label] if isinstance(label, str) else list(label)}}]


def _texts(row: Any) -> dict[str, str]:
    """Return the texts of a row by their usual names; of words, these joined with blanks."""
    if isinstance(row, Sentence):
        return {"text": str(joined(row).text)}
    return {"text": row.text, **({} if row.text_pair is None else {"text_pair": row.text_pair})}


def _rest(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that hold something else than the texts of a row, its label, or a value for each word."""
    texts = _texts(row)
    words = len(getattr(row, "tokens", ()))
    return {
        name: value
        for name, value in values.items()
        if name not in (*texts, LABEL, PREDICTED, UNCERTAINTY)
        and value not in texts.values()
        and not (words and isinstance(value, list) and len(value) == words)
    }


def _entities(row: Sentence, prediction: Prediction) -> list[tuple[int, int, str]]:
    """Return the entities that a model finds: first character, the one after the last, and type."""
    return entities_of(joined(replace(row, tags=tuple(prediction["tags"]))))


def label_studio_interface(task: Any, labels: Sequence[str], with_pairs: bool) -> str:
    """Return the labelling interface of Label Studio that its tasks belong to, as XML.

    Args:
        task: with its `auto` options resolved.
        labels: those of the model's outputs.
        with_pairs: whether rows have two texts.
    """
    text = '  <Text name="text" value="$text"/>\n'
    pair = '  <Text name="text_pair" value="$text_pair"/>\n' if with_pairs else ""
    if task.tags_words:
        types = dict.fromkeys(split_tag(label).type for label in labels)
        control = _control("Labels", "Label", [kind for kind in types if kind])
    elif task.kind == "regression":
        control = f'  <Number name="{LABEL}" toName="text"/>\n'
    else:
        choice = ' choice="multiple"' if task.kind == "multi_label" else ' choice="single"'
        control = _control("Choices", "Choice", labels, choice)
    return f"<View>\n{text}{pair}{control}</View>\n"


def _control(name: str, item: str, labels: Sequence[str], more: str = "") -> str:
    items = "".join(f"    <{item} value={quoteattr(label)}/>\n" for label in labels)
    return f'  <{name} name="{LABEL}" toName="text"{more}>\n{items}  </{name}>\n'
