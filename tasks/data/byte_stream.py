"""The bytes of files of any size, and of standard input, unpacked while they are read."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from tasks.data.decoding import BZIP2, GZIP, UNPACKING_ERRORS, XZ, ZIP, unpack
from tasks.errors import InputError

BEGINNING = 1 << 16
"How many bytes tell whether a file is packed, and whether it is text."


class Readable(Protocol):
    """A file of bytes, of which no more is needed than that it can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes: no more than `size` of them, all if it is -1, and none at the end."""


UNPACKED: Mapping[bytes, Callable[["io.BufferedReader[_Rejoined]"], Readable]] = MappingProxyType(
    {
        GZIP: lambda packed: gzip.GzipFile(fileobj=packed),
        **dict.fromkeys(BZIP2, bz2.BZ2File),
        XZ: lzma.LZMAFile,
    }
)
"By the first bytes of a file: the file that is packed in it."


class ByteStream:
    """The bytes of a file, unpacked if it is packed with gzip, bzip2 or xz. A zip archive is not unpacked.

    Attributes:
        beginning: the first bytes, `BEGINNING` of them if there are as many. They are read again by `read`.
        is_packed: whether the file is packed.
        is_archive: whether it is a zip archive, or an Excel workbook, which is one.
    """

    def __init__(self, file: Readable, path: Path) -> None:
        """Begin to read a file; `path` names it in errors.

        Raises:
            InputError: the file can't be read or unpacked.
        """
        self._path = path
        self._kept: list[bytes] | None = []
        self._file = file
        self.is_packed = False
        first = self._read_fully(BEGINNING)
        unpacked = next((UNPACKED[start] for start in UNPACKED if first.startswith(start)), None)
        self.is_packed, self.is_archive = unpacked is not None, first.startswith(ZIP)
        whole = io.BufferedReader(_Rejoined(first, file))
        self._file = whole if unpacked is None else unpacked(whole)
        self.beginning = self._read_fully(BEGINNING)
        self._ahead = self.beginning

    def read(self, size: int) -> bytes:
        """Return the next bytes: `size` of them, or fewer at the end.

        Raises:
            InputError: the file can't be read or unpacked.
        """
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        data = ahead + self._read_fully(size - len(ahead))
        if self._kept is not None:
            self._kept.append(data)
        return data

    def forget(self) -> None:
        """Keep no bytes any longer that have been read. `whole` can't be asked for afterwards."""
        self._kept = None

    def whole(self) -> bytes:
        """Return all bytes, those that have been read already, too; those of a zip archive of one file, unpacked.

        Raises:
            InputError: the file can't be read or unpacked.
        """
        data = b"".join(self._kept or ()) + self._ahead + self._read_fully(-1)
        return unpack(data, self._path) if self.is_archive else data

    def _read_fully(self, size: int) -> bytes:
        """Return as many bytes as there are, up to `size`. A pipe, or a packed file, gives fewer at a time."""
        parts, missing = [], size
        try:
            while missing and (part := self._file.read(missing)):
                parts.append(part)
                missing -= len(part) if size > 0 else 0
        except UNPACKING_ERRORS as error:
            reason = error.strerror if isinstance(error, OSError) and not self.is_packed else error
            raise InputError(f"{self._path}: can't be {'unpacked' if self.is_packed else 'read'}: {reason}") from error
        return b"".join(parts)


class _Rejoined(io.RawIOBase):
    """A file of which the first bytes have been read already."""

    def __init__(self, first: bytes, rest: Readable) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first[: len(buffer)] or self._rest.read(len(buffer))
        self._first = self._first[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
