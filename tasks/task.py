"""What every task has in common: its options, and the steps from a record to a score.

The path of one row: `read` makes it from a record, `encode` turns it into windows of token ids, the model computes
outputs for each window, `decode` turns those into one prediction a row, `score` compares it with the gold one.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar

from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError, did_you_mean
from tasks.scoring.score import Score

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Row(Protocol):
    """One row as a task's `read` made it: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> str:
        """The row's own id, or its place in the file."""

    @property
    def origin(self) -> Origin:
        """Where the row comes from."""


RowType = TypeVar("RowType", bound=Row)

Features: TypeAlias = dict[str, list[Any]]
"Equally long columns, one entry a window; `tasks.columns` has their names."

Outputs: TypeAlias = Mapping[str, Any]
"""What was kept of the model's outputs, by name: entry i of each belongs to window i of the features. One number or
vector a window makes an array; one number a token makes an array [windows, length] or a sequence of arrays."""

Prediction: TypeAlias = dict[str, Any]
"What the predictions file holds for one row, besides its identity and gold: JSON values only."

Batch: TypeAlias = dict[str, Any]
"Named tensors of one step, the first axis counting windows."

Collate: TypeAlias = Callable[[list[dict[str, Any]]], Batch]
"From windows to a batch."


@dataclass(frozen=True)
class Layout:
    """How the records of a data set are to be understood."""

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
    """Options of all tasks, and the behaviour that each task fills in. Each task has rows of its own type."""

    name: str = "???"
    "The task: classification, ner or qa."
    max_length: int | None = None
    "Tokens in a window, special ones included. null: what the task and the model suggest."
    objective: str | None = None
    "The validation score that chooses the best epoch and that sweeps rank by. null: the task's usual one."

    has_classes: ClassVar[bool] = True
    "Whether labels are classes, which can be weighted."

    # Omegaconf 2.3 takes the parameters of a generic class for the types of a mapping's keys and values.
    __args__: ClassVar[tuple[Any, Any]] = (Any, Any)

    def errors(self) -> Iterator[str]:
        """Yield what is wrong with the options, one line each."""
        yield from ()

    def resolve_auto(self, train: Sequence[Record], layout: Layout) -> Self:
        """Return this task with every option that is `auto` decided by the training records."""
        raise NotImplementedError

    def variety(self) -> str:
        """Return what `resolve_auto` found, in words for the console, such as `single label`. Often nothing."""
        return ""

    def read(self, records: Sequence[Record], layout: Layout, report: ReadReport) -> list[RowType]:
        """Turn records into rows. Bad ones go to `report`, which raises or counts as the user chose."""
        raise NotImplementedError

    def head(self, train: Sequence[RowType], layout: Layout) -> Head:
        """Return the head that the training rows call for."""
        raise NotImplementedError

    def with_known_labels(self, rows: Sequence[RowType], head: Head, report: ReadReport) -> list[RowType]:
        """Return the rows whose labels the head has; the others go to `report`."""
        raise NotImplementedError

    def adapt(self, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
        """Return the tokenizer as the task needs it; what is changed is saved with the model."""
        return tokenizer

    def window_length(self, model_limit: int) -> int:
        """Return the tokens in a window for a model that takes at most `model_limit`."""
        return min(self.max_length or model_limit, model_limit)

    def encode(
        self, rows: Sequence[RowType], tokenizer: "PreTrainedTokenizerBase", head: Head, length: int
    ) -> Features:
        """Turn rows into windows of at most `length` tokens. Pure: rows may be encoded in any portions."""
        raise NotImplementedError

    def collator(self, tokenizer: "PreTrainedTokenizerBase", pad_to: int | None = None) -> Collate:
        """Return the function that pads windows to one batch of tensors.

        Args:
            tokenizer: says with what to pad, and on which side.
            pad_to: tokens to pad every batch to. None: to the longest window of each.
        """
        raise NotImplementedError

    def decode(
        self, rows: Sequence[RowType], features: Mapping[str, Any], outputs: Outputs, head: Head
    ) -> list[Prediction]:
        """Turn the outputs of all windows into one prediction a row, in the rows' order."""
        raise NotImplementedError

    def calibrate(self, rows: Sequence[RowType], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Choose on validation rows what the model itself does not learn, to be stored in its config. Often nothing."""
        del rows, predictions
        return {}

    def finish(self, predictions: Sequence[Prediction], calibration: Mapping[str, float]) -> list[Prediction]:
        """Apply what `calibrate` chose to decoded predictions."""
        del calibration
        return list(predictions)

    def inputs(self) -> Sequence[str]:
        """Return the fields of a row that stand in the predictions file beside its identity."""
        raise NotImplementedError

    def gold(self, row: RowType) -> Any:
        """Return the right answer as a JSON value, for the predictions file."""
        raise NotImplementedError

    def perfect(self, row: RowType) -> Prediction:
        """Return the prediction that equals gold: it shows which scores there are before anything is trained."""
        raise NotImplementedError

    def score(self, rows: Sequence[RowType], predictions: Sequence[Prediction], head: Head) -> dict[str, float]:
        """Compare predictions with gold: flat names to numbers."""
        raise NotImplementedError

    def objective_score(self) -> Score:
        """Return the score that chooses the best epoch. `resolve_auto` comes first."""
        raise NotImplementedError

    def headline(self) -> Sequence[str]:
        """Return the names of the few scores worth a line on the console, the objective first."""
        return (self.objective_score().name,)

    def identity(self, row: RowType) -> Hashable:
        """Return what makes two rows exact duplicates of each other, labels included or not as the task sees fit."""
        raise NotImplementedError

    def stratum(self, row: RowType) -> Hashable | None:
        """Return the class that a split cut off should hold in the same share. None: no stratification."""
        del row
        return None

    def group(self, row: RowType) -> Hashable | None:
        """Return what must stay on one side of a cut, such as the article of a question. None: each row by itself."""
        del row
        return None


AnyTask: TypeAlias = Task[Any]
"A task of which it does not matter here what its rows are."


def column(record: Record, wanted: str | None, usual: Sequence[str], key: str) -> str:
    """Return the name of the column that holds a part of the row.

    Raises:
        InputError: the wanted column, or each of the usual ones, is missing.
    """
    present = list(record.values)
    if wanted is not None:
        if wanted in record.values:
            return wanted
        hint = did_you_mean(wanted, present)
        raise InputError(
            f"{record.origin}: no column '{wanted}' ({key}). Columns: {', '.join(map(str, present))}.{hint}"
        )
    for name in usual:
        if name in record.values:
            return name
    raise InputError(
        f"{record.origin}: none of the usual columns {', '.join(usual)} is there. "
        f"Columns: {', '.join(map(str, present))}. Say which one with {key}=NAME"
    )


def row_id(record: Record, columns: Columns, position: int) -> str:
    """Return the row's own id where the file has one, or else its place in the file, from 0."""
    for name in (columns.id,) if columns.id else ("id", "idx", "guid"):
        value = record.values.get(name)
        if value is not None and str(value).strip():
            return str(value)
    return str(position)
