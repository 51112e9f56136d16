"""Extractive question answering: find the span of a passage that answers a question, or say that there is none.

One row: `Question(question="Who signs travel claims?", context="Claims are signed by the head of unit ...",
answers=("the head of unit",), starts=(21,))`; a question without an answer has empty `answers`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from typing_extensions import override

from tasks.analysis.answers import analyse_answers
from tasks.analysis.parts import Analysis, Line
from tasks.answers import located, occurrences, read_answers
from tasks.baselines.passages import best_sentences, sentence_bounds
from tasks.collation import model_inputs, padded, stacked
from tasks.columns import CANDIDATES, CUT, END, LABELS, NO_CANDIDATE, ROW, START
from tasks.data.cells import is_blank
from tasks.data.records import STORED, Origin, ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.passages import Asked, encode_passages
from tasks.plausibility import Finding, question_findings
from tasks.qa_records import QuestionColumns, find_columns, has_no_answer, says_impossible
from tasks.record_columns import row_id
from tasks.scoring.resampling import Rescore
from tasks.scoring.score import Score, score_named
from tasks.scoring.squad import best_threshold, question_scores, squad_rescore, squad_scores
from tasks.task import Batch, Collate, Features, Head, Layout, Outputs, Prediction, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VERSIONS = ("auto", "v1.1", "v2.0")
IMPOSSIBLE_ANSWERS = ("error", "ignore", "use")
LONGEST_SENTENCE = 300
"Characters that are kept of the sentence of an answer."
NO_ANSWER_THRESHOLD = "no_answer_threshold"
"Key of the calibrated threshold in the model's config: answer only if `no_answer_score` is at most this."


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its passage, and the accepted answers with their character offsets (none: unanswerable)."""

    id: str
    question: str
    context: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]
    title: str | None
    origin: Origin


