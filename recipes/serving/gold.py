"""Scores of predictions, where the rows of the input have labels already."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from recipes.statistics.bootstrap import intervals
from tasks.analysis.parts import renumbered
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.task import AnyTask, Head, Layout, Prediction, Row

NOT_SCORED = ("scores", "entities", "candidates")
"Parts of a prediction that no score reads."


@dataclass
class Gold:
    """The gold answers of rows, kept with their predictions until all can be scored. Texts are not kept."""

    task: AnyTask
    head: Head
    rows: list[Row] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    groups: list[Hashable] = field(default_factory=list)
    "What each row hangs together with, such as a hash of its article."
    unscored: Counter[str] = field(default_factory=Counter)
    "Why rows that were predicted are not scored, and how many."
    unknown: Counter[str] = field(default_factory=Counter)
    "Labels that the model does not have, and how many rows have them."
    reader: AnyTask | None = None
    "The task as it reads the labels of the file that is read now. None: it has none."
    report: ReadReport = field(default_factory=lambda: ReadReport(on_bad_row="skip"))
    "What was found in labels."

    def begin(self, records: Sequence[Record], layout: Layout) -> None:
        """Settle by the first records of a file whether it has labels, and how they are written."""
        self.reader = self._reader(records, layout)

    def _reader(self, records: Sequence[Record], layout: Layout) -> AnyTask | None:
        """Return the task as it reads the labels of a file, or None if it has none: no column, or nothing in it.

        A column that only looks like one of labels does not keep anyone from predicting, but is told of.
        """
        report = ReadReport(on_bad_row="skip")
        try:
            if not self.task.has_labels(records, layout):
                return None
            reader = self.task.as_labels_are_written(records, layout, self.report)
            rows = reader.read(records, layout, report)
        except InputError as error:
            self.report.note(f"not scored: {str(error).splitlines()[0]}")
            return None
        if any(map(self.task.labels_something, rows)):
            return reader
        if report.skipped and not rows:
            (example, *_) = next(iter(report.examples.values()))
            self.report.note(f"not scored: no label can be read, e.g. {example}")
        return None

    def read(self, records: Sequence[Record], layout: Layout) -> dict[Origin, Row]:
        """Return the rows with labels, by their places. Those whose labels can't be read are left out."""
        if self.reader is None:
            return {}
        try:
            rows = self.reader.read(records, layout, self.report)
        except InputError as error:
            self.unscored[str(error).splitlines()[0]] += len(records)
            return {}
        return {row.origin: row for row in rows}

    def add(self, row: Row | None, prediction: Prediction) -> None:
        """Keep a prediction to be scored; None for a row without a label."""
        if row is None:
            self.unscored["without a label that can be read"] += 1
            return
        unknown = self.task.unknown_labels(row, self.head)
        self.unknown.update(unknown)
        if unknown and not self.task.has_classes:
            self.unscored[self.task.unknown_label_message(unknown[0], self.head)] += 1
            return
        without_texts: Any = dict.fromkeys(self.task.texts)
        # Ids may recur in several files, and rows without ids are numbered anew in each portion.
        without_texts["id"] = str(len(self.rows))
        group = self.task.group(row)
        # Passages are long, and a hash is not.
        self.groups.append(("alone", len(self.rows)) if group is None else hash(group))
        self.rows.append(replace(row, **without_texts))
        self.predictions.append({name: value for name, value in prediction.items() if name not in NOT_SCORED})

    def scores(self) -> dict[str, float]:
        """Return the scores of all rows that have labels; empty if none has one that the model knows."""
        if not self.rows or self._none_known():
            return {}
        return self.task.score(self.rows, self.predictions, self.head)

    def intervals(self) -> dict[str, list[float]]:
        """Return the bounds of those scores whose certainty can be told."""
        together = [group for group in self.groups if isinstance(group, int)]
        few = len(set(together)) < self.task.fewest_groups
        units = renumbered(range(len(self.groups)) if few else self.groups)
        found = intervals(self.task.rescore(self.rows, self.predictions, self.head, units), max(units) + 1)
        return {name: [one.low, one.high] for name, one in found.items() if one is not None}

    def notes(self) -> list[str]:
        """Return sentences about what is not scored, or can't be right."""
        if self.rows and self._none_known():
            shown = ", ".join(list(self.unknown)[:3])
            return [*self.report.notes, f"not scored: no row has a label of the model's (the input has {shown}, ...)"]
        notes = [*self.report.notes, *(f"not scored: {count} rows, {why}" for why, count in self.unscored.items())]
        for why, count in self.report.repaired.items():
            notes.append(f"labels repaired: {count} x {why}, e.g. {self.report.examples[why][0]}")
        if self.unknown and self.task.has_classes:
            shown = ", ".join(f"{label} ({count})" for label, count in self.unknown.most_common(5))
            notes.append(f"labels that the model does not have count as missed: {shown}")
        return notes

    def _none_known(self) -> bool:
        return bool(self.unknown) and all(self.task.unknown_labels(row, self.head) for row in self.rows)
