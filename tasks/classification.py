"""Classification of texts and of pairs of texts: one label, several labels, or a number.

One row: `Text(text="where is my parcel??", text_pair=None, label="delivery")`
"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from tasks.collation import model_inputs, stacked
from tasks.columns import LABELS, ROW
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.scoring.labels import label_scores
from tasks.scoring.multilabel import multilabel_scores
from tasks.scoring.regression import regression_scores
from tasks.scoring.score import Score, score_named
from tasks.task import Batch, Collate, Features, Head, Layout, Outputs, Prediction, Task, column, row_id

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KINDS = ("auto", "single_label", "multi_label", "regression")
PROBLEM_TYPES = {
    "single_label": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}
OBJECTIVES = {"single_label": "macro_f1", "multi_label": "micro_f1", "regression": "pearson"}
HEADLINES = {
    "single_label": ("accuracy", "macro_f1"),
    "multi_label": ("micro_f1", "macro_f1"),
    "regression": ("pearson", "spearman", "rmse"),
}

LABEL_COLUMNS = ("label", "labels", "intent", "category", "class", "sentiment", "target", "score")
TEXT_COLUMNS = ("text", "sentence", "message", "review", "content", "body", "question", "document")
PAIR_COLUMNS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("text", "text_pair"),
    ("text1", "text2"),
)
MAX_CLASSES = 1000
EVEN_ODDS = 0.5
LABEL_THRESHOLD = "label_threshold"
"""Key of the calibrated threshold in the model's config: labels with at least this probability are predicted."""

Label = str | tuple[str, ...] | float


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the second text of a pair, and the label: a name, several names, or a number."""

    id: str
    text: str
    text_pair: str | None
    label: Label
    origin: Origin

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names: one or several."""
        if isinstance(self.label, float):
            raise TypeError(f"{self.origin}: the label is a number")
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def number(self) -> float:
        """The label as a number, for regression."""
        if not isinstance(self.label, float):
            raise TypeError(f"{self.origin}: the label is a name")
        return self.label


