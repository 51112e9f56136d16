"""What it is to read a file in portions: what is decided once, at the file's beginning, and what is done with each."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from tasks.data.formats.source import Portion
from tasks.data.records import Record


class Portions(ABC):
    """How a file goes on to be read, once its beginning has been looked at.

    Attributes:
        what: in words what the file turned out to be, as in `Contents`.
        start: where in the beginning's text the rows begin; what stands before them is in no portion.
    """

    what: str
    start: int = 0

    @abstractmethod
    def read(self, portion: Portion) -> tuple[list[Record], int]:
        """Return the records of a portion, and how many of its characters they take up.

        What is left over, such as half a row, is the beginning of the next portion. Nothing is left over of the last.
        """

    @abstractmethod
    def finish(self) -> None:
        """Add the notes to the report that can be given only when all portions have been read."""


class PortionsOfLines(Portions):
    """A file with a row on each line."""

    def __init__(self, what: str, read_lines: Callable[[Portion], list[Record]]) -> None:
        self.what = what
        self._read_lines = read_lines

    def read(self, portion: Portion) -> tuple[list[Record], int]:
        """Return the records of all lines."""
        return self._read_lines(portion), len(portion.text)

    def finish(self) -> None:
        """There is nothing to add."""


class PortionsOfBlocks(PortionsOfLines):
    """A file whose rows are blocks of lines with others between them, such as the sentences of a CoNLL file."""

    def __init__(
        self, what: str, read_lines: Callable[[Portion], list[Record]], separates: Callable[[str], bool]
    ) -> None:
        super().__init__(what, read_lines)
        self._separates = separates

    def read(self, portion: Portion) -> tuple[list[Record], int]:
        """Return the records of the lines up to the last one that separates blocks."""
        end = self._last_separator(portion.text) if portion.goes_on else len(portion.text)
        return super().read(replace(portion, rows=portion.text[:end]))

    def _last_separator(self, text: str) -> int:
        """Return where the last line ends that separates blocks, or 0 if there is none."""
        end = len(text)
        while end:
            start = text.rfind("\n", 0, end - 1) + 1
            if self._separates(text[start : end - 1]):
                return end
            end = start
        return 0
