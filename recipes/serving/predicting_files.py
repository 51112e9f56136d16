"""Predicting for the rows of files, a portion at a time, so that files larger than memory go through."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recipes.serving.gold import Gold
from recipes.serving.journal import Line
from recipes.serving.reading_files import FileReader
from recipes.serving.trained_model import TrainedModel, portions
from tasks.data.options import DataOptions
from tasks.data.read import require_rows
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.task import Prediction, Row


@dataclass
class FilePredictor:
    """Turns portions of records into predicted lines."""

    model: TrainedModel
    data: DataOptions
    report: ReadReport
    reader: FileReader = field(init=False)
    rows: int = 0
    "Rows that are predicted, those before an interruption included."
    counts: Counter[str] = field(default_factory=Counter)
    "What happened to rows on their way to windows."

    def __post_init__(self) -> None:
        self.reader = FileReader(self.model.trained, self.data, self.report)

    @property
    def gold(self) -> Gold:
        """The labels that the input has already, if any."""
        return self.reader.gold

    def lines(self, records_of_portions: Iterable[list[Record]], done: Iterator[Line]) -> Iterator[list[Line]]:
        """Yield the lines of neighbouring rows, in order, a list for each time that the model is called.

        Args:
            records_of_portions: the records of the input, in order.
            done: the lines of the rows that were predicted before an interruption. They are not yielded again.

        Raises:
            InputError: a row can't be used, none can, or one is not that which was predicted before the interruption.
        """
        for portion in self.reader.portions(records_of_portions):
            todo = self._without_done(portion.rows, portion.gold, done)
            for some in portions(self.model.task, todo):
                predictions = self.model.predict_rows(some, self.counts)
                lines = []
                for row, prediction in zip(some, predictions, strict=True):
                    gold = portion.gold.get(row.origin)
                    self._keep(gold, prediction)
                    lines.append(self._line(row, prediction, portion.records[row.origin], gold))
                self.rows += len(some)
                yield lines
        require_rows(self.rows, "INPUT", self.report)

    def _without_done(self, rows: Sequence[Row], gold: Mapping[Origin, Row], done: Iterator[Line]) -> Sequence[Row]:
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