@dataclass
class Classification(Task[Text]):
    """Options of classification."""

    name: str = "classification"
    kind: str = "auto"
    "single_label, multi_label, regression, or auto. auto: lists of labels are multi_label, fractions are regression."
    label_separator: str | None = None
    "Separator between the labels of a cell. null: a comma if cells list labels as numbers, otherwise none."
    threshold: float | None = None
    "multi_label: labels with at least this probability are predicted. null: the one with the best F1 on validation."

    @override
    def errors(self) -> Iterator[str]:
        if self.kind not in KINDS:
            yield f"task.kind={self.kind}: choose from {', '.join(KINDS)}.{did_you_mean(self.kind, KINDS)}"
        if self.label_separator == "":
            yield "task.label_separator is empty: give a character, or null"
        if self.threshold is not None and not 0 < self.threshold < 1:
            yield f"task.threshold={self.threshold}: a probability between 0 and 1"

    @override
    def resolve_auto(self, train: Sequence[Record], layout: Layout) -> Self:
        if not train:
            return self
        name = column(train[0], layout.columns.label, LABEL_COLUMNS, "data.columns.label")
        cells = [record.values.get(name) for record in train]
        listed_as_numbers = layout.label_names is not None and any(_is_number_list(cell) for cell in cells)
        separator = self.label_separator or ("," if listed_as_numbers else None)
        kind = self.kind
        if kind == "auto":
            kind = _infer_kind(cells, separator)
        return replace(self, kind=kind, label_separator=separator if kind == "multi_label" else None)

    @override
    def variety(self) -> str:
        return self.kind.replace("_", " ")

    @override
    def read(self, records: Sequence[Record], layout: Layout, report: ReadReport) -> list[Text]:
        rows: list[Text] = []
        if not records:
            return rows
        text_column, pair_column = _text_columns(records[0], layout.columns)
        label_column = column(records[0], layout.columns.label, LABEL_COLUMNS, "data.columns.label")
        for position, record in enumerate(records):
            text = record.values.get(text_column)
            pair = record.values.get(pair_column) if pair_column else None
            empty = next(
                (name for name, value in ((text_column, text), (pair_column, pair)) if name and _blank(value)), None
            )
            if empty is not None:
                report.bad_row("empty text", f"column '{empty}' is empty", record.origin)
                continue
            try:
                label = self._label(record.values.get(label_column), layout.label_names)
            except ValueError as error:
                report.bad_row("bad label", f"column '{label_column}': {error}", record.origin)
                continue
            second = None if pair_column is None else str(pair)
            rows.append(Text(row_id(record, layout.columns, position), str(text), second, label, record.origin))
        return rows

    def _label(self, cell: Any, names: Sequence[str] | None) -> Label:
        if self.kind == "regression":
            return _number(cell)
        if self.kind == "multi_label":
            parts = cell.split(self.label_separator) if isinstance(cell, str) and self.label_separator else cell
            if cell is None:
                parts = []
            elif isinstance(parts, str | int):
                parts = [parts]
            if not isinstance(parts, list | tuple):
                raise ValueError(f"{cell!r} is not a list of labels")
            labels = (_class_name(part, names) for part in parts if not _blank(part))
            return tuple(dict.fromkeys(labels))
        return _class_name(cell, names)

    @override
    def head(self, train: Sequence[Text], layout: Layout) -> Head:
        problem_type = PROBLEM_TYPES[self.kind]
        if self.kind == "regression":
            return Head("AutoModelForSequenceClassification", ("score",), problem_type)
        found = {label for row in train for label in row.labels}
        labels = tuple(layout.label_names) if layout.label_names else tuple(sorted(found, key=_natural))
        if len(labels) < 2 and self.kind == "single_label":
            raise InputError(f"Training rows have {len(labels)} class ({', '.join(labels)}): two are needed at least")
        if len(labels) > MAX_CLASSES:
            raise InputError(
                f"Training rows have {len(labels)} different labels, such as {', '.join(labels[:3])}. "
                "Is data.columns.label the right column? For numbers: task.kind=regression"
            )
        return Head("AutoModelForSequenceClassification", labels, problem_type)

    @override
    def with_known_labels(self, rows: Sequence[Text], head: Head, report: ReadReport) -> list[Text]:
        if self.kind == "regression":
            return list(rows)
        kept = []
        for row in rows:
            strange = next((label for label in row.labels if label not in head.labels), None)
            if strange is None:
                kept.append(row)
            else:
                shown = ", ".join(head.labels[:20]) + (", ..." if len(head.labels) > 20 else "")
                message = f"label '{strange}' does not occur in training. Labels: {shown}."
                report.bad_row("unknown label", message + did_you_mean(strange, head.labels), row.origin)
        return kept

    @override
    def window_length(self, model_limit: int) -> int:
        """Return the maximum number of tokens in a text: 512, unless `task.max_length` sets another limit."""
        return min(self.max_length or 512, model_limit)

    @override
    def encode(self, rows: Sequence[Text], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int) -> Features:
        texts = [row.text for row in rows]
        pairs = [row.text_pair for row in rows] if rows and rows[0].text_pair is not None else None
        encoded = tokenizer(texts, pairs, truncation=True, max_length=length)
        features: Features = {name: list(encoded[name]) for name in tokenizer.model_input_names if name in encoded}
        features[ROW] = list(range(len(rows)))
        features[LABELS] = [self._target(row.label, head) for row in rows]
        return features

    def _target(self, label: Any, head: Head) -> int | float | list[float]:
        if self.kind == "regression":
            return float(label)
        if self.kind == "multi_label":
            return [float(name in label) for name in head.labels]
        return head.labels.index(label)

    @override
    def collator(self, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None = None) -> Collate:
        """Pad inputs and stack labels.

        Labels become int64 [batch] for single labels, float32 [batch] for numbers, and float32 [batch, labels] for
        several labels.
        """

        def collate(windows: list[dict[str, Any]]) -> Batch:
            labels = stacked([window[LABELS] for window in windows])
            return {**model_inputs(windows, tokenizer, pad_to), LABELS: labels}

        return collate

    @override
    def decode(
        self, rows: Sequence[Text], features: Mapping[str, Any], outputs: Outputs, head: Head
    ) -> list[Prediction]:
        window_of_row = {row: window for window, row in enumerate(features[ROW])}
        if self.kind == "regression":
            return [{"label": float(outputs["score"][window_of_row[row]])} for row in range(len(rows))]
        probabilities = outputs["probability"].tolist()
        return [self._decided(probabilities[window_of_row[row]], head) for row in range(len(rows))]

    def _decided(self, probabilities: Sequence[float], head: Head) -> Prediction:
        scores = {label: round(value, 6) for label, value in zip(head.labels, probabilities, strict=True)}
        if self.kind == "multi_label":
            return {"label": _labels_from(scores, self.threshold or EVEN_ODDS), "scores": scores}
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return {"label": head.labels[best], "scores": scores}

    @override
    def calibrate(self, rows: Sequence[Text], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Choose the probability threshold with the best micro-averaged F1."""
        if self.kind != "multi_label" or self.threshold is not None:
            return {}
        pairs = [
            (score, label in row.labels)
            for row, prediction in zip(rows, predictions, strict=True)
            for label, score in prediction["scores"].items()
        ]
        return {LABEL_THRESHOLD: best_label_threshold(pairs)}

    @override
    def apply_calibration(
        self, predictions: Sequence[Prediction], calibration: Mapping[str, float]
    ) -> list[Prediction]:
        """Predict each label whose probability reaches the calibrated threshold."""
        if LABEL_THRESHOLD not in calibration:
            return list(predictions)
        threshold = calibration[LABEL_THRESHOLD]
        return [{**prediction, "label": _labels_from(prediction["scores"], threshold)} for prediction in predictions]

    @override
    def inputs(self) -> Sequence[str]:
        return ("text", "text_pair")

    @override
    def gold(self, row: Text) -> Any:
        return list(row.labels) if self.kind == "multi_label" else row.label

    @override
    def gold_prediction(self, row: Text) -> Prediction:
        return {"label": self.gold(row)}

    @override
    def score(self, rows: Sequence[Text], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        predicted = [prediction["label"] for prediction in predictions]
        gold = [self.gold(row) for row in rows]
        if self.kind == "regression":
            return regression_scores(predicted, gold)
        if self.kind == "multi_label":
            return multilabel_scores(predicted, gold, labels=list(head.labels))
        return label_scores(predicted, gold, labels=list(head.labels))

    @override
    def objective_score(self) -> Score:
        return score_named(self.objective or OBJECTIVES[self.kind])

    @override
    def headline(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.objective_score().name, *HEADLINES[self.kind])))

    @override
    def identity(self, row: Text) -> Hashable:
        return row.text, row.text_pair

    @override
    def stratum(self, row: Text) -> Hashable | None:
        """Return the label, the tuple of all labels of a multi-label row, or None for a number."""
        return None if self.kind == "regression" else row.label


def best_label_threshold(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the smallest score at which to predict a label, for the best F1 over all pairs of a row and a label.

    Probabilities are small if rows have few labels. After little training none may reach one half, although their
    order is already right.

    Args:
        pairs: the score of each label for each row, and whether gold has it.

    >>> best_label_threshold([(0.4, True), (0.3, True), (0.2, False), (0.1, False)])
    0.3
    """
    ordered = sorted(pairs, reverse=True)
    total = sum(gold for _, gold in ordered)
    best, threshold, hits = 0.0, EVEN_ODDS, 0
    for number, (score, gold) in enumerate(ordered, start=1):
        hits += gold
        next_score = ordered[number][0] if number < len(ordered) else None
        f1 = 2 * hits / (number + total)
        if f1 > best and score != next_score:
            best, threshold = f1, score
    return threshold


def _labels_from(scores: Mapping[str, float], threshold: float) -> list[str]:
    return [label for label, score in scores.items() if score >= threshold]


def _infer_kind(cells: Sequence[Any], separator: str | None) -> str:
    if separator is not None or any(isinstance(cell, list | tuple) for cell in cells):
        return "multi_label"
    numbers = [_maybe_number(cell) for cell in cells]
    if all(number is not None for number in numbers) and any(number != int(number) for number in numbers if number):
        return "regression"
    return "single_label"


def _text_columns(record: Record, columns: Columns) -> tuple[str, str | None]:
    if columns.text is None and columns.text_pair is None:
        for first, second in PAIR_COLUMNS:
            if first in record.values and second in record.values:
                return first, second
    text = column(record, columns.text, TEXT_COLUMNS, "data.columns.text")
    if columns.text_pair is None:
        return text, None
    return text, column(record, columns.text_pair, (), "data.columns.text_pair")


def _class_name(cell: Any, names: Sequence[str] | None) -> str:
    if cell is None or isinstance(cell, dict | list | tuple):
        raise ValueError("no label" if cell is None else f"{cell!r} is not one label")
    if isinstance(cell, float):
        if not cell.is_integer():
            raise ValueError(f"{cell} is neither a name nor a whole number (for numbers: task.kind=regression)")
        cell = int(cell)
    label = str(cell).strip()
    if not label:
        raise ValueError("no label")
    if names is None or label in names:
        return label
    if label.lstrip("-").isdecimal():
        if 0 <= int(label) < len(names):
            return names[int(label)]
        raise ValueError(
            f"label {label} has no name: data.label_names has {len(names)} names, for 0 to {len(names) - 1}"
        )
    raise ValueError(f"label '{label}' is not in data.label_names.{did_you_mean(label, names)}")


def _number(cell: Any) -> float:
    value = _maybe_number(cell)
    if value is None:
        raise ValueError(f"{cell!r} is not a number")
    return value


def _maybe_number(cell: Any) -> float | None:
    if isinstance(cell, bool) or cell is None:
        return None
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _is_number_list(cell: Any) -> bool:
    return isinstance(cell, str) and "," in cell and all(part.strip().isdecimal() for part in cell.split(","))


def _blank(value: Any) -> bool:
    return value is None or not str(value).strip()


def _natural(label: str) -> tuple[int, float, str]:
    """Return a sort key that puts whole numbers, by value, before all names."""
    return (0, float(label), "") if label.lstrip("-").isdecimal() else (1, 0.0, label)
