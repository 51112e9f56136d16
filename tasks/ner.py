"""Named-entity recognition: a tag for each word.

One row: `Sentence(tokens=("Mara", "Lindqvist", "joined", "Northgate"), tags=("B-person", "I-person", "O", "B-firm"))`
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from typing_extensions import override

from tasks.analysis.entities import analyse_entities
from tasks.analysis.parts import Analysis, Line
from tasks.baselines.words import tags_by_word, unseen_entities, unseen_share
from tasks.collation import model_inputs, padded
from tasks.columns import IGNORED_LABEL, LABELS, ROW, WORDS
from tasks.data.annotation.spans import read_spans
from tasks.data.cells import is_blank, read_printed
from tasks.data.records import STORED, BadRowError, Origin, ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.ner_records import (
    NerColumns,
    documents_of,
    find_columns,
    grouped_tokens,
    read_tags,
    read_words,
    token_bounds,
)
from tasks.plausibility import Finding, entity_findings, own_type_findings, word_findings
from tasks.portions import overlapping_parts, portions_of
from tasks.record_columns import row_id
from tasks.scoring.entities import entity_rescore, entity_scores
from tasks.scoring.resampling import Rescore
from tasks.scoring.score import Score, score_named
from tasks.span_tags import CUT_WORDS, DISCONTINUOUS, OVERLAPPING, WIDENED, SpanPolicy, tags_of_spans
from tasks.tags import OUTSIDE, SCHEMES, Span, detect_scheme, iob2_labels, spans, split_tag, to_iob2
from tasks.task import Batch, Collate, Features, Head, Layout, Outputs, Prediction, Task
from tasks.tokenization import separate_words
from tasks.windows import NO_WORD, own_words
from tasks.word_borders import WordBorders, learn_borders
from tasks.words import WORD_RULES, Bounds

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WORDS_AT_ONCE = 100_000
"""Most words that the tokenizer is given at once, as it takes hundreds of bytes a token. A row of more is encoded
in parts that overlap as windows do, and its words are shared out among the windows of all parts."""
PART_OVERLAP = 500
"Words that neighbouring parts share."
LEAST = 1e-4
"Probabilities below it are not kept for an audit: of dozens of tags, most of nearly all words are."
WORDS_CHOICES = ("auto", "borders", *WORD_RULES)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and their IOB2 tags, and the text that the words were cut from, if the file has it."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None
    "One for each word. None: the file has no labels."
    origin: Origin
    text: str | None = None
    offsets: tuple[Bounds, ...] | None = None
    "The first character of each word in the text, and the one after its last."
    document: str | None = None
    "What it is a sentence of, if the file tells."


@dataclass
class Ner(Task[Sentence]):
    """Options of named-entity recognition."""

    # Rare types that only the test rows have are usual, and count as missed in the scores of conlleval.
    unknown_label_policy: ClassVar[str] = "count"

    texts: ClassVar[tuple[str, ...]] = ("text", "tokens", "offsets")
    head_class: ClassVar[str] = "ForTokenClassification"
    pipeline: ClassVar[str] = "token-classification"
    takes_pairs: ClassVar[bool] = False
    tags_words: ClassVar[bool] = True
    audit_options: ClassVar[tuple[str, ...]] = ("word_scores=true",)
    unit: ClassVar[str] = "document"
    # One mark at the beginning of a file, as some programs write, is no document; and a handful tells no interval.
    fewest_groups: ClassVar[int] = 10

    name: str = "ner"
    scheme: str = "auto"
    "Tag scheme of the files: iob1, iob2, bioes, bare (types without prefixes), or auto."
    words: str = "auto"
    """How a text is cut into words: unicode (runs of letters and digits; every other character, and every one in
    Chinese and the like, is a word of its own), blanks, borders (at blanks, without the punctuation at the ends, as in
    `word_borders`), or auto (borders as the training rows show them if they are lists of words, else unicode)."""
    word_borders: Any = None
    "What words=borders separates from words (`tasks.word_borders`). null: all signs at the ends. Found by words=auto."
    cut_words: str = "widen"
    "Entities by offsets that end inside of a word: widen takes the whole word and counts it; error refuses them."
    overlapping_spans: str = "error"
    "Entities by offsets that overlap: error refuses them; longest keeps the longer ones and counts the others."
    discontinuous_spans: str = "error"
    "Entities with gaps: error refuses them; cover takes what is in the gap, too, and skip leaves them out; both count."
    stride: int = 64
    "Tokens that neighbouring windows of a long sentence share."
    word_scores: bool = False
    "Keep the probabilities of all tags of each word in predictions, as `recipes.audit` needs them."
    label_all_subwords: bool = False
    "Train on each sub-word of a word. false: only on the first. Predictions come from the first sub-word in any case."

    @override
    def errors(self) -> Iterator[str]:
        for key, value, choices in (
            ("scheme", self.scheme, SCHEMES),
            ("words", self.words, WORDS_CHOICES),
            ("cut_words", self.cut_words, CUT_WORDS),
            ("overlapping_spans", self.overlapping_spans, OVERLAPPING),
            ("discontinuous_spans", self.discontinuous_spans, DISCONTINUOUS),
        ):
            if value not in choices:
                yield f"task.{key}={value}: choose from {', '.join(choices)}.{did_you_mean(value, choices)}"
        if self.stride < 0:
            yield f"task.stride={self.stride}: must be 0 or more"
        if self.word_borders is not None:
            try:
                WordBorders.from_json(self.word_borders)
            except ValueError as error:
                yield f"task.word_borders: {error}. It is found by task.words=auto, and needs not be set"

    @override
    def resolve_auto(self, train: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        if not train:
            return self
        train = grouped_tokens(train, layout.columns)
        columns = find_columns(train, layout.columns)
        return replace(
            self, **self._words_as_in(train, columns), scheme=self._scheme_of(train, columns, layout, report)
        )

    def _words_as_in(self, train: Sequence[Record], columns: NerColumns) -> dict[str, Any]:
        """Return how texts are cut into words, so that a model gets the words of new texts as those of its training."""
        if self.words != "auto":
            return {}
        if columns.text is not None or columns.tokens is None:
            return {"words": "unicode"}
        sentences = (_readable_words(record.values.get(columns.tokens)) for record in train)
        return {"words": "borders", "word_borders": learn_borders(sentences).to_json()}

    def _scheme_of(self, train: Sequence[Record], columns: NerColumns, layout: Layout, report: ReadReport) -> str:
        if self.scheme != "auto":
            return self.scheme
        if columns.tags is None:
            return "iob2"
        sentences = [_readable_tags(record.values.get(columns.tags), layout) for record in train]
        scheme = detect_scheme(sentences)
        if scheme != "bare":
            odd = sorted({tag for tags in sentences for tag in tags if tag != "O" and tag[1:2] != "-"})
            if odd:
                report.note(
                    f"tags such as {', '.join(odd[:3])} are read as {', '.join(_usual(tag) for tag in odd[:3])}"
                )
        return scheme

    @override
    def as_labels_are_written(self, records: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        """Return this task with the tag scheme of a file, unless all its tags are legal in that of training."""
        records = grouped_tokens(records, layout.columns)
        columns = find_columns(records, layout.columns)
        if columns.tags is None:
            return self
        tags = [_readable_tags(record.values.get(columns.tags), layout) for record in records]
        if all(_is_legal(of_sentence, self.scheme) for of_sentence in tags):
            return self
        found = replace(self, scheme="auto")._scheme_of(records, columns, layout, report)
        if found != self.scheme:
            report.note(f"the labels are read as {found} tags; those of training were {self.scheme}")
        return replace(self, scheme=found)

    @override
    def has_labels(self, records: Sequence[Record], layout: Layout) -> bool:
        records = grouped_tokens(records, layout.columns)
        columns = find_columns(records, layout.columns, labelled=False)
        name = columns.tags or columns.spans
        return name is not None and any(not is_blank(record.values.get(name)) for record in records)

    @override
    def read(
        self, records: Sequence[Record], layout: Layout, report: ReadReport, *, labelled: bool = True
    ) -> list[Sentence]:
        rows: list[Sentence] = []
        if not records:
            return rows
        records = grouped_tokens(records, layout.columns)
        columns = find_columns(records, layout.columns, labelled=labelled)
        documents = documents_of(records, layout.columns, report)
        for position, (record, document) in enumerate(zip(records, documents, strict=True)):
            name = row_id(record, layout.columns, position)
            try:
                if columns.text is not None:
                    row = self._of_text(record, name, columns, report, labelled)
                else:
                    row = self._of_tokens(record, name, columns, layout, report, labelled)
                rows.append(row if document is None else replace(row, document=document))
            except BadRowError as error:
                report.bad_row(error.reason, str(error), record.origin)
        entities = sum(tag.startswith("B-") for row in rows if row.text is not None for tag in row.tags or ())
        widened = report.repaired.get(WIDENED, 0)
        if widened > entities / 2:
            report.note(f"{widened} entities end inside of words: is the end in the file that of the last character?")
        return rows

    def _of_tokens(
        self, record: Record, name: str, columns: NerColumns, layout: Layout, report: ReadReport, labelled: bool
    ) -> Sentence:
        assert columns.tokens is not None
        try:
            words = read_words(record.values.get(columns.tokens))
        except ValueError as error:
            raise BadRowError("no tokens", str(error)) from error
        if not words:
            raise BadRowError("empty sentence", "the sentence has no words")
        blank = sum(not word.strip() for word in words)
        if blank == len(words):
            raise BadRowError("empty sentence", "all words are blank")
        if blank:
            report.repair("blank token", f"{blank} of {len(words)} tokens are blank", record.origin, blank)
        if not labelled or columns.tags is None:
            return Sentence(name, tuple(words), None, record.origin)
        try:
            tags = read_tags(record.values.get(columns.tags), layout.label_names)
        except ValueError as error:
            raise BadRowError("bad tag", str(error)) from error
        if len(words) != len(tags):
            raise BadRowError("unequal tokens and tags", f"{len(words)} tokens but {len(tags)} tags")
        try:
            written, repairs = to_iob2(tags, self.scheme)
        except ValueError as error:
            raise BadRowError("bad tag", f"{error} (task.scheme={self.scheme})") from error
        if repairs:
            report.repair("illegal tag transition", " ".join(tags), record.origin, repairs)
        return Sentence(name, tuple(words), tuple(written), record.origin)

    def _of_text(self, record: Record, name: str, columns: NerColumns, report: ReadReport, labelled: bool) -> Sentence:
        assert columns.text is not None
        text = record.values.get(columns.text)
        if is_blank(text):
            raise BadRowError("empty text", f"column '{columns.text}' is empty")
        if not isinstance(text, str):
            raise BadRowError("bad text", f"column '{columns.text}' is {str(text)[:40]!r}, not a text")
        try:
            words = self._bounds(text, record.values.get(columns.tokens) if columns.tokens else None)
            if not words:
                raise BadRowError("empty text", "the text has no words")
            tags = None
            if labelled and columns.spans is not None:
                cell = read_printed(record.values.get(columns.spans))
                found = read_spans(None if is_blank(cell) else cell)
                policy = SpanPolicy(self.cut_words, self.overlapping_spans, self.discontinuous_spans)
                tags = tuple(tags_of_spans(text, words, found, policy, report, record.origin))
        except ValueError as error:
            raise BadRowError("bad entity", str(error)) from error
        tokens = tuple(text[start:end] for start, end in words)
        return Sentence(name, tokens, tags, record.origin, text, tuple(words))

    def _bounds(self, text: str, tokens: Any) -> list[Bounds]:
        """Return the bounds of the words: those of the file's own tokens if it has offsets for them."""
        if tokens:
            return token_bounds(text, tokens)
        if self.words == "borders":
            borders = WordBorders() if self.word_borders is None else WordBorders.from_json(self.word_borders)
            return borders.words(text)
        return WORD_RULES["unicode" if self.words == "auto" else self.words](text)

    @override
    def head(self, train: Sequence[Sentence], layout: Layout) -> Head:
        del layout
        tags = {tag for row in train for tag in row.tags or ()}
        types = sorted({split_tag(tag).type for tag in tags} - {""})
        if not types:
            raise InputError("Training rows have no entity: all tags are O. Is data.columns.tags the right column?")
        labels = ("O", *(f"{prefix}-{kind}" for kind in types for prefix in ("B", "I")))
        return Head("AutoModelForTokenClassification", labels)

    @override
    def with_groups_that_count(self, rows: list[Sentence]) -> list[Sentence]:
        if len({row.document for row in rows} - {None}) >= self.fewest_groups:
            return rows
        return [row if row.document is None else replace(row, document=None) for row in rows]

    @override
    def unknown_labels(self, row: Sentence, head: Head) -> list[str]:
        labels = set(head.labels)
        return list(dict.fromkeys(split_tag(tag).type for tag in row.tags or () if tag not in labels))

    @override
    def unknown_label_message(self, label: str, head: Head) -> str:
        types = sorted({split_tag(known).type for known in head.labels} - {""})
        return f"entity type '{label}' does not occur in training. Types: {', '.join(types)}" + did_you_mean(
            label, types
        )

    @override
    def label_counts(self, rows: Sequence[Sentence]) -> dict[str, int]:
        return dict(sorted(Counter(kind for row in rows for kind, _, _ in spans(row.tags or ())).items()))

    @override
    def why_unbalanced(self) -> str | None:
        return (
            "a sentence may have entities of several types, or none. To count rare types more: "
            "hparams.class_weights=balanced; what the model finds hard: hparams.focal=2"
        )

    @override
    def findings(self, train: Sequence[Sentence]) -> Iterator[Finding]:
        yield from word_findings([row.tokens for row in train])
        yield from entity_findings([row.tags or () for row in train])
        yield from own_type_findings(
            ("".join(row.tokens[start:end]), kind) for row in train for kind, start, end in spans(row.tags or ())
        )

    @override
    def adapt(self, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
        return separate_words(tokenizer)

    @override
    def encode(
        self, rows: Sequence[Sentence], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int
    ) -> Features:
        room = length - tokenizer.num_special_tokens_to_add()
        features: Features = {}
        row_of_window: list[int] = []
        words_of_window: list[list[int | None]] = []
        parts = [
            (row, part)
            for row in range(len(rows))
            for part in overlapping_parts(len(rows[row].tokens), WORDS_AT_ONCE, PART_OVERLAP)
        ]
        for portion in portions_of(parts, lambda part: part[1][1] - part[1][0], WORDS_AT_ONCE):
            encoded = tokenizer(
                [list(rows[row].tokens[start:end]) for row, (start, end) in portion],
                is_split_into_words=True,
                truncation=True,
                max_length=length,
                stride=max(min(self.stride, room // 2), 0),
                return_overflowing_tokens=True,
            )
            for window, part in enumerate(encoded.pop("overflow_to_sample_mapping")):
                row, (first, _) = portion[part]
                words = encoded.word_ids(window)
                row_of_window.append(row)
                words_of_window.append([None if word is None else word + first for word in words] if first else words)
            for name in tokenizer.model_input_names:
                if name in encoded:
                    features.setdefault(name, []).extend(encoded[name])
        owned: list[list[int]] = []
        for first, last in _runs(row_of_window):
            owned += own_words(words_of_window[first:last])
        label_ids = {label: index for index, label in enumerate(head.labels)}
        features[ROW] = row_of_window
        features[WORDS] = owned
        features[LABELS] = [
            self._labels(rows[row].tags, all_words, own, label_ids)
            for row, all_words, own in zip(row_of_window, words_of_window, owned, strict=True)
        ]
        return features

    def _labels(
        self,
        tags: Sequence[str] | None,
        words: Sequence[int | None],
        owned: Sequence[int],
        label_ids: Mapping[str, int],
    ) -> list[int]:
        if tags is None:
            return [IGNORED_LABEL] * len(owned)
        # Types that training does not know have no index. They count in the scores, but not in the loss.
        labels = [IGNORED_LABEL if word == NO_WORD else label_ids.get(tags[word], IGNORED_LABEL) for word in owned]
        if self.label_all_subwords:
            here = {word for word in owned if word != NO_WORD}
            for position, word in enumerate(words):
                if word in here and labels[position] == IGNORED_LABEL:
                    tag = tags[word]
                    inside = f"I-{tag[2:]}" if tag.startswith("B-") else tag
                    labels[position] = label_ids.get(inside, IGNORED_LABEL)
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
        tags: list[list[str | None]] = [[None] * len(row.tokens) for row in rows]
        scores = [[1.0] * len(row.tokens) for row in rows]
        all_scores: list[list[dict[str, float]]] = [[{}] * len(row.tokens) for row in rows] if self.word_scores else []
        labels, probabilities = outputs["label"], outputs["probability"]
        for window, (row, words) in enumerate(zip(features[ROW], features[WORDS], strict=True)):
            at = np.flatnonzero(np.asarray(words) != NO_WORD)
            if self.word_scores:
                for word, of_word in zip(np.asarray(words)[at], outputs["probabilities"][window][at], strict=True):
                    all_scores[row][word] = _worth_keeping(of_word, head.labels)
            for word, label, probability in zip(
                np.asarray(words)[at].tolist(),
                np.asarray(labels[window])[at].tolist(),
                np.asarray(probabilities[window])[at].tolist(),
                strict=True,
            ):
                tags[row][word] = head.labels[label]
                scores[row][word] = probability
        predictions = [
            _prediction(row, _with_unseen_words(row_tags), row_scores)
            for row, row_tags, row_scores in zip(rows, tags, scores, strict=True)
        ]
        for prediction, of_row in zip(predictions, all_scores, strict=False):
            prediction["scores"] = [
                of_word or {tag: 1.0} for tag, of_word in zip(prediction["tags"], of_row, strict=True)
            ]
        return predictions

    @override
    def window_counts(self, rows: Sequence[Sentence], features: Mapping[str, Any]) -> dict[str, int]:
        seen = sum(int((np.asarray(words) != NO_WORD).sum()) for words in features[WORDS])
        return {"words": sum(len(row.tokens) for row in rows), "words seen": seen}

    @override
    def window_notes(self, counts: Mapping[str, int]) -> Iterator[str]:
        words, unseen = counts["words"], counts["words"] - counts["words seen"]
        if unseen:
            yield (
                f"{unseen} of {words} words are nothing to this tokenizer, such as zero-width characters. "
                "They go on with the entity of the word before them"
            )

    @override
    def trained_head(self, labels: Sequence[str], problem_type: str | None) -> Head:
        """Return the head with labels of any scheme written as those of IOB2 that decoding reads in the same way."""
        del problem_type
        if not set(labels) & set(OUTSIDE):
            raise InputError(
                f"none of its labels is O ({', '.join(labels[:5])}, ...), so that it finds no entities. If O and the "
                "types are only not named: 'data.label_names=[O,B-person,I-person]'"
            )
        return Head("AutoModelForTokenClassification", iob2_labels(labels))

    @override
    def as_trained(self, head: Head, thresholds: Mapping[str, float]) -> tuple[Self, list[str]]:
        return replace(self, words="borders" if self.words == "auto" else self.words), []

    @override
    def values_of(self, item: Any) -> dict[str, Any]:
        if isinstance(item, str):
            return {"text": item}
        if isinstance(item, list | tuple) and all(isinstance(word, str) for word in item):
            return {"tokens": list(item)}
        if isinstance(item, Mapping):
            return dict(item)
        raise ValueError(f"{str(item)[:40]!r} is neither a text, nor a list of words, nor a dict")

    @override
    def answer(self, row: Sentence, prediction: Prediction) -> Prediction:
        """Return entities alone for a text: tags are for words, which it was not given as."""
        return prediction if row.text is None else {"entities": prediction["entities"]}

    @override
    def cells(self, answer: Prediction) -> dict[str, Any]:
        return {"entities": answer["entities"]}

    @override
    def whole_records(self, records: Sequence[Record], layout: Layout, *, parts: bool = False) -> list[Record]:
        """Return a record for each sentence, also of a table with a token in each row, whose columns become lists."""
        return grouped_tokens(records, layout.columns, certain=parts, with_others=True)

    @override
    def inputs(self) -> Sequence[str]:
        return ("text", "tokens")

    @override
    def content(self, row: Sentence) -> str:
        return " ".join(row.tokens) if row.text is None else row.text

    @override
    def gold(self, row: Sentence) -> list[str]:
        return list(row.tags or ())

    @override
    def similar_gold(self, row: Sentence) -> Hashable:
        """Return the entities in order: in sentences that are nearly the same, they may stand at other places."""
        return tuple((kind, row.tokens[start:end]) for kind, start, end in spans(row.tags or ()))

    @override
    def labels_something(self, row: Sentence) -> bool:
        return any(tag != "O" for tag in row.tags or ())

    @override
    def gold_prediction(self, row: Sentence) -> Prediction:
        return _prediction(row, self.gold(row), [1.0] * len(row.tokens))

    @override
    def score(self, rows: Sequence[Sentence], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        del head
        return entity_scores([prediction["tags"] for prediction in predictions], list(map(self.gold, rows)))

    @override
    def rescore(
        self, rows: Sequence[Sentence], predictions: Sequence[Prediction], head: Head, units: Sequence[int]
    ) -> Rescore:
        del head
        return entity_rescore([prediction["tags"] for prediction in predictions], list(map(self.gold, rows)), units)

    @override
    def stored_row(self, line: Mapping[str, Any]) -> Sentence:
        return Sentence(str(line["id"]), ("",) * len(line["gold"]), tuple(line["gold"]), STORED)

    @override
    def traits(self, train: Sequence[Sentence], rows: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Return also for each gold entity whether its words are no entity in training, as `unseen`."""
        unseen = unseen_entities(*([(row.tokens, row.tags or ()) for row in some] for some in (train, rows)))
        return [{**one, "unseen": flags} for one, flags in zip(super().traits(train, rows), unseen, strict=True)]

    @override
    def analyse(self, lines: Sequence[Line], head: Head, calibration: Mapping[str, float]) -> Analysis:
        del calibration
        return analyse_entities(lines, self._rescore_places(lines, head))

    @override
    def baselines(self, train: Sequence[Sentence], rows: Sequence[Sentence]) -> dict[str, list[Prediction]]:
        known = tags_by_word([(row.tokens, row.tags or ()) for row in train], [row.tokens for row in rows])
        found = {"no entities": [["O"] * len(row.tokens) for row in rows], "known words": known}
        return {
            name: [_prediction(row, of_row, [1.0] * len(of_row)) for row, of_row in zip(rows, tags, strict=True)]
            for name, tags in found.items()
        }

    @override
    def unseen_share(self, train: Sequence[Sentence], rows: Sequence[Sentence]) -> float | None:
        """Return the share of entities whose words are no entity in training."""
        return unseen_share(*([(row.tokens, row.tags or ()) for row in some] for some in (train, rows)))

    @override
    def sameness(self, rows: Sequence[Sentence], predictions: Sequence[Prediction]) -> str | None:
        if any(prediction["entities"] for prediction in predictions) or not any(map(self.labels_something, rows)):
            return None
        return "finds no entity"

    @override
    def objective_score(self) -> Score:
        return score_named(self.objective or "f1")

    @override
    def headline(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.objective_score().name, "f1", "precision", "recall")))

    @override
    def group(self, row: Sentence) -> Hashable | None:
        """Return the document, so that all its sentences stay in one split."""
        return row.document

    @override
    def identity(self, row: Sentence) -> Hashable:
        tokens: tuple[str, ...] = row.tokens
        return tokens


def _with_unseen_words(tags: Sequence[str | None]) -> list[str]:
    """Return the tags with those of words that have no token: such a word goes on with the entity before it."""
    filled: list[str] = []
    for tag in tags:
        if tag is None:
            kind = split_tag(filled[-1]).type if filled else ""
            tag = f"I-{kind}" if kind else "O"
        filled.append(tag)
    return filled


def _worth_keeping(probabilities: "np.ndarray[Any, Any]", labels: Sequence[str]) -> dict[str, float]:
    """Return the tags of a word that are not all but impossible, with their probabilities."""
    return {
        labels[place]: round(float(probabilities[place]), 5)
        for place in np.flatnonzero(probabilities >= LEAST).tolist()
    }


def _prediction(row: Sentence, tags: Sequence[str], scores: Sequence[float]) -> Prediction:
    """Return legal IOB2 tags and their entities. An entity's score is the lowest probability of its words.

    `start` and `end` count characters of the row's text, or words where the row has no text.
    """
    legal, _ = to_iob2(tags, "iob2")
    return {"tags": legal, "entities": [_entity(row, span, scores) for span in spans(legal)]}


def _entity(row: Sentence, span: Span, scores: Sequence[float]) -> dict[str, Any]:
    kind, start, end = span
    score = round(min(scores[start:end]), 6)
    if row.text is None or row.offsets is None:
        return {"type": kind, "start": start, "end": end, "text": " ".join(row.tokens[start:end]), "score": score}
    first, last = row.offsets[start][0], row.offsets[end - 1][1]
    return {"type": kind, "start": first, "end": last, "text": row.text[first:last], "score": score}


def _runs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each run of equal values. All windows of a row form one run."""
    first = 0
    for position in range(1, len(values) + 1):
        if position == len(values) or values[position] != values[first]:
            yield first, position
            first = position


def _readable_words(cell: Any) -> list[str]:
    """Return the words of a cell, or none if they can't be read, which `read` reports."""
    try:
        return read_words(cell)
    except ValueError:
        return []


def _readable_tags(cell: Any, layout: Layout) -> list[str]:
    """Return the tags of a cell, or none if they can't be read, which `read` reports."""
    try:
        return read_tags(cell, layout.label_names)
    except ValueError:
        return []


def _is_legal(tags: Sequence[str], scheme: str) -> bool:
    """Tell whether tags of a sentence fit a scheme as they are."""
    try:
        return scheme != "auto" and to_iob2(tags, scheme)[1] == 0
    except ValueError:
        return False


def _usual(tag: str) -> str:
    """Return a tag as it is usually written; unchanged if it can't be read."""
    try:
        prefix, kind = split_tag(tag)
    except ValueError:
        return tag
    return f"{prefix}-{kind}" if kind else "O"