@dataclass
class Qa(Task[Question]):
    """Options of extractive question answering."""

    unit: ClassVar[str] = "article"
    always_in_units: ClassVar[bool] = True
    point: ClassVar[float] = 1.0
    has_classes: ClassVar[bool] = False

    texts: ClassVar[tuple[str, ...]] = ("question", "context")
    head_class: ClassVar[str] = "ForQuestionAnswering"
    pipeline: ClassVar[str] = "question-answering"
    has_pipeline: ClassVar[bool] = False
    settled_options: ClassVar[tuple[str, ...]] = ("version",)
    thresholds: ClassVar[tuple[str, ...]] = (NO_ANSWER_THRESHOLD,)

    name: str = "qa"
    max_length: int | None = 384
    "Maximum number of tokens in a window: question, part of the passage, special tokens."
    stride: int = 128
    "Tokens that neighbouring windows of a long passage share."
    max_question_tokens: int = 64
    "Longer questions are cut to this number of tokens."
    max_answer_tokens: int = 30
    "Maximum number of tokens in a predicted answer."
    top_k: int = 1
    "How many answers a prediction lists under `candidates`, best first. 1: only the best one, without a list."
    version: str = "auto"
    "SQuAD rules: v1.1, v2.0 (also scores questions without an answer), or auto (v2.0 if training has such questions)."
    no_answer_threshold: float | None = None
    "v2.0: say that there is no answer if `no_answer_score` is above this. null: what gives the best F1 on validation."
    repair_answer_offsets: bool = False
    "Move an answer that is not at its offset to the nearest place where its text occurs. false: an error."
    impossible_answers: str = "error"
    "Answers of a question that is said to have none: error, ignore (leave them out), or use (take them)."

    @override
    def errors(self) -> Iterator[str]:
        if self.version not in VERSIONS:
            near = did_you_mean(self.version, VERSIONS)
            yield f"task.version={self.version}: choose from {', '.join(VERSIONS)}.{near}"
        if self.impossible_answers not in IMPOSSIBLE_ANSWERS:
            near = did_you_mean(self.impossible_answers, IMPOSSIBLE_ANSWERS)
            choices = ", ".join(IMPOSSIBLE_ANSWERS)
            yield f"task.impossible_answers={self.impossible_answers}: choose from {choices}.{near}"
        if self.max_answer_tokens < 1:
            yield f"task.max_answer_tokens={self.max_answer_tokens}: must be 1 or more"
        if self.top_k < 1:
            yield f"task.top_k={self.top_k}: must be 1 or more"
        if self.max_question_tokens < 1:
            yield f"task.max_question_tokens={self.max_question_tokens}: must be 1 or more"
        if self.stride < 0:
            yield f"task.stride={self.stride}: must be 0 or more"

    @override
    def resolve_auto(self, train: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        del report
        if self.version != "auto" or not train:
            return self
        columns = find_columns(train, layout.columns)
        unanswerable = any(says_impossible(record, columns) or has_no_answer(record, columns) for record in train)
        return replace(self, version="v2.0" if unanswerable else "v1.1")

    @override
    def variety(self) -> str:
        return self.version

    @override
    def has_labels(self, records: Sequence[Record], layout: Layout) -> bool:
        columns = find_columns(records, layout.columns, labelled=False)
        if columns.impossible is not None and any(says_impossible(record, columns) for record in records):
            return True
        # A column of answers that are all blank is not the same as questions that have none.
        return columns.answers is not None and any(not has_no_answer(record, columns) for record in records)

    @override
    def read(
        self, records: Sequence[Record], layout: Layout, report: ReadReport, *, labelled: bool = True
    ) -> list[Question]:
        rows: list[Question] = []
        if not records:
            return rows
        columns = find_columns(records, layout.columns, labelled=labelled)
        seen: dict[str, Question] = {}
        for position, record in enumerate(records):
            name = row_id(record, layout.columns, position)
            question, context = record.values.get(columns.question), record.values.get(columns.context)
            fault = _text_fault(question, "question") or _text_fault(context, "passage")
            if fault is not None:
                report.bad_row(*fault, record.origin)
                continue
            title = record.values.get(columns.title) if columns.title else None
            row = Question(
                name, str(question), str(context), (), (), None if is_blank(title) else str(title), record.origin
            )
            other = seen.get(name)
            if other is not None and (other.question, other.context) == (row.question, row.context):
                report.bad_row("duplicate id", f"id '{name}' stands at {other.origin} already", record.origin)
                continue
            if other is not None:
                row = replace(row, id=_unused(name, seen))
                report.repair("id given to several questions", f"id '{name}' becomes '{row.id}'", record.origin)
            if labelled:
                try:
                    row = self._answered(row, record, columns, report)
                except ValueError as error:
                    report.bad_row("bad answer", f"question '{name}': {error}", record.origin)
                    continue
            seen[row.id] = row
            rows.append(row)
        return rows

    def _answered(self, row: Question, record: Record, columns: QuestionColumns, report: ReadReport) -> Question:
        """Return the row with its answers.

        Raises:
            ValueError: an answer can't be used.
        """
        start = record.values.get(columns.answer_start) if columns.answer_start else None
        pairs = read_answers(record.values.get(columns.answers) if columns.answers else None, start)
        if pairs and says_impossible(record, columns):
            if self.impossible_answers == "error":
                raise ValueError(
                    "is_impossible is true, but there are answers. To leave these answers out: "
                    "task.impossible_answers=ignore; to take them: task.impossible_answers=use"
                )
            report.repair(
                "impossible question with answers",
                f"question '{row.id}': task.impossible_answers={self.impossible_answers}",
                record.origin,
            )
            if self.impossible_answers == "ignore":
                pairs = []
        placed = [
            self._placed(text, located(text, offset, row.context), row.context, record, report)
            for text, offset in pairs
        ]
        return replace(row, answers=tuple(text for text, _ in placed), starts=tuple(start for _, start in placed))

    def _placed(self, text: str, start: int, context: str, record: Record, report: ReadReport) -> tuple[str, int]:
        """Return the answer and an offset at which its text really occurs."""
        if start >= 0 and context.startswith(text, start):
            return text, start
        there = context[max(start, 0) : max(start, 0) + len(text)]
        places = occurrences(context, text)
        if not places:
            raise ValueError(f"answer {text!r} does not occur in the passage")
        nearest = min(places, key=lambda place: abs(place - start))
        if not self.repair_answer_offsets:
            raise ValueError(
                f"answer {text!r} is not at offset {start}, where {there!r} stands, but at {nearest}. "
                "To move such answers to the nearest place: task.repair_answer_offsets=true"
            )
        report.repair("answer offset", f"{text!r} moved from {start} to {nearest}", record.origin)
        return text, nearest

    @override
    def head(self, train: Sequence[Question], layout: Layout) -> Head:
        del train, layout
        return Head("AutoModelForQuestionAnswering")

    @override
    def unknown_labels(self, row: Question, head: Head) -> list[str]:
        del head
        return ["no answer"] if self.version == "v1.1" and not row.answers else []

    @override
    def unknown_label_message(self, label: str, head: Head) -> str:
        del label, head
        return "the question has no answer, but training rows all have one (or task.version=v2.0)"

    @override
    def label_counts(self, rows: Sequence[Question]) -> dict[str, int]:
        answered = sum(map(self.labels_something, rows))
        return {"with an answer": answered, **({"without": len(rows) - answered} if answered < len(rows) else {})}

    @override
    def why_unbalanced(self) -> str | None:
        return "questions have no labels. To count more what the model finds hard: hparams.focal=2"

    @override
    def findings(self, train: Sequence[Question]) -> Iterator[Finding]:
        answered = sum(bool(row.answers) for row in train)
        yield from question_findings([(row.question, row.context) for row in train], answered)

    @override
    def adapt(self, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
        """Return the tokenizer unchanged.

        Raises:
            InputError: it has no fast implementation, by which answers are found in the passage.
        """
        if not tokenizer.is_fast:
            raise InputError(f"{tokenizer.name_or_path}: questions need a fast tokenizer (a tokenizer.json)")
        return tokenizer

    @override
    def encode(
        self, rows: Sequence[Question], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int
    ) -> Features:
        del head
        asked = list(map(_asked, rows))
        return encode_passages(
            asked, tokenizer, length, stride=self.stride, most_question_tokens=self.max_question_tokens
        )

    @override
    def window_counts(self, rows: Sequence[Question], features: Mapping[str, Any]) -> dict[str, int]:
        cut = dict(zip(map(int, features[ROW]), map(int, features[CUT]), strict=True))
        shortened = [tokens for tokens in cut.values() if tokens]
        return {"rows": len(rows), "rows cut": len(shortened), "tokens cut": sum(shortened)}

    @override
    def window_notes(self, counts: Mapping[str, int]) -> Iterator[str]:
        if counts["rows cut"]:
            yield (
                f"{counts['rows cut']} of {counts['rows']} questions are too long: {counts['tokens cut']} tokens at "
                "their ends are not read (task.max_question_tokens)"
            )

    @override
    def collator(self, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None = None) -> Collate:
        """Pad inputs. `labels` is int64 [batch, 2]: first and last token of the answer, or the null position twice.

        `candidates` is int64 [batch, length]: 1 for tokens of the passage, 2 for the null position, 0 elsewhere.
        """

        def collate(windows: list[dict[str, Any]]) -> Batch:
            batch = model_inputs(windows, tokenizer, pad_to)
            candidates = padded([window[CANDIDATES] for window in windows], NO_CANDIDATE, tokenizer, pad_to)
            labels = stacked([window[LABELS] for window in windows])
            if tokenizer.padding_side == "left":
                length = candidates.shape[1]
                labels += stacked([length - len(window[CANDIDATES]) for window in windows])[:, None]
            return {**batch, CANDIDATES: candidates, LABELS: labels}

        return collate

    @override
    def decode(
        self, rows: Sequence[Question], features: Mapping[str, Any], outputs: Outputs, head: Head
    ) -> list[Prediction]:
        del head
        best: list[int | None] = [None] * len(rows)
        null = [float("inf")] * len(rows)
        scores, null_scores = outputs["span_score"].tolist(), outputs["null_score"].tolist()

        for window, row in enumerate(features[ROW]):
            null[row] = min(null[row], null_scores[window])
            current = best[row]
            if current is None or scores[window] > scores[current]:
                best[row] = window
            elif scores[window] == scores[current]:
                # Ties go to the window that comes first in the passage.
                best[row] = min(current, window, key=lambda one: max(features[START][one]))
        candidates = self._candidates_of_rows(rows, features, outputs) if self.top_k > 1 else None
        predictions = []
        for position, (row, found, null_score) in enumerate(zip(rows, best, null, strict=True)):
            assert found is not None, "each row has a window"
            window = found
            answer = _answer(
                row,
                int(features[START][window][outputs["start"][window]]),
                int(features[END][window][outputs["end"][window]]),
                float(outputs["probability"][window]),
            )
            listed = {} if candidates is None else {"candidates": candidates[position]}
            predictions.append({**answer, "no_answer_score": round(null_score - scores[window], 6), **listed})
        return predictions

    def _candidates_of_rows(
        self, rows: Sequence[Question], features: Mapping[str, Any], outputs: Outputs
    ) -> list[list[dict[str, Any]]]:
        """Return the best answers of each row, best first, by the sum of their logits. Equal answers count once.

        Windows overlap, so that several may find an answer. Its score is that of the window where its sum is largest.
        """
        found: list[dict[tuple[int, int], tuple[float, float]]] = [{} for _ in rows]
        for window, row in enumerate(features[ROW]):
            starts, ends = features[START][window], features[END][window]
            for total, start, end, probability in zip(
                outputs["top_score"][window].tolist(),
                outputs["top_start"][window].tolist(),
                outputs["top_end"][window].tolist(),
                outputs["top_probability"][window].tolist(),
                strict=True,
            ):
                if total == float("-inf"):
                    break  # the window has fewer spans than are listed
                place = int(starts[start]), int(ends[end])
                if total > found[row].get(place, (float("-inf"), 0.0))[0]:
                    found[row][place] = total, probability
        return [self._ordered(row, places) for row, places in zip(rows, found, strict=True)]

    def _ordered(self, row: Question, places: Mapping[tuple[int, int], tuple[float, float]]) -> list[dict[str, Any]]:
        answers: dict[tuple[int, int], dict[str, Any]] = {}
        for place, (_, probability) in sorted(places.items(), key=lambda item: (-item[1][0], item[0])):
            answer = _answer(row, *place, probability)
            # Two spans of tokens may be the same characters without blanks.
            answers.setdefault((answer["start"], answer["end"]), answer)
        return list(answers.values())[: self.top_k]

    @override
    def calibrate(self, rows: Sequence[Question], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Choose the threshold on `no_answer_score` that gives the best F1, as the official v2.0 script does."""
        if self.version != "v2.0":
            return {}
        if self.no_answer_threshold is not None:
            return {NO_ANSWER_THRESHOLD: self.no_answer_threshold}
        f1 = [question_scores(p["answer"], list(row.answers))[1] for row, p in zip(rows, predictions, strict=True)]
        no_answer_scores = [prediction["no_answer_score"] for prediction in predictions]
        has_answer = [bool(row.answers) for row in rows]
        best, threshold = best_threshold(no_answer_scores, f1, has_answer)
        if best == has_answer.count(False):
            threshold = min(no_answer_scores) - 1.0  # abstaining everywhere scores best
        return {NO_ANSWER_THRESHOLD: threshold}

    @override
    def apply_calibration(
        self, predictions: Sequence[Prediction], calibration: Mapping[str, float]
    ) -> list[Prediction]:
        """Set the answer to "" if `no_answer_score` is above the threshold. The best span stays as `best_answer`."""
        if NO_ANSWER_THRESHOLD not in calibration:
            return list(predictions)
        threshold = calibration[NO_ANSWER_THRESHOLD]
        finished = []
        for prediction in predictions:
            abstains = prediction["no_answer_score"] > threshold
            answer = {"answer": "", "start": None, "end": None} if abstains else {}
            finished.append({**prediction, **answer, "best_answer": prediction["answer"]})
        return finished

    @override
    def trained_head(self, labels: Sequence[str], problem_type: str | None) -> Head:
        del labels, problem_type
        return Head("AutoModelForQuestionAnswering")

    @override
    def as_trained(self, head: Head, thresholds: Mapping[str, float]) -> tuple[Self, list[str]]:
        if self.version != "auto":
            return self, []
        if NO_ANSWER_THRESHOLD in thresholds:
            return replace(self, version="v2.0"), []
        note = "it always answers. If it was trained with questions without an answer, as in SQuAD v2.0: "
        return replace(self, version="v1.1"), [f"{note}task.version=v2.0"]

    @override
    def calibration(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Return the threshold for saying that there is no answer; 0, as in the official script, if none is known."""
        if self.version != "v2.0":
            return {}
        if self.no_answer_threshold is not None:
            return {NO_ANSWER_THRESHOLD: self.no_answer_threshold}
        return {NO_ANSWER_THRESHOLD: 0.0, **super().calibration(thresholds)}

    @override
    def values_of(self, item: Any) -> dict[str, Any]:
        if isinstance(item, list | tuple) and len(item) == 2 and all(isinstance(text, str) for text in item):
            return {"question": item[0], "context": item[1]}
        if isinstance(item, Mapping):
            return dict(item)
        raise ValueError(f"{str(item)[:40]!r} is neither a pair (question, context) nor a dict with both")

    @override
    def cells(self, answer: Prediction) -> dict[str, Any]:
        names = ("answer", "start", "end", "score", "no_answer_score", "best_answer", "candidates")
        return {name: answer[name] for name in names if name in answer}

    @override
    def inputs(self) -> Sequence[str]:
        return ("question",)

    @override
    def content(self, row: Question) -> str:
        return f"{row.question} {row.context}"

    @override
    def gold(self, row: Question) -> list[str]:
        return list(dict.fromkeys(row.answers))

    @override
    def parts(self, row: Question) -> tuple[str, ...]:
        """Return question and passage: a passage has many questions, and a question may be asked of many passages."""
        return row.question, row.context

    @override
    def same_gold(self, row: Question) -> Hashable:
        """Return the answers with their places, in any order: a word may be right in one place of a passage only."""
        return frozenset(zip(row.answers, row.starts, strict=True))

    @override
    def similar_gold(self, row: Question) -> Hashable:
        """Return the answers alone: in passages that are nearly the same, they may stand at other places."""
        return frozenset(row.answers)

    @override
    def labels_something(self, row: Question) -> bool:
        return bool(row.answers)

    @override
    def gold_prediction(self, row: Question) -> Prediction:
        answered = bool(row.answers)
        text, start = (row.answers[0], row.starts[0]) if answered else ("", None)
        answer = {"answer": text, "start": start, "end": None if start is None else start + len(text)}
        return {**answer, "score": 1.0, "no_answer_score": -1.0 if answered else 1.0}

    @override
    def score(self, rows: Sequence[Question], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        del head
        references = [
            {"id": row.id, "answers": {"text": list(row.answers), "answer_start": list(row.starts)}} for row in rows
        ]
        answers = [
            {"id": row.id, "prediction_text": p["answer"], "no_answer_score": p["no_answer_score"]}
            for row, p in zip(rows, predictions, strict=True)
        ]
        return squad_scores(answers, references, version=self.version)

    @override
    def rescore(
        self, rows: Sequence[Question], predictions: Sequence[Prediction], head: Head, units: Sequence[int]
    ) -> Rescore:
        del head
        answers = [prediction["answer"] for prediction in predictions]
        return squad_rescore(answers, [row.answers for row in rows], self.version, units)

    @override
    def stored_row(self, line: Mapping[str, Any]) -> Question:
        answers = tuple(line["gold"])
        return Question(str(line["id"]), "", "", answers, (0,) * len(answers), None, STORED)

    @override
    def as_scored(self, lines: Sequence[Mapping[str, Any]], scores: Mapping[str, float]) -> Self:
        return replace(self, version="v2.0" if "best_f1" in scores else "v1.1")

    @override
    def traits(self, train: Sequence[Question], rows: Sequence[Question]) -> list[dict[str, Any]]:
        """Return also the length of the passage, the bounds of the sentences that answers are in, and the first one."""
        bounds = {passage: sentence_bounds(passage) for passage in {row.context for row in rows}}
        return [
            {
                **one,
                "passage_characters": len(row.context),
                "answer_sentences": (found := _sentences_of(row, bounds[row.context])),
                "answer_sentence": row.context[found[0][0] : found[0][1]][:LONGEST_SENTENCE] if found else None,
            }
            for one, row in zip(super().traits(train, rows), rows, strict=True)
        ]

    @override
    def analyse(self, lines: Sequence[Line], head: Head, calibration: Mapping[str, float]) -> Analysis:
        del calibration
        return analyse_answers(lines, self.version, self._rescore_places(lines, head))

    @override
    def baselines(self, train: Sequence[Question], rows: Sequence[Question]) -> dict[str, list[Prediction]]:
        del train
        sentences = best_sentences([row.question for row in rows], [row.context for row in rows])
        found = {"no answer": [""] * len(rows)} if self.version == "v2.0" else {}
        return {
            name: [{"answer": text, "no_answer_score": 0.0} for text in texts]
            for name, texts in {**found, "best sentence": sentences}.items()
        }

    @override
    def sameness(self, rows: Sequence[Question], predictions: Sequence[Prediction]) -> str | None:
        if any(prediction["answer"] for prediction in predictions) or not any(map(self.labels_something, rows)):
            return None
        return "answers no question"

    @override
    def objective_score(self) -> Score:
        return score_named(self.objective or "f1")

    @override
    def headline(self) -> Sequence[str]:
        return tuple(dict.fromkeys((self.objective_score().name, "f1", "exact_match")))

    @override
    def identity(self, row: Question) -> Hashable:
        return row.question, row.context

    @override
    def group(self, row: Question) -> Hashable | None:
        """Return the article, so that all its passages stay in one split."""
        group: str = row.context if row.title is None else row.title
        return group


def _answer(row: Question, start: int, end: int, probability: float) -> dict[str, Any]:
    """Return an answer by the characters of its first and last token, without the blanks that tokens may include."""
    text = row.context[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return {"answer": text, "start": start, "end": start + len(text), "score": round(probability, 6)}


def _sentences_of(row: Question, bounds: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the bounds of the sentences that hold the first character of an answer."""
    return [[start, end] for start, end in bounds if any(start <= at < end for at in row.starts)]


def _asked(row: Question) -> Asked:
    """Return what is encoded of a row; of several answers the first, without blanks around it."""
    if not row.answers:
        return Asked(row.question, row.context, None)
    answer, start = row.answers[0], row.starts[0]
    bounds = start + len(answer) - len(answer.lstrip()), start + len(answer.rstrip())
    return Asked(row.question, row.context, bounds)


def _text_fault(value: Any, what: str) -> tuple[str, str] | None:
    """Return what such rows are counted under and what is wrong with a question or passage, or None."""
    if is_blank(value):
        return f"empty {what}", f"the {what} is empty"
    if isinstance(value, list | tuple | dict):
        return f"bad {what}", f"the {what} is a {type(value).__name__}, not a text"
    return None


def _unused(name: str, used: Mapping[str, Any]) -> str:
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"
