"""How many rows there are and what they are, in words for the console."""

from collections.abc import Iterable

from tasks.data.annotation.spans import CharacterSpan, read_spans
from tasks.data.records import Record

FIRST = 100
"How many records tell what the rows are."
NOUNS = (("spans", "text"), ("tokens", "sentence"), ("context", "question"))
"What rows are called that have a column, in the order in which the columns are looked for."


class Counted:
    """Rows that have been counted; as a text, such as "24 texts, 2 types"."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: set[str] = set()
        self._types: set[str] = set()

    def add(self, records: Iterable[Record]) -> None:
        """Count more records."""
        for record in records:
            if self.rows < FIRST:
                self._columns |= set(record.values)
            self.rows += 1
            if "spans" in record.values:
                self._types |= {span.label for span in _readable_spans(record)}

    def __str__(self) -> str:
        noun = next((noun for column, noun in NOUNS if column in self._columns), "row")
        counted = _plural(self.rows, noun)
        return f"{counted}, {_plural(len(self._types), 'type')}" if noun == "text" else counted


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _readable_spans(record: Record) -> list[CharacterSpan]:
    try:
        return read_spans(record.values.get("spans"))
    except ValueError:
        return []  # the task reports it
