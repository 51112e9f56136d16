"""A record: one row as it is in a file, together with its place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tasks.errors import InputError


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row comes from.

    `unit` says what `number` counts, from 1: lines of a text file (for a CoNLL sentence, its first line; for a CSV
    row, the line that it starts on), rows of a file without lines (a JSON array,
    Parquet, a hub data set), or questions of a SQuAD file.
    """

    file: str
    number: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.file}, {self.unit} {self.number}"


STORED = Origin("predictions", 0, "row")
"The place of rows that come from a predictions file."


@dataclass(frozen=True, slots=True)
class Record:
    """One row before the task interprets it: raw values by column name."""

    values: dict[str, Any]
    origin: Origin


class BadRowError(Exception):
    """A row that can't be used. `reason` is what such rows are counted under, the message what is wrong here."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass
class ReadReport:
    """Counts of the rows that were skipped or repaired while reading, by reason, for the console and the report.

    `examples` keeps the first few messages of each reason, so that the user can look at them.
    """

    on_bad_row: str = "error"
    way_out: str = "To leave such rows out, and have them counted: data.on_bad_row=skip"
    "What an error about a bad row says at its end."
    skipped: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    recognised: list[str] = field(default_factory=list)
    "A line for each split: what its files were recognised as."
    files: list[str] = field(default_factory=list)
    "Files that were read besides those that rows come from, such as annotations that stand beside their text."
    document_starts: dict[str, list[int]] = field(default_factory=dict)
    "For each CoNLL file that marks them the lines at which documents begin, in ascending order."
    notes: list[str] = field(default_factory=list)
    "Sentences about doubtful things that the user should look at, each once."

    EXAMPLES_KEPT: ClassVar[int] = 3

    def bad_row(self, reason: str, message: str, origin: Origin) -> None:
        """Raise an error for a bad row, or count it as skipped if the user chose `data.on_bad_row=skip`.

        `reason` is a short noun phrase that groups rows ("empty text"); `message` says what is wrong with this one.

        Raises:
            InputError: the policy is "error".
        """
        if self.on_bad_row == "error":
            raise InputError("\n".join(filter(None, (f"{origin}: {message}", self.way_out))))
        self.leave_out(reason, message, origin)

    def leave_out(self, reason: str, message: str, origin: Origin) -> None:
        """Count a row that is left out because its file says so, such as one that an annotator rejected."""
        self._count(self.skipped, reason, 1, f"{origin}: {message}")

    def repair(self, reason: str, message: str, origin: Origin, count: int = 1) -> None:
        """Count `count` repairs of one kind ("illegal tag transition") in one row."""
        self._count(self.repaired, reason, count, f"{origin}: {message}")

    def told(self) -> Iterator[tuple[str, str]]:
        """Yield what was left out and what was repaired, with how many rows and an example."""
        for what, counts in (("left out", self.skipped), ("repaired", self.repaired)):
            for reason, count in counts.items():
                yield what, f"{count} x {reason}, e.g. {self.examples[reason][0]}"

    def note(self, sentence: str) -> None:
        """Add a sentence to the notes, unless it is there already."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _count(self, counts: dict[str, int], reason: str, count: int, example: str) -> None:
        counts[reason] = counts.get(reason, 0) + count
        kept = self.examples.setdefault(reason, [])
        if len(kept) < self.EXAMPLES_KEPT:
            kept.append(example)
