"""Named-entity recognition: a tag for each word.

One row: `Sentence(tokens=("Mara", "Lindqvist", "joined", "Northgate"), tags=("B-person", "I-person", "O", "B-firm"))`
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from typing_extensions import override

from tasks.collation import model_inputs, padded
from tasks.columns import IGNORED_LABEL, LABELS, ROW, WORDS
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import did_you_mean
from tasks.scoring.entities import entity_scores
from tasks.scoring.score import Score, score_named
from tasks.tags import SCHEMES, detect_scheme, spans, split_tag, to_iob2
from tasks.task import Batch, Collate, Features, Head, Layout, Outputs, Prediction, Task, column, row_id
from tasks.tokenization import separate_words
from tasks.windows import NO_WORD, own_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKEN_COLUMNS = ("tokens", "words")
TAG_COLUMNS = ("tags", "ner_tags", "labels")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and their IOB2 tags."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    origin: Origin


@dataclass
class Ner(Task[Sentence]):
    """Options of named-entity recognition."""

    name: str = "ner"
    scheme: str = "auto"
    "Tag scheme of the files: iob1, iob2, bioes, bare (types without prefixes), or auto."
    stride: int = 64
    "Tokens that neighbouring windows of a long sentence share."
    label_all_subwords: bool = False
    "Train on each sub-word of a word. false: only on the first. Predictions come from the first sub-word in any case."

    @override
    def errors(self) -> Iterator[str]:
        if self.scheme not in SCHEMES:
            yield f"task.scheme={self.scheme}: choose from {', '.join(SCHEMES)}.{did_you_mean(self.scheme, SCHEMES)}"
        if self.stride < 0:
            yield f"task.stride={self.stride}: must be 0 or more"

    @override
    def resolve_auto(self, train: Sequence[Record], layout: Layout) -> Self:
        if self.scheme != "auto" or not train:
            return self
        tags_column = column(train[0], _column_name(layout.columns.tags), TAG_COLUMNS, "data.columns.tags")
        sentences = ([str(tag) for tag in _words(record.values.get(tags_column)) or ()] for record in train)
        return replace(self, scheme=detect_scheme(_named(tags, layout) for tags in sentences))

    @override
    def read(self, records: Sequence[Record], layout: Layout, report: ReadReport) -> list[Sentence]:
        rows: list[Sentence] = []
        if not records:
            return rows
        columns = layout.columns
        tokens_column = column(records[0], _column_name(columns.tokens), TOKEN_COLUMNS, "data.columns.tokens")
        tags_column = column(records[0], _column_name(columns.tags), TAG_COLUMNS, "data.columns.tags")
        for position, record in enumerate(records):
            tokens = _words(record.values.get(tokens_column))
            tags = _words(record.values.get(tags_column))
            fault = _fault(tokens, tags)
            if fault is not None:
                report.bad_row(*fault, record.origin)
                continue
            assert tokens is not None
            assert tags is not None
            try:
                written, repairs = to_iob2(_named([str(tag) for tag in tags], layout), self.scheme)
            except ValueError as error:
                report.bad_row("bad tag", f"{error} (task.scheme={self.scheme})", record.origin)
                continue
            if repairs:
                report.repair("illegal tag transition", f"{' '.join(map(str, tags))}", record.origin, repairs)
            words = tuple(str(token) for token in tokens)
            rows.append(Sentence(row_id(record, columns, position), words, tuple(written), record.origin))
        return rows

    @override
    def head(self, train: Sequence[Sentence], layout: Layout) -> Head:
        del layout
        types = sorted({split_tag(tag).type for row in train for tag in row.tags} - {""})
        labels = ("O", *(f"{prefix}-{kind}" for kind in types for prefix in ("B", "I")))
        return Head("AutoModelForTokenClassification", labels)

    @override
    def with_known_labels(self, rows: Sequence[Sentence], head: Head, report: ReadReport) -> list[Sentence]:
        labels = set(head.labels)
        kept = []
        for row in rows:
            strange = next((tag for tag in row.tags if tag not in labels), None)
            if strange is None:
                kept.append(row)
                continue
            kind = split_tag(strange).type
            types = sorted({split_tag(label).type for label in head.labels} - {""})
            message = f"entity type '{kind}' does not occur in training. Types: {', '.join(types)}"
            report.bad_row("unknown entity type", message + did_you_mean(kind, types), row.origin)
        return kept

    @override
    def adapt(self, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
        return separate_words(tokenizer)

    @override
    def encode(
        self, rows: Sequence[Sentence], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int
    ) -> Features:
        room = length - tokenizer.num_special_tokens_to_add()
        encoded = tokenizer(
            [list(row.tokens) for row in rows],
            is_split_into_words=True,
            truncation=True,
            max_length=length,
            stride=max(min(self.stride, room // 2), 0),
            return_overflowing_tokens=True,
        )
        row_of_window: list[int] = encoded.pop("overflow_to_sample_mapping")
        words_of_window = [encoded.word_ids(window) for window in range(len(row_of_window))]
        owned: list[list[int]] = []
        for first, last in _runs(row_of_window):
            owned += own_words(words_of_window[first:last])
        label_ids = {label: index for index, label in enumerate(head.labels)}
        features: Features = {name: list(encoded[name]) for name in tokenizer.model_input_names if name in encoded}
        features[ROW] = row_of_window
        features[WORDS] = owned
        features[LABELS] = [
            self._labels(rows[row].tags, all_words, own, label_ids)
            for row, all_words, own in zip(row_of_window, words_of_window, owned, strict=True)
        ]
        return features

    def _labels(
        self, tags: Sequence[str], words: Sequence[int | None], owned: Sequence[int], label_ids: Mapping[str, int]
    ) -> list[int]:
        labels = [IGNORED_LABEL if word == NO_WORD else label_ids[tags[word]] for word in owned]
        if self.label_all_subwords:
            here = {word for word in owned if word != NO_WORD}
            for position, word in enumerate(words):
                if word in here and labels[position] == IGNORED_LABEL:
                    tag = tags[word]
                    labels[position] = label_ids[f"I-{tag[2:]}" if tag.startswith("B-") else tag]
        return labels

    @override
    def collator(self, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None = None) -> Collate:
        """Pad inputs with the tokenizer's padding and labels with -100, on the tokenizer's padding side.

        Two windows of 3 and 2 tokens with labels [-100, 3, -100] and [-100, 0] give labels
        [[-100, 3, -100], [-100, 0, -100]].
        """

        def collate(windows: list[dict[str, Any]]) -> Batch:
            labels = padded([window[LABELS] for window in windows], IGNORED_LABEL, tokenizer, pad_to)
            return {**model_inputs(windows, tokenizer, pad_to), LABELS: labels}

        return collate

    @override
    def decode(
        self, rows: Sequence[Sentence], features: Mapping[str, Any], outputs: Outputs, head: Head
    ) -> list[Prediction]:
        tags = [["O"] * len(row.tokens) for row in rows]
        scores = [[1.0] * len(row.tokens) for row in rows]
        labels, probabilities = outputs["label"], outputs["probability"]
        for window, (row, words) in enumerate(zip(features[ROW], features[WORDS], strict=True)):
            at = np.flatnonzero(np.asarray(words) != NO_WORD)
            for word, label, probability in zip(
                np.asarray(words)[at].tolist(),
                np.asarray(labels[window])[at].tolist(),
                np.asarray(probabilities[window])[at].tolist(),
                strict=True,
            ):
                tags[row][word] = head.labels[label]
                scores[row][word] = probability
        return [
            _prediction(row.tokens, row_tags, row_scores)
            for row, row_tags, row_scores in zip(rows, tags, scores, strict=True)
        ]

    @override
    def inputs(self) -> Sequence[str]:
        return ("tokens",)

    @override
    def gold(self, row: Sentence) -> list[str]:
        return list(row.tags)

    @override
    def gold_prediction(self, row: Sentence) -> Prediction:
        return _prediction(row.tokens, row.tags, [1.0] * len(row.tokens))

    @override
    def score(self, rows: Sequence[Sentence], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        del head
        return entity_scores([prediction["tags"] for prediction in predictions], [list(row.tags) for row in rows])

    @override
    def objective_score(self) -> Score:
        return score_named(self.objective or "f1")

    @override
    def headline(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.objective_score().name, "f1", "precision", "recall")))

    @override
    def identity(self, row: Sentence) -> Hashable:
        tokens: tuple[str, ...] = row.tokens
        return tokens


def _prediction(tokens: Sequence[str], tags: Sequence[str], scores: Sequence[float]) -> Prediction:
    """Return legal IOB2 tags and their entities. An entity's score is the lowest probability of its words."""
    legal, _ = to_iob2(tags, "iob2")
    entities = [
        {
            "type": kind,
            "start": start,
            "end": end,
            "text": " ".join(tokens[start:end]),
            "score": round(min(scores[start:end]), 6),
        }
        for kind, start, end in spans(legal)
    ]
    return {"tags": legal, "entities": entities}


