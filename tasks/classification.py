"""Classification of texts and of pairs of texts: one label, several labels, or a number.

One row: `Text(text="where is my parcel??", text_pair=None, label="delivery")`
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from typing_extensions import override

from tasks.analysis.calibration import reliability
from tasks.analysis.parts import Analysis, Line
from tasks.analysis.texts import analyse_texts
from tasks.baselines.texts import text_baselines
from tasks.class_labels import (
    class_name,
    find_label_columns,
    infer_kind,
    is_number_list,
    is_without_gold,
    label_columns,
    label_names_of,
    multi_hot_length,
    names_of_multi_hot,
    number_of,
    readable_cells,
)
from tasks.collation import model_inputs, stacked
from tasks.columns import IGNORED_LABEL, LABELS, ROW
from tasks.data.cells import is_blank
from tasks.data.records import STORED, BadRowError, Origin, ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.label_calibration import (
    EVEN_ODDS,
    SCORE_DIGITS,
    best_label_threshold,
    calibrated,
    fitted_temperature,
    labels_from,
)
from tasks.long_texts import LONG_TEXTS, WINDOWS, counts_of_long_texts, encode_texts, notes_on_long_texts
from tasks.plausibility import Finding, class_findings, contradictions, text_findings
from tasks.probabilities import means_of_rows, sigmoid, softmax
from tasks.record_columns import find_column, row_id
from tasks.scoring.labels import label_rescore, label_scores
from tasks.scoring.multilabel import multilabel_rescore, multilabel_scores
from tasks.scoring.regression import regression_rescore, regression_scores
from tasks.scoring.resampling import Rescore
from tasks.scoring.score import Score, score_named
from tasks.task import Batch, Collate, Features, Head, Layout, Outputs, Prediction, Task
from tasks.text_columns import note_other_columns, text_columns

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KINDS = ("auto", "single_label", "multi_label", "regression")
PROBLEM_TYPES = {
    "single_label": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}
EMPTY_LABELS = "empty label cell read as none of the labels"
"What such rows are counted under."
OBJECTIVES = {"single_label": "macro_f1", "multi_label": "micro_f1", "regression": "pearson"}
HEADLINES = {
    "single_label": ("accuracy", "macro_f1"),
    "multi_label": ("micro_f1", "macro_f1"),
    "regression": ("pearson", "spearman", "rmse"),
}

FEWEST_TO_JUDGE_BY_CORRELATION = 10
"""Of rows with a number: ten numbers and ten others that have nothing to do with them have a correlation beyond 0.63 in
one case of twenty, and fewer ones more often."""
MAX_CLASSES = 1000
LABEL_THRESHOLD = "label_threshold"
"""Key of the calibrated threshold in the model's config: labels with at least this probability are predicted."""

TEMPERATURE = "score_temperature"
"Key of the calibrated temperature in the model's config: what logits are divided by to become probabilities."

Label = str | tuple[str, ...] | float


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the second text of a pair, and the label: a name, several names, or a number."""

    id: str
    text: str
    text_pair: str | None
    label: Label | None
    "None: the file has no labels."
    origin: Origin

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names: one or several."""
        if self.label is None or isinstance(self.label, float):
            raise TypeError(f"{self.origin}: the label is {'missing' if self.label is None else 'a number'}")
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def number(self) -> float:
        """The label as a number, for regression."""
        if not isinstance(self.label, float):
            raise TypeError(f"{self.origin}: the label is missing, or a name")
        return self.label


