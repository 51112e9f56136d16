"""Predicting for the rows of files, a portion at a time, so that files larger than memory go through."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from recipes.serving.gold import Gold
from recipes.serving.items import columns_for, require_form
from recipes.serving.journal import Line
from recipes.serving.trained_model import TrainedModel, portions
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_label_names, require_rows
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.record_columns import column_names
from tasks.task import Layout, Prediction, Row


@dataclass
class FilePredictor:
    """Turns portions of records into predicted lines, and keeps what has to be the same in all of them."""

    model: TrainedModel
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
    rows: int = 0
    "Rows that are predicted, those before an interruption included."
    counts: Counter[str] = field(default_factory=Counter)
    "What happened to rows on their way to windows."

    def __post_init__(self) -> None:
        self.gold = Gold(self.model.task, self.model.trained.head)
        self.gold.report.document_starts = self.report.document_starts

    def lines(self, records_of_portions: Iterable[list[Record]], done: Iterator[Line]) -> Iterator[list[Line]]:
        """Yield the lines of neighbouring rows, in order, a list for each time that the model is called.

        Args:
            records_of_portions: the records of the input, in order.
            done: the lines of the rows that were predicted before an interruption. They are not yielded again.

        Raises:
            InputError: a row can't be used, none can, or one is not that which was predicted before the interruption.
        """
        for records in self._whole(records_of_portions):
            by_place = {record.origin: record for record in records}
            rows, gold = self._read(records)
            todo = self._without_done(rows, gold, done)
            for some in portions(self.model.task, todo):
                predictions = self.model.predict_rows(some, self.counts)
                lines = []
                for row, prediction in zip(some, predictions, strict=True):
                    self._keep(gold.get(row.origin), prediction)
                    lines.append(self._line(row, prediction, by_place[row.origin], gold.get(row.origin)))
                self.rows += len(some)
                yield lines
        require_rows(self.rows, "INPUT", self.report)

    def _whole(self, records_of_portions: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """Yield records that are rows each; of a table of tokens, whole sentences, wherever a portion ends."""
        task, held = self.model.task, list[Record]()
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
        stored = self.model.trained.stored
        names = read_label_names(self.data.label_names) or (None if stored is None else stored.label_names)
        self.layout = Layout(columns_for(records, self.data.columns, stored), names)
        self.parts = len(self.model.task.whole_records(records, self.layout)) < len(records)
        self.gold.begin(records, self.layout)

    def _read(self, records: Sequence[Record]) -> tuple[list[Row], dict[Origin, Row]]:
        """Return rows without labels, and by their places those with labels."""
        task = self.model.task
        alike = [Record({name: record.values.get(name) for name in self.columns}, record.origin) for record in records]
        rows: list[Row] = task.read(alike, self.layout, self.report, labelled=False)
        if rows:
            require_form(task, rows[0], self.model.trained.stored)
        return rows, self.gold.read(alike, self.layout)

    def _without_done(self, rows: Sequence[Row], gold: dict[Origin, Row], done: Iterator[Line]) -> Sequence[Row]:
        for number, row in enumerate(rows):
            line = next(done, None)
            if line is None:
                return rows[number:]
            if (line["file"], line["place"]) != (row.origin.file, row.origin.number):
                raise InputError(
                    f"{row.origin}: an interrupted prediction had {line['file']}, {line['place']} as its row "
                    f"{self.rows + 1}. The input has changed since: --overwrite begins anew"
                )
            self._keep(gold.get(row.origin), {**line["answer"], "tags": line.get("tags")})
            self.rows += 1
        return []

    def _keep(self, gold: Row | None, prediction: Prediction) -> None:
        if self.gold.reader is not None:
            self.gold.add(gold, prediction)

    def _line(self, row: Row, prediction: Prediction, record: Record, gold: Row | None) -> Line:
        task = self.model.task
        line = {
            "values": record.values,
            "file": row.origin.file,
            "place": row.origin.number,
            "answer": task.answer(row, prediction),
        }
        if task.tags_words:
            line |= {"tokens": getattr(row, "tokens", ()), "tags": prediction["tags"]}
            line |= {"gold": task.gold(gold)} if gold is not None else {}
        return line
