"""A file on its way to records: its bytes, its text and its JSON values, each worked out once, when first asked for.

A large file is looked at by its `Beginning`, and then read `Portion` by portion.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tasks.data.decoding import COMPRESSED_SUFFIXES, ZIP, decode, read_bytes, with_plain_line_ends, zip_member
from tasks.data.formats.json_values import JsonText, read_json_text

LINES_LOOKED_AT = 200
"How many lines at the beginning of a text decide what it is."


@dataclass(frozen=True)
class Source:
    """A file or folder that rows are read from, and the encoding of its text."""

    path: Path
    encoding: str = "utf-8"
    first_line: int = 1
    "The number of the first line of `text`."
    goes_on: bool = False
    "Whether more of the file follows behind `text`."

    @property
    def file(self) -> str:
        """The path, for origins and errors."""
        return str(self.path)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def name(self) -> str:
        """The file's name without the extension of a compression; for a zip archive, the name of its only file."""
        if self.is_folder or self.path.suffix.lower() not in COMPRESSED_SUFFIXES:
            return self.path.name
        if self.path.suffix.lower() == ".zip":
            packed = self.path.read_bytes()
            member = zip_member(self.path, packed) if packed.startswith(ZIP) else None
            if member is not None:
                return Path(member).name
        return self.path.stem

    @property
    def suffix(self) -> str:
        """The extension of `name`, in lower case."""
        return Path(self.name).suffix.lower()

    @cached_property
    def data(self) -> bytes:
        """The file's bytes, unpacked."""
        return read_bytes(self.path)

    @cached_property
    def exact_text(self) -> str:
        """The file's text with the line ends that it has, so that character offsets stay right."""
        return decode(self.data, self.encoding, self.path)

    @cached_property
    def text(self) -> str:
        r"""The file's text with lines that end in `\n`."""
        return with_plain_line_ends(self.exact_text)

    @cached_property
    def lines(self) -> list[str]:
        """The first lines of the text."""
        return self.text.split("\n", LINES_LOOKED_AT)[:LINES_LOOKED_AT]

    @cached_property
    def json(self) -> JsonText | None:
        """The file's JSON values. None if it does not look like JSON."""
        return read_json_text(self.text, self.suffix) if self.text.lstrip()[:1] in ("{", "[") else None

    @property
    def sample(self) -> list[Any]:
        """The first rows of a JSON file, by which annotation tools are told apart; empty for other files."""
        return [] if self.json is None else self.json.sample


@dataclass(frozen=True, kw_only=True)
class GivenSource(Source):
    """A source whose bytes are at hand, unpacked, such as those of standard input. The path only names it."""

    content: bytes

    @property
    def is_folder(self) -> bool:
        """False: folders have no bytes."""
        return False

    @cached_property
    def name(self) -> str:
        """The file's name without the extension of a compression."""
        return self.path.stem if self.path.suffix.lower() in COMPRESSED_SUFFIXES else self.path.name

    @cached_property
    def data(self) -> bytes:
        """The bytes that were given."""
        return self.content


@dataclass(frozen=True, kw_only=True)
class Beginning(GivenSource):
    """The beginning of a file, by which its format is recognised: some bytes and lines, or all of a short file."""

    beginning: str
    "The lines, with plain line ends."

    @cached_property
    def text(self) -> str:
        """The lines."""
        return self.beginning


@dataclass(frozen=True, kw_only=True)
class Portion(Source):
    """Some lines of a file that is read in portions."""

    rows: str
    "The lines, with plain line ends."

    @cached_property
    def text(self) -> str:
        """The lines."""
        return self.rows

    @cached_property
    def json(self) -> JsonText | None:
        """The lines as values: JSON is read in portions only if it has a value on each line."""
        return JsonText(self.rows, "lines")
