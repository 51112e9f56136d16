"""The base class of all tasks: their common options, and the steps from a record to a score.

`read` makes a row from a record. `encode` turns the row into windows of token ids. The model computes outputs for each
window. `decode` turns the outputs into one prediction per row. `score` compares the predictions with the gold answers.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar

from tasks.analysis.parts import Analysis, Line, RescorePlaces
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.plausibility import Finding
from tasks.scoring.resampling import Rescore
from tasks.scoring.score import Score

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Row(Protocol):
    """One row, as a task's `read` returns it: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> str:
        """The row's own id, or else its position in the file."""

    @property
    def origin(self) -> Origin:
        """Where the row comes from."""


RowType = TypeVar("RowType", bound=Row)

Features: TypeAlias = dict[str, list[Any]]
"Columns of equal length, with one entry per window. `tasks.columns` defines their names."

Outputs: TypeAlias = Mapping[str, Any]
"""The model outputs that are kept, by name. Entry i of each output belongs to window i of the features. One number or
vector per window makes an array. One number per token makes an array [windows, length] or a sequence of arrays."""

Prediction: TypeAlias = dict[str, Any]
"The prediction for one row, as the predictions file stores it beside the row's identity and gold: JSON values only."

Batch: TypeAlias = dict[str, Any]
"Named tensors of one step. The first axis counts windows."

Collate: TypeAlias = Callable[[list[dict[str, Any]]], Batch]
"A function that turns windows into a batch."


@dataclass(frozen=True)
class Layout:
    """How to interpret the records of a data set."""

    columns: Columns
    label_names: Sequence[str] | None = None


@dataclass(frozen=True)
class Head:
    """The new layer on top of the encoder."""

    auto_class: str
    "Name of the transformers auto class, e.g. `AutoModelForTokenClassification`."
    labels: tuple[str, ...] = ()
    "Names of the outputs in order; empty where they have no names (span prediction)."
    problem_type: str | None = None
    "The `problem_type` of the model's config, for sequence classification."


