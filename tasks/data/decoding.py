"""Decoding: from the bytes of a file to its text."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.errors import InputError, did_you_mean

BINARY_SIGNATURES = {
    b"PAR1": "a Parquet file: data.format=parquet reads it",
    b"\x1f\x8b": "packed with gzip: unpack it first",
    b"BZh": "packed with bzip2: unpack it first",
    b"\xfd7zXZ": "packed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first",
    b"PK\x03\x04": "a zip archive or an Excel sheet: unpack it, or save the sheet as CSV",
}


@dataclass(frozen=True)
class Source:
    """A file that rows are read from, and the encoding of its text."""

    path: Path
    encoding: str

    @cached_property
    def text(self) -> str:
        """The file's text; `decode_file` decodes it on first access."""
        return decode_file(self.path, self.encoding)


def decode_file(path: Path, encoding: str) -> str:
    r"""Return a file's text without byte order mark. Its lines end in `\n`.

    >>> decode_file(Path("lodge.csv"), "utf-8")  # b"\xef\xbb\xbftext,label\r\nwarm beds,good\r\n"
    'text,label\nwarm beds,good\n'

    Raises:
        InputError: the file can't be read, or is not text in this encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    for start, what in BINARY_SIGNATURES.items():
        if data.startswith(start):
            raise InputError(f"{path}: is {what}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not valid {encoding}. "
            f"This may fit: data.encoding={_fitting_encoding(data)}"
        ) from error
    except (LookupError, UnicodeError) as error:
        near = did_you_mean(encoding, ("utf-8", "utf-16", "latin-1", "cp1252", "ascii"))
        raise InputError(f"data.encoding={encoding}: no such text encoding.{near}") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    # A lone carriage return ends a line only in files without any newline; in other files it is part of a text.
    return text if "\n" in text else text.replace("\r", "\n")


def _fitting_encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # These bytes are quotes, dashes and the euro sign in Windows encodings, but nobody uses them in Latin-1.
    candidates = ("utf-8", "cp1252") if re.search(rb"[\x80-\x9f]", data) else ("utf-8",)
    for candidate in candidates:
        try:
            data.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return "latin-1"
