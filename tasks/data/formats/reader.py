"""What a reader is: how it recognises its files, how it reads them, and what it calls them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from tasks.data.formats.portions import Portions
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record


class Confidence(IntEnum):
    """How sure a reader is that a file is one of its kind.

    One certain reader wins over all likely ones. Two certain readers, or without a certain one two likely ones, are a
    question to the user.
    """

    NO = 0
    LIKELY = 1
    CERTAIN = 2


@dataclass(frozen=True)
class Contents:
    """The records of a file, and in words what the file turned out to be, such as "CSV with ';' between columns"."""

    records: list[Record]
    what: str


Read: TypeAlias = Callable[[Source, DataOptions, ReadReport], Contents]
"A function that reads a file and reports bad rows. It raises `InputError` if the file can't be read."

InPortions: TypeAlias = Callable[[Beginning, DataOptions, ReadReport], Portions | None]
"""A function that decides by a file's beginning how its portions are read, or returns None if this file has none. It
raises `InputError` if the file can't be read."""


@dataclass(frozen=True)
class Reader:
    """A format or an annotation tool: the value of `data.format` that chooses it, and its functions."""

    name: str
    recognise: Callable[[Source], Confidence]
    "Looks at the beginning of a file, and raises nothing."
    read: Read
    folders: bool = field(default=False)
    "Whether it reads folders. Readers of folders are asked about folders only, the others about files only."
    in_portions: InPortions | None = None
    "How it reads files that are larger than memory. None: whole files only."


def certain_if(condition: bool) -> Confidence:
    """Return certain or no."""
    return Confidence.CERTAIN if condition else Confidence.NO