@dataclass
class Classification(Task[Text]):
    """Options of classification."""

    texts: ClassVar[tuple[str, ...]] = ("text", "text_pair")
    head_class: ClassVar[str] = "ForSequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    labels_whole_texts: ClassVar[bool] = True
    settled_options: ClassVar[tuple[str, ...]] = ("kind",)
    thresholds: ClassVar[tuple[str, ...]] = (LABEL_THRESHOLD, TEMPERATURE)

    name: str = "classification"
    kind: str = "auto"
    "single_label, multi_label, regression, or auto. auto: lists of labels are multi_label, fractions are regression."
    label_separator: str | None = None
    "Separator between the labels of a cell. null: a comma if cells list labels as numbers, otherwise none."
    multi_hot: int | None = None
    """Number of labels, if each row lists a 0 or 1 for every label; 0: lists hold labels. null: found out."""
    join_words: bool = False
    "Whether a text that is a list of words is joined with blanks. false: it is an error."
    long_texts: str = WINDOWS
    """Texts that are longer than a window: windows (parts that are read one by one; predictions average their logits),
    head_tail (the middle is left out) or truncate (the end is). What is left out is counted."""
    threshold: float | None = None
    "multi_label: labels with at least this probability are predicted. null: the one with the best F1 on validation."

    @override
    def errors(self) -> Iterator[str]:
        if self.kind not in KINDS:
            yield f"task.kind={self.kind}: choose from {', '.join(KINDS)}.{did_you_mean(self.kind, KINDS)}"
        if self.multi_hot is not None and self.multi_hot < 0:
            yield f"task.multi_hot={self.multi_hot}: the number of labels, or 0"
        if self.label_separator == "":
            yield "task.label_separator is empty: give a character, or null"
        if self.long_texts not in LONG_TEXTS:
            near = did_you_mean(self.long_texts, LONG_TEXTS)
            yield f"task.long_texts={self.long_texts}: choose from {', '.join(LONG_TEXTS)}.{near}"
        if self.threshold is not None and not 0 < self.threshold < 1:
            yield f"task.threshold={self.threshold}: a probability between 0 and 1"

    @override
    def resolve_auto(self, train: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        if not train:
            return self
        columns = label_columns(train, layout.columns)
        note_other_columns(train, layout.columns, columns, report)
        cells = [cell for cell in readable_cells(train, columns) if not is_without_gold(cell, columns)]
        listed_as_numbers = layout.label_names is not None and any(map(is_number_list, cells))
        separator = self.label_separator or ("," if listed_as_numbers else None)
        multi_hot = multi_hot_length(cells, layout.label_names) if self.multi_hot is None else self.multi_hot
        if multi_hot and self.multi_hot is None:
            named = (
                "named by data.label_names" if layout.label_names else "named label_0, label_1, ... (data.label_names)"
            )
            report.note(f"labels are lists of {multi_hot} zeros and ones, {named}. If not: task.multi_hot=0")
        kind = self.kind if self.kind != "auto" else infer_kind(cells, separator, multi_hot, report)
        if columns.indicators:
            report.note(f"labels are the names of the columns with a 1: {columns.shown}")
        elif len(columns.names) > 1:
            report.note(f"labels are those in the columns {columns.shown}; cells such as NONE count as empty")
        return replace(
            self,
            kind=kind,
            label_separator=separator if kind == "multi_label" else None,
            multi_hot=multi_hot or 0,
        )

    @override
    def variety(self) -> str:
        return self.kind.replace("_", " ")

    @override
    def has_labels(self, records: Sequence[Record], layout: Layout) -> bool:
        named = layout.columns.label
        if isinstance(named, list) and any(find_column(records, str(name), ()) is not None for name in named):
            return True  # if one of them is missing, `read` says so
        columns = find_label_columns(records, layout.columns)
        if columns is None:
            return False
        return any(not is_blank(record.values.get(name)) for record in records for name in columns.names)

    @override
    def read(
        self, records: Sequence[Record], layout: Layout, report: ReadReport, *, labelled: bool = True
    ) -> list[Text]:
        rows: list[Text] = []
        if not records:
            return rows
        text_column, pair_column = text_columns(records, layout.columns)
        columns = label_columns(records, layout.columns) if labelled else None
        for position, record in enumerate(records):
            try:
                text = self._text(record, text_column)
                pair = None if pair_column is None else self._text(record, pair_column)
            except BadRowError as error:
                report.bad_row(error.reason, str(error), record.origin)
                continue
            label = None
            if columns is not None:
                try:
                    cell = columns.cell(record)
                    if is_without_gold(cell, columns):
                        report.leave_out("no gold label", "annotators did not agree: the label is '-'", record.origin)
                        continue
                    label = self._label(cell, layout.label_names)
                    if self.kind == "multi_label" and is_blank(cell):
                        report.repair(EMPTY_LABELS, f"column '{columns.shown}' is empty", record.origin)
                except ValueError as error:
                    report.bad_row("bad label", f"column '{columns.shown}': {error}", record.origin)
                    continue
            rows.append(Text(row_id(record, layout.columns, position), text, pair, label, record.origin))
        return rows

    def _text(self, record: Record, name: str) -> str:
        value = record.values.get(name)
        if name not in record.values:
            there = ", ".join(map(str, record.values))
            raise BadRowError("no text", f"there is no column '{name}', as other rows have it. Columns: {there}")
        if is_blank(value):
            raise BadRowError("empty text", f"column '{name}' is empty")
        if isinstance(value, list | tuple) and self.join_words and all(isinstance(word, str) for word in value):
            return " ".join(value)
        if isinstance(value, list | tuple | dict):
            way_out = ". To join the words with blanks: task.join_words=true" if isinstance(value, list) else ""
            raise BadRowError("no text", f"column '{name}' is a {type(value).__name__}, not a text{way_out}")
        return str(value)

    def _label(self, cell: Any, names: Sequence[str] | None) -> Label:
        if self.kind == "regression":
            return number_of(cell)
        if self.multi_hot:
            cell = names_of_multi_hot(cell, self.multi_hot, names)
        if self.kind == "multi_label":
            return label_names_of(cell, self.label_separator, lambda part: class_name(part, names))
        return class_name(cell, names)

    @override
    def head(self, train: Sequence[Text], layout: Layout) -> Head:
        problem_type = PROBLEM_TYPES[self.kind]
        if self.kind == "regression":
            return Head("AutoModelForSequenceClassification", ("score",), problem_type)
        found = {label for row in train for label in row.labels}
        labels = tuple(layout.label_names or sorted(found, key=_natural))
        if self.multi_hot and not layout.label_names:
            labels = tuple(names_of_multi_hot([1] * self.multi_hot, self.multi_hot, None))
        if len(labels) < 2 and self.kind == "single_label":
            raise InputError(f"Training rows have {len(labels)} class ({', '.join(labels)}): two are needed at least")
        if not labels:
            raise InputError("No training row has a label. Is data.columns.label the right column?")
        if len(labels) > MAX_CLASSES:
            raise InputError(
                f"Training rows have {len(labels)} different labels, such as {', '.join(labels[:3])}. "
                "Is data.columns.label the right column? For numbers: task.kind=regression"
            )
        return Head("AutoModelForSequenceClassification", labels, problem_type)

    @override
    def unknown_labels(self, row: Text, head: Head) -> list[str]:
        if self.kind == "regression" or row.label is None:
            return []
        return [label for label in row.labels if label not in head.labels]

    @override
    def unknown_label_message(self, label: str, head: Head) -> str:
        shown = ", ".join(head.labels[:20]) + (", ..." if len(head.labels) > 20 else "")
        return f"label '{label}' does not occur in training. Labels: {shown}." + did_you_mean(label, head.labels)

    @override
    def label_counts(self, rows: Sequence[Text]) -> dict[str, int]:
        if self.kind == "regression":
            return {}
        counts = Counter(label for row in rows for label in row.labels)
        return {label: counts[label] for label in sorted(counts, key=_natural)}

    @property
    @override
    def tells_contradictions(self) -> bool:
        return self.kind == "single_label"

    @override
    def why_unbalanced(self) -> str | None:
        """Return what to do with several labels and with numbers. None while the kind of labels is not found out."""
        if self.kind == "multi_label":
            return (
                "texts have several labels, so that a row of a rare one is a row of others, too. To count rare labels "
                "more: hparams.class_weights=balanced; what the model finds hard: hparams.focal=2"
            )
        if self.kind == "regression":
            return "the labels are numbers, which have no classes. Rows can be repeated where the file is made"
        return None

    @override
    def findings(self, train: Sequence[Text]) -> Iterator[Finding]:
        yield from text_findings(list(map(_content, train)))
        if self.kind != "regression":
            counts = Counter(label for row in train for label in row.labels)
            yield from class_findings(counts, several=self.kind == "multi_label")
        if self.tells_contradictions:
            yield from contradictions((_content(row), row.labels[0]) for row in train)

    @override
    def window_length(self, model_limit: int) -> int:
        """Return the maximum number of tokens in a text: 512, unless `task.max_length` sets another limit."""
        return min(self.max_length or 512, model_limit)

    @override
    def encode(self, rows: Sequence[Text], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int) -> Features:
        """Turn rows into windows. Each window of a long text has the text's label as its target."""
        features = encode_texts([(row.text, row.text_pair) for row in rows], self.long_texts, tokenizer, length)
        targets = [self._target(row.label, head) for row in rows]
        features[LABELS] = [targets[row] for row in features[ROW]]
        return features

    @override
    def window_counts(self, rows: Sequence[Text], features: Mapping[str, Any]) -> dict[str, int]:
        return counts_of_long_texts(len(rows), features)

    @override
    def window_notes(self, counts: Mapping[str, int]) -> Iterator[str]:
        yield from notes_on_long_texts(counts, self.long_texts)

    def _target(self, label: Any, head: Head) -> int | float | list[float]:
        """Return what the loss compares outputs with. Rows without a label are never trained on: any value will do."""
        if label is None:
            if self.kind == "multi_label":
                return [0.0] * len(head.labels)
            return 0.0 if self.kind == "regression" else 0
        if self.kind == "regression":
            return float(label)
        if self.kind == "multi_label":
            return [float(name in label) for name in head.labels]
        # A label that training does not know counts in the scores, but not in the loss.
        return head.labels.index(label) if label in head.labels else IGNORED_LABEL

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
        if self.kind == "regression":
            return [{"label": number} for number in means_of_rows(outputs["score"], features[ROW], len(rows)).tolist()]
        logits = means_of_rows(outputs["logits"], features[ROW], len(rows))
        probabilities = sigmoid(logits) if self.kind == "multi_label" else softmax(logits)
        return [self._decided(of_row, head) for of_row in probabilities.tolist()]

    def _decided(self, probabilities: Sequence[float], head: Head) -> Prediction:
        scores = dict(zip(head.labels, probabilities, strict=True))
        if self.kind == "multi_label":
            return {"label": labels_from(scores, self.threshold or EVEN_ODDS), "scores": scores}
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return {"label": head.labels[best], "scores": scores}

    @override
    def calibrate(self, rows: Sequence[Text], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Choose the probability threshold with the best micro-averaged F1, or the temperature of single labels."""
        if self.kind == "single_label":
            found = fitted_temperature([row.labels[0] for row in rows], [one["scores"] for one in predictions])
            return {} if found is None else {TEMPERATURE: found}
        if self.kind != "multi_label" or self.threshold is not None:
            return {}
        pairs = [
            (round(score, SCORE_DIGITS), label in row.labels)
            for row, prediction in zip(rows, predictions, strict=True)
            for label, score in prediction["scores"].items()
        ]
        return {LABEL_THRESHOLD: best_label_threshold(pairs)}

    @override
    def apply_calibration(
        self, predictions: Sequence[Prediction], calibration: Mapping[str, float]
    ) -> list[Prediction]:
        """Apply the temperature or the threshold that `calibrate` chose, and round probabilities."""
        if self.kind == "regression":
            return list(predictions)
        finished = [
            {**prediction, "scores": scores}
            for prediction, scores in zip(
                predictions,
                calibrated([prediction["scores"] for prediction in predictions], calibration.get(TEMPERATURE)),
                strict=True,
            )
        ]
        if self.kind == "single_label":
            return finished
        threshold = calibration.get(LABEL_THRESHOLD, self.threshold or EVEN_ODDS)
        return [{**prediction, "label": labels_from(prediction["scores"], threshold)} for prediction in finished]

    @override
    def calibration_error(self, rows: Sequence[Text], predictions: Sequence[Prediction]) -> float | None:
        if self.kind != "single_label":
            return None
        right = [prediction["label"] == row.label for row, prediction in zip(rows, predictions, strict=True)]
        return reliability([prediction["scores"][prediction["label"]] for prediction in predictions], right).error

    @override
    def trained_head(self, labels: Sequence[str], problem_type: str | None) -> Head:
        usual = "regression" if len(labels) == 1 else "single_label"
        found = problem_type or PROBLEM_TYPES[usual if self.kind == "auto" else self.kind]
        if found not in PROBLEM_TYPES.values():
            known = ", ".join(PROBLEM_TYPES.values())
            raise InputError(f"its problem_type is '{found}', none of {known}")
        if (found == PROBLEM_TYPES["regression"]) != (len(labels) == 1) and found != PROBLEM_TYPES["multi_label"]:
            raise InputError(f"it has {len(labels)} outputs, which does not go with its problem_type '{found}'")
        return Head("AutoModelForSequenceClassification", tuple(labels), found)

    @override
    def as_trained(self, head: Head, thresholds: Mapping[str, float]) -> tuple[Self, list[str]]:
        kinds = {problem_type: kind for kind, problem_type in PROBLEM_TYPES.items()}
        kind = kinds[str(head.problem_type)]
        temperature = thresholds.get(TEMPERATURE, 1.0)
        if not 0 < temperature < np.inf:
            raise InputError(f"{TEMPERATURE} in its config.json is {temperature:g}: it must be more than 0")
        if self.kind not in ("auto", kind):
            raise InputError(f"task.kind={self.kind}: the model was trained for {kind}")
        return replace(self, kind=kind), []

    @override
    def calibration(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Return the one that goes with the kind of labels, if the user has not set another one."""
        found = super().calibration(thresholds)
        wanted = {"single_label": TEMPERATURE, "multi_label": None if self.threshold else LABEL_THRESHOLD}.get(
            self.kind
        )
        return {name: value for name, value in found.items() if name == wanted}

    @override
    def values_of(self, item: Any) -> dict[str, Any]:
        if isinstance(item, str):
            return {"text": item}
        if isinstance(item, list | tuple) and len(item) == 2 and all(isinstance(text, str) for text in item):
            return {"sentence1": item[0], "sentence2": item[1]}
        if isinstance(item, Mapping):
            return dict(item)
        raise ValueError(f"{str(item)[:40]!r} is neither a text, nor a pair of texts, nor a dict")

    @override
    def cells(self, answer: Prediction) -> dict[str, Any]:
        """Return the label, several as a list, and the probability of a single one."""
        label = answer["label"]
        score = {"score": answer["scores"][label]} if self.kind == "single_label" else {}
        return {"prediction": label, **score}

    @override
    def inputs(self) -> Sequence[str]:
        return ("text", "text_pair")

    @override
    def gold(self, row: Text) -> Any:
        return list(row.labels) if self.kind == "multi_label" else row.label

    @override
    def parts(self, row: Text) -> tuple[str, ...]:
        """Return both texts of a pair: many pairs have the first one in common."""
        return (row.text,) if row.text_pair is None else (row.text, row.text_pair)

    @override
    def same_gold(self, row: Text) -> Hashable:
        """Return the label; several ones in any order."""
        return frozenset(row.label) if isinstance(row.label, tuple) else row.label

    @override
    def labels_something(self, row: Text) -> bool:
        return row.label not in (None, ())

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
            return multilabel_scores(predicted, gold, labels=self._scored_labels(rows, head))
        return label_scores(predicted, gold, labels=self._scored_labels(rows, head))

    @override
    def rescore(
        self, rows: Sequence[Text], predictions: Sequence[Prediction], head: Head, units: Sequence[int]
    ) -> Rescore:
        predicted = [prediction["label"] for prediction in predictions]
        gold = [self.gold(row) for row in rows]
        if self.kind == "regression":
            return regression_rescore(predicted, gold, units)
        if self.kind == "multi_label":
            return multilabel_rescore(predicted, gold, self._scored_labels(rows, head), units)
        return label_rescore(predicted, gold, units)

    @override
    def stored_row(self, line: Mapping[str, Any]) -> Text:
        gold = line["gold"]
        return Text(str(line["id"]), "", None, tuple(gold) if isinstance(gold, list) else gold, STORED)

    @override
    def as_scored(self, lines: Sequence[Mapping[str, Any]], scores: Mapping[str, float]) -> Self:
        label = lines[0]["prediction"]["label"]
        kind = "multi_label" if isinstance(label, list) else "single_label" if isinstance(label, str) else "regression"
        return replace(self, kind=kind)

    @override
    def analyse(self, lines: Sequence[Line], head: Head, calibration: Mapping[str, float]) -> Analysis:
        return analyse_texts(lines, self.kind, self._rescore_places(lines, head), calibration.get(TEMPERATURE))

    @override
    def baselines(self, train: Sequence[Text], rows: Sequence[Text]) -> dict[str, list[Prediction]]:
        found = text_baselines(
            self.kind, list(map(_content, train)), list(map(self.gold, train)), list(map(_content, rows))
        )
        return {name: [{"label": label} for label in labels] for name, labels in found.items()}

    @override
    def sameness(self, rows: Sequence[Text], predictions: Sequence[Prediction]) -> str | None:
        labels, gold = [prediction["label"] for prediction in predictions], list(map(self.gold, rows))
        if any(label != labels[0] for label in labels) or all(one == gold[0] for one in gold):
            return None
        return f"predicts {labels[0]!r} for every row"

    def _scored_labels(self, rows: Sequence[Text], head: Head) -> list[str]:
        """Return the head's labels, and those that only these rows have, which no prediction can hit."""
        return list(dict.fromkeys((*head.labels, *(label for row in rows for label in row.labels))))

    @override
    def objective_score(self) -> Score:
        return score_named(self.objective or OBJECTIVES[self.kind])

    @override
    def judged_on(self, rows: int) -> tuple[Self, str | None]:
        if self.kind != "regression" or self.objective is not None or rows >= FEWEST_TO_JUDGE_BY_CORRELATION:
            return self, None
        note = f"judged by rmse: a correlation of {rows} row{'' if rows == 1 else 's'} says nothing (task.objective)"
        return replace(self, objective="rmse"), note

    @override
    def headline(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.objective_score().name, *HEADLINES[self.kind])))

    @override
    def identity(self, row: Text) -> Hashable:
        return row.text, row.text_pair

    @override
    def form(self, row: Text) -> str:
        return "single texts" if row.text_pair is None else "pairs of texts"

    @override
    def stratum(self, row: Text) -> Hashable | None:
        """Return the label, the tuple of all labels of a multi-label row, or None for a number."""
        return None if self.kind == "regression" else row.label


def _content(row: Text) -> str:
    return row.text if row.text_pair is None else f"{row.text} {row.text_pair}"


def _natural(label: str) -> tuple[int, float, str]:
    """Return a sort key that puts whole numbers, by value, before all names."""
    return (0, float(label), "") if label.lstrip("-").isdecimal() else (1, 0.0, label)