def _runs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each run of equal values. All windows of a row form one run."""
    first = 0
    for position in range(1, len(values) + 1):
        if position == len(values) or values[position] != values[first]:
            yield first, position
            first = position


def _words(value: Any) -> Sequence[Any] | None:
    """Return the words of a cell: a list unchanged, or a text split at white space."""
    if isinstance(value, str):
        return value.split()
    return value if isinstance(value, list | tuple) else None


def _fault(tokens: Sequence[Any] | None, tags: Sequence[Any] | None) -> tuple[str, str] | None:
    if tokens is None or tags is None:
        missing = "tokens" if tokens is None else "tags"
        return f"no {missing}", f"the {missing} are neither a list nor a text of words"
    if not tokens:
        return "empty sentence", "the sentence has no words"
    if len(tokens) != len(tags):
        return "unequal tokens and tags", f"{len(tokens)} tokens but {len(tags)} tags"
    blank = next((index for index, token in enumerate(tokens) if token is None or not str(token).strip()), None)
    return None if blank is None else ("blank token", f"token {blank + 1} is blank")


def _named(tags: Sequence[str], layout: Layout) -> list[str]:
    """Replace tag numbers by names where the data set lists names."""
    names = layout.label_names
    if not names:
        return list(tags)
    return [names[int(tag)] if tag.isdecimal() and int(tag) < len(names) else tag for tag in tags]


def _column_name(wanted: str | None) -> str | None:
    """Return the column name, or None for a number: records of CoNLL files always use the usual names."""
    return None if wanted is not None and wanted.lstrip("-").isdecimal() else wanted