@dataclass
class Task(Generic[RowType]):
    """The options that all tasks share, and the methods that each task implements. Each task has its own row type."""

    name: str = "???"
    "The task: classification, ner or qa."
    max_length: int | None = None
    "Maximum number of tokens in a window, special tokens included. null: the limit of the task or the model."
    objective: str | None = None
    "The validation score that selects the best epoch and ranks the jobs of a sweep. null: the task's default score."

    unknown_label_policy: ClassVar[str] = "error"
    "What `data.unknown_labels` is if the user does not set it."
    texts: ClassVar[tuple[str, ...]] = ()
    "The fields of a row that hold its texts or words, and that no score needs."
    head_class: ClassVar[str] = ""
    "What the names of transformers' classes for models of this task have in common."
    pipeline: ClassVar[str] = ""
    "What the hub calls such tasks."
    has_pipeline: ClassVar[bool] = True
    "Whether transformers has a pipeline of this name."
    takes_pairs: ClassVar[bool] = True
    "Whether a tuple of two texts is one item for the user."
    tags_words: ClassVar[bool] = False
    "Whether predictions have a tag for each word, as `tags`."
    audit_options: ClassVar[tuple[str, ...]] = ()
    "Options with which predictions hold all that an audit of labels needs."
    settled_options: ClassVar[tuple[str, ...]] = ()
    "Options that are `auto` until rows are read, and that few of the rows could settle otherwise than all."
    thresholds: ClassVar[tuple[str, ...]] = ()
    "The names under which `calibrate` returns thresholds."
    unit: ClassVar[str] = "row"
    "What rows of one `group` make up, such as an article."
    point: ClassVar[float] = 0.01
    "The smallest difference of a score that is worth telling; of errors, a share of them."
    always_in_units: ClassVar[bool] = False
    "Whether each row has a `group`."
    fewest_groups: ClassVar[int] = 1
    "If rows have fewer groups, these do not count."
    labels_whole_texts: ClassVar[bool] = False
    "Whether a label is that of a whole text, and not of a place in it."
    has_classes: ClassVar[bool] = True
    "Whether labels are classes, so that class weights apply."

    # OmegaConf 2.3 mistakes the type parameters of a generic class for the key and value types of a mapping.
    __args__: ClassVar[tuple[Any, Any]] = (Any, Any)

    def errors(self) -> Iterator[str]:
        """Yield one line for each problem with the options."""
        yield from ()

    def resolve_auto(self, train: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        """Return this task with each `auto` option replaced by the value that fits the training records.

        What was concluded and may surprise goes to the notes of `report`.
        """
        raise NotImplementedError

    def variety(self) -> str:
        """Return what `resolve_auto` found, such as `single label`, for the console. By default an empty string."""
        return ""

    def has_labels(self, records: Sequence[Record], layout: Layout) -> bool:
        """Tell whether any of the records has a label. Rows of a test file may have none."""
        raise NotImplementedError

    def as_labels_are_written(self, records: Sequence[Record], layout: Layout, report: ReadReport) -> Self:
        """Return this task as it reads the labels of a file that may write them otherwise than training's files did.

        By default this task. What differs goes to the notes of `report`.

        Raises:
            InputError: how the labels are written could only be guessed.
        """
        del records, layout, report
        return self

    def read(
        self, records: Sequence[Record], layout: Layout, report: ReadReport, *, labelled: bool = True
    ) -> list[RowType]:
        """Turn records into rows. Bad records go to `report`, which raises or counts them, as the user chose.

        With `labelled=False`, the rows have no labels, and can be predicted but not scored.
        """
        raise NotImplementedError

    def head(self, train: Sequence[RowType], layout: Layout) -> Head:
        """Return the head that fits the training rows."""
        raise NotImplementedError

    def with_groups_that_count(self, rows: list[RowType]) -> list[RowType]:
        """Return the rows of a split, without their groups if these are too few. By default, all count."""
        return rows

    def unknown_labels(self, row: RowType, head: Head) -> list[str]:
        """Return the labels of a row that the head does not have."""
        raise NotImplementedError

    def unknown_label_message(self, label: str, head: Head) -> str:
        """Return an error for a label that the head does not have, which names those that it has."""
        raise NotImplementedError

    def label_counts(self, rows: Sequence[RowType]) -> dict[str, int]:
        """Return how many of these rows, or entities in them, have each label. By default an empty dict."""
        del rows
        return {}

    @property
    def tells_contradictions(self) -> bool:
        """Whether `findings` has a note on equal rows with different gold."""
        return False

    def why_unbalanced(self) -> str | None:
        """Return why training rows can't be balanced by label, and what else can be done. None: they can be."""
        return "rows of this task have no single label"

    def findings(self, train: Sequence[RowType]) -> Iterator[Finding]:
        """Yield what is implausible about the training rows. By default nothing."""
        del train
        yield from ()

    def window_counts(self, rows: Sequence[RowType], features: Mapping[str, Any]) -> dict[str, int]:
        """Return counts of what happened to rows on their way to windows, which can be added up for more rows."""
        del rows, features
        return {}

    def window_notes(self, counts: Mapping[str, int]) -> Iterator[str]:
        """Yield what the user should know about such counts, such as how much was cut off."""
        del counts
        yield from ()

    def adapt(self, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
        """Return the tokenizer with the changes that the task needs. The changes are saved with the model."""
        return tokenizer

    def window_length(self, model_limit: int) -> int:
        """Return the maximum number of tokens in a window, for a model that accepts at most `model_limit`."""
        return min(self.max_length or model_limit, model_limit)

    def encode(
        self, rows: Sequence[RowType], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int
    ) -> Features:
        """Turn rows into windows of at most `length` tokens. A pure function: rows may be encoded in any chunks."""
        raise NotImplementedError

    def collator(self, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None = None) -> Collate:
        """Return the function that pads windows to one batch of tensors.

        Args:
            tokenizer: defines the padding values and the padding side.
            pad_to: length of every batch in tokens. None: the length of its longest window.
        """
        raise NotImplementedError

    def decode(
        self, rows: Sequence[RowType], features: Mapping[str, Any], outputs: Outputs, head: Head
    ) -> list[Prediction]:
        """Turn the outputs of all windows into one prediction per row, in the rows' order."""
        raise NotImplementedError

    def calibrate(self, rows: Sequence[RowType], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Choose thresholds on validation rows, to be stored in the model's config. The default chooses none."""
        del rows, predictions
        return {}

    def apply_calibration(
        self, predictions: Sequence[Prediction], calibration: Mapping[str, float]
    ) -> list[Prediction]:
        """Apply the thresholds that `calibrate` chose to decoded predictions."""
        del calibration
        return list(predictions)

    def calibration_error(self, rows: Sequence[RowType], predictions: Sequence[Prediction]) -> float | None:
        """Return how far probabilities of decoded predictions are from how often they are right. By default None."""
        del rows, predictions
        return None

    def trained_head(self, labels: Sequence[str], problem_type: str | None) -> Head:
        """Return the head of a model that is trained already, perhaps by others.

        Args:
            labels: the names of its outputs, in order.
            problem_type: that of its config.

        Raises:
            InputError: the labels are none of this task.
        """
        raise NotImplementedError

    def as_trained(self, head: Head, thresholds: Mapping[str, float]) -> tuple[Self, list[str]]:
        """Return this task with each `auto` option replaced by what a trained model tells, and lines for the user.

        Args:
            head: the head of the model.
            thresholds: those in its config.
        """
        del head, thresholds
        return self, []

    def calibration(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Return what `apply_calibration` is to be given for a model with these thresholds in its config."""
        return {name: thresholds[name] for name in self.thresholds if name in thresholds}

    def values_of(self, item: Any) -> dict[str, Any]:
        """Return what a user has in hand, such as a text, as the values of a record with usual names of columns.

        Raises:
            ValueError: it is nothing that this task can predict for; the message says what is.
        """
        raise NotImplementedError

    def answer(self, row: RowType, prediction: Prediction) -> Prediction:
        """Return what a user who gave this row is told of its prediction. By default all of it."""
        del row
        return prediction

    def cells(self, answer: Prediction) -> dict[str, Any]:
        """Return what stands in the cells of a table for an answer, by the names of their columns."""
        raise NotImplementedError

    def whole_records(self, records: Sequence[Record], layout: Layout, *, parts: bool = False) -> list[Record]:
        """Return the records with those that are parts of one row joined. By default, each is a row.

        Args:
            records: the records of a file, or of a portion of it.
            layout: its columns.
            parts: whether the records are known to be parts, as those before them in the file.
        """
        del layout, parts
        return list(records)

    def inputs(self) -> Sequence[str]:
        """Return the names of the row's input fields that the predictions file includes."""
        raise NotImplementedError

    def content(self, row: RowType) -> str:
        """Return the text of a row: its input fields, joined by blanks."""
        values = (getattr(row, name) for name in self.inputs())
        return " ".join(value if isinstance(value, str) else " ".join(value) for value in values if value is not None)

    def parts(self, row: RowType) -> tuple[str, ...]:
        """Return the texts of a row, each of which must be nearly that of another row, for both to be nearly the same.

        By default the content is the only one.
        """
        return (self.content(row),)

    def gold(self, row: RowType) -> Any:
        """Return the gold answer as a JSON value, for the predictions file."""
        raise NotImplementedError

    def same_gold(self, row: RowType) -> Hashable:
        """Return a key that rows of equal content share if their gold is equal, too."""
        gold = self.gold(row)
        return tuple(gold) if isinstance(gold, list) else gold

    def similar_gold(self, row: RowType) -> Hashable:
        """Return a key that rows of nearly equal content share if they teach the same. By default as `same_gold`."""
        return self.same_gold(row)

    def labels_something(self, row: RowType) -> bool:
        """Tell whether gold holds anything, and not only that there is nothing, as in a file without annotations."""
        del row
        return True

    def gold_prediction(self, row: RowType) -> Prediction:
        """Return the prediction that equals gold. Scoring it before training shows which scores exist."""
        raise NotImplementedError

    def score(self, rows: Sequence[RowType], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        """Compare predictions with gold, and return a flat dict from score names to numbers."""
        raise NotImplementedError

    def rescore(
        self, rows: Sequence[RowType], predictions: Sequence[Prediction], head: Head, units: Sequence[int]
    ) -> Rescore:
        """Return what scores these predictions with weights: the overall ones of `score`, by the same names.

        Args:
            rows: the rows with gold.
            predictions: one for each row.
            head: that of the model.
            units: the number of each row's unit, from 0. Rows of a unit have the same weight.
        """
        raise NotImplementedError

    def stored_row(self, line: Mapping[str, Any]) -> RowType:
        """Return the row of a line of a predictions file, with its gold and without its texts."""
        raise NotImplementedError

    def as_scored(self, lines: Sequence[Mapping[str, Any]], scores: Mapping[str, float]) -> Self:
        """Return this task with what a predictions file and its scores tell of the options that scores depend on."""
        del lines, scores
        return self

    def traits(self, train: Sequence[RowType], rows: Sequence[RowType]) -> list[dict[str, Any]]:
        """Return for each row with gold what its score may depend on and no line of a predictions file tells otherwise.

        By default whether training has the row, too, as `in_training`.
        """
        known = {self.identity(row) for row in train}
        return [{"in_training": self.identity(row) in known} for row in rows]

    def analyse(self, lines: Sequence[Line], head: Head, calibration: Mapping[str, float]) -> Analysis:
        """Return what is wrong in the lines of a predictions file, with gold.

        Args:
            lines: the lines.
            head: that of the model.
            calibration: what `calibrate` chose.
        """
        raise NotImplementedError

    def _rescore_places(self, lines: Sequence[Line], head: Head) -> RescorePlaces:
        """Return what scores some of these lines."""
        rows = [self.stored_row(line) for line in lines]

        def rescored(places: Sequence[int], units: Sequence[int]) -> Rescore:
            predictions = [lines[place]["prediction"] for place in places]
            return self.rescore([rows[place] for place in places], predictions, head, units)

        return rescored

    def baselines(self, train: Sequence[RowType], rows: Sequence[RowType]) -> dict[str, list[Prediction]]:
        """Return the predictions of each baseline for rows, by the name of the baseline; that which is simplest first.

        Args:
            train: the training rows.
            rows: the rows to predict for, with or without gold.
        """
        raise NotImplementedError

    def unseen_share(self, train: Sequence[RowType], rows: Sequence[RowType]) -> float | None:
        """Return the share of what is to be found in rows that training does not have. None: nothing is found twice."""
        del train, rows
        return None

    def sameness(self, rows: Sequence[RowType], predictions: Sequence[Prediction]) -> str | None:
        """Return in words what is the same in all predictions though not in gold, as after a training that failed."""
        raise NotImplementedError

    def objective_score(self) -> Score:
        """Return the score that selects the best epoch. Call `resolve_auto` first."""
        raise NotImplementedError

    def judged_on(self, rows: int) -> tuple[Self, str | None]:
        """Return the task with a score that can judge so many rows, and a sentence if it is not the usual one."""
        del rows
        return self, None

    def headline(self) -> Sequence[str]:
        """Return the names of the few scores that the console shows, the objective first."""
        return (self.objective_score().name,)

    def identity(self, row: RowType) -> Hashable:
        """Return a key that exact duplicates share. Each task decides whether the key includes the label."""
        raise NotImplementedError

    def form(self, row: RowType) -> str:
        """Return in words what all rows of all splits must have in common."""
        del row
        return ""

    def stratum(self, row: RowType) -> Hashable | None:
        """Return the row's class, whose share is kept when a split is cut off. None: no stratification."""
        del row
        return None

    def group(self, row: RowType) -> Hashable | None:
        """Return the key of rows that must stay in one split, such as a question's article. None: the row is alone."""
        del row
        return None


AnyTask: TypeAlias = Task[Any]
"A task with any type of row."
