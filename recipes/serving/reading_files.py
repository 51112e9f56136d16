"""From the records of files to rows that a trained model predicts for, a portion at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recipes.model.trained import Trained
from recipes.serving.gold import Gold
from recipes.serving.items import columns_for, require_form
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_label_names
from tasks.data.records import Origin, ReadReport, Record
from tasks.record_columns import column_names
from tasks.task import Layout, Row


@dataclass(frozen=True)
class Portion:
    """Neighbouring rows of a file."""

    records: Mapping[Origin, Record]
    "What they were read from, by their places."
    rows: Sequence[Row]
    "Without labels."
    gold: Mapping[Origin, Row]
    "Those of them whose labels can be read."


@dataclass
class FileReader:
    """Reads rows as a trained model's training read them, and keeps what has to be the same in all portions."""

    trained: Trained
    data: DataOptions
    report: ReadReport
    gold: Gold = field(init=False)
    "The labels that the input has already, if any."
    file: str = ""
    "The file that is read now. The next three hold for it."
    columns: list[str] = field(default_factory=list)
    "The columns of its first records. Others that come later are kept, and never taken for a text."
    layout: Layout = field(default_factory=lambda: Layout(Columns()))
    parts: bool = False
    "Whether its records are parts of rows, such as tokens of sentences."

    def __post_init__(self) -> None:
        self.gold = Gold(self.trained.task, self.trained.head)
        self.gold.report.document_starts = self.report.document_starts

    def portions(self, records_of_portions: Iterable[list[Record]]) -> Iterator[Portion]:
        """Yield rows, in order, a portion for each of the given ones, as far as rows are not cut by their ends.

        Args:
            records_of_portions: the records of the input, in order.

        Raises:
            InputError: a row can't be used.
        """
        task = self.trained.task
        for records in self._whole(records_of_portions):
            alike = [
                Record({name: record.values.get(name) for name in self.columns}, record.origin) for record in records
            ]
            rows: list[Row] = task.read(alike, self.layout, self.report, labelled=False)
            if rows:
                require_form(task, rows[0], self.trained.stored)
            yield Portion({record.origin: record for record in records}, rows, self.gold.read(alike, self.layout))

    def _whole(self, records_of_portions: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield records that are rows each; of a table of tokens, whole sentences, wherever a portion ends."""
        task, held = self.trained.task, list[Record]()
        for records in records_of_portions:
            if records and records[0].origin.file != self.file:
                if held:
                    yield task.whole_records(held, self.layout, parts=True)
                    held = []
                self._begin(records)
            if not records:
                continue
            if not self.parts:
                yield records
                continue
            joined = task.whole_records([*held, *records], self.layout, parts=True)
            last = max(len(value) for value in joined[-1].values.values() if isinstance(value, list))
            held = [*held, *records][-last:]
            if len(joined) > 1:
                yield joined[:-1]
        if held:
            yield task.whole_records(held, self.layout, parts=True)

    def _begin(self, records: Sequence[Record]) -> None:
        """Settle by the first records of a file which of its columns are read, and whether it has labels."""
        self.file = records[0].origin.file
        self.columns = column_names(records)
        stored = self.trained.stored
        names = read_label_names(self.data.label_names) or (None if stored is None else stored.label_names)
        self.layout = Layout(columns_for(records, self.data.columns, stored), names)
        self.parts = len(self.trained.task.whole_records(records, self.layout)) < len(records)
        self.gold.begin(records, self.layout)
