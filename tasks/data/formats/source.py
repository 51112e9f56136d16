"""A file on its way to records: its bytes, its text and its JSON values, each worked out once, when first asked for."""

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

    @property
    def file(self) -> str:
        """The path, for origins and errors."""
        return str(self.path)

    @cached_property
    def name(self) -> str:
        """The file's name without the extension of a compression; for a zip archive, the name of its only file."""
        if self.path.is_dir() or self.path.suffix.lower() not in COMPRESSED_SUFFIXES:
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
