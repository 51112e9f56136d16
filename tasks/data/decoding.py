"""Decoding: from a file to its bytes, unpacked if it is compressed, and from bytes to text."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from tasks.errors import InputError, did_you_mean

GZIP, XZ, ZIP = b"\x1f\x8b", b"\xfd7zXZ", b"PK\x03\x04"
BZIP2 = tuple(b"BZh%d1AY&SY" % level for level in range(1, 10))

COMPRESSIONS: dict[bytes, Callable[[bytes], bytes]] = {
    GZIP: gzip.decompress,
    **dict.fromkeys(BZIP2, bz2.decompress),
    XZ: lzma.decompress,
}
"By the first bytes of a file: how to unpack it."
UNPACKING_ERRORS = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError)
"What the libraries raise for a packed file that is damaged."

COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")

BINARY_SIGNATURES = {
    b"PAR1": "a Parquet file: data.format=parquet reads it",
    b"ARROW1": "an Arrow file: data.format=arrow reads it",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel sheet (.xls): save it as .xlsx or CSV",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"\x80\x03": "a Python pickle, which can carry code: save the rows as JSON lines or CSV",
    b"\x80\x04": "a Python pickle, which can carry code: save the rows as JSON lines or CSV",
    b"\x80\x05": "a Python pickle, which can carry code: save the rows as JSON lines or CSV",
    b"x\x01": "binary, packed with zlib as spaCy's DocBin (.spacy) is: data.format=docbin reads one",
    b"x\x9c": "binary, packed with zlib as spaCy's DocBin (.spacy) is: data.format=docbin reads one",
    b"x\xda": "binary, packed with zlib as spaCy's DocBin (.spacy) is: data.format=docbin reads one",
}
FOREIGN_TEXTS = {
    b"version https://git-lfs.github.com/spec": "a pointer of Git LFS, not the file itself: git lfs pull",
    b"<!doctype html": "an HTML page, perhaps of a download that asked to log in",
    b"<html": "an HTML page, perhaps of a download that asked to log in",
    b"<?xml": "XML, which is not read: save the rows as JSON lines or CSV",
    b"#format=webanno": "WebAnno's or INCEpTION's TSV: export CoNLL instead",
    b"{\\rtf": "a text with formatting (RTF): save it as plain text",
}
"By the first bytes of a text, in lower case: what it is instead of rows."
FOREIGN_ENCODINGS = (
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
)
"Encodings of languages that are not Western, from China to Arabia."
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked if it is packed with gzip, bzip2 or xz, or is a zip archive of one file.

    An Excel workbook is a zip archive too, and is returned as it is.

    Raises:
        InputError: the file can't be read or unpacked, or the archive does not hold exactly one file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    return unpack(data, path)


def unpack(data: bytes, path: Path) -> bytes:
    """Return the bytes of a file, unpacked as `read_bytes` does it.

    Raises:
        InputError: they can't be unpacked, or are an archive that does not hold exactly one file.
    """
    try:
        for start, decompress in COMPRESSIONS.items():
            if data.startswith(start):
                return decompress(data)
        member = zip_member(path, data) if data.startswith(ZIP) else None
        return data if member is None else zipfile.ZipFile(BytesIO(data)).read(member)
    except UNPACKING_ERRORS as error:
        raise InputError(f"{path}: can't be unpacked: {error}") from error


def zip_member(path: Path, data: bytes) -> str | None:
    """Return the name of the only file in a zip archive, or None for an Excel workbook.

    Raises:
        InputError: the archive holds no file, or several.
    """
    names = [name for name in zipfile.ZipFile(BytesIO(data)).namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in names:
        return None
    names = [name for name in names if not name.startswith("__MACOSX/") and not name.endswith(".DS_Store")]
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    raise InputError(f"{path}: the archive holds {len(names)} files, not one: unpack it first ({shown})")


def decode(data: bytes, encoding: str, path: Path) -> str:
    r"""Return the text that bytes stand for, without byte order mark. Line ends are as in the file.

    Bytes that begin with the byte order mark of UTF-16 or UTF-32 are decoded as such, whatever `encoding` says.

    >>> decode(b"\xef\xbb\xbfwarm beds", "utf-8", Path("lodge.csv"))
    'warm beds'

    Raises:
        InputError: the bytes are not text in this encoding; names the line, and an encoding that may fit.
    """
    encoding = marked_encoding(data) or encoding
    refuse_binary(data, path, encoding)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise undecodable(error, 1, encoding, path) from error
    except (LookupError, UnicodeError) as error:
        raise no_encoding(encoding) from error
    return text.lstrip("\ufeff")


def no_encoding(encoding: str) -> InputError:
    """Return the error for the name of an encoding that there is not, or not for texts."""
    near = did_you_mean(encoding, ("utf-8", "utf-16", "latin-1", "cp1252", "ascii"))
    return InputError(f"data.encoding={encoding}: no such text encoding.{near}")


def undecodable(error: UnicodeDecodeError, first_line: int, encoding: str, path: Path) -> InputError:
    """Return the error for bytes that are not text in an encoding: the line, and an encoding that may fit.

    Args:
        error: what decoding raised, with the bytes that it was given.
        first_line: the line of the file that these bytes begin in.
        encoding: the encoding that they are not in.
        path: the file.
    """
    data, fault = error.object, error.start
    line = first_line + data.count(b"\n", 0, fault)
    return InputError(f"{path}, line {line}: byte 0x{data[fault]:02x} is not valid {encoding}. {_way_out(data, fault)}")


def with_plain_line_ends(text: str) -> str:
    r"""Return the text with lines that end in `\n`.

    >>> with_plain_line_ends("text,label\r\nwarm beds,good\r\n")
    'text,label\nwarm beds,good\n'
    """
    # Where files were joined, a line may begin with the mark of the second one.
    text = text.replace("\r\n", "\n").replace("\n\ufeff", "\n")
    # A lone carriage return ends a line only in files without any newline; in other files it is part of a text.
    return text if "\n" in text else text.replace("\r", "\n")


def decode_file(path: Path, encoding: str) -> str:
    """Return a file's text with plain line ends.

    Raises:
        InputError: the file can't be read, or is not text in this encoding.
    """
    return with_plain_line_ends(decode(read_bytes(path), encoding, path))


def marked_encoding(data: bytes) -> str | None:
    """Return the encoding that a byte order mark at the beginning stands for. None: there is none, or UTF-8's."""
    if data.startswith(UTF_32):
        return "utf-32"
    return "utf-16" if data.startswith(UTF_16) else None


def refuse_binary(data: bytes, path: Path, encoding: str) -> None:
    """Raise an error that says what a file is that holds no rows, as far as its first bytes tell.

    Raises:
        InputError: the bytes are no text, or a text of another kind.
    """
    for start, what in BINARY_SIGNATURES.items():
        if data.startswith(start):
            raise InputError(f"{path}: is {what}")
    if data.startswith(ZIP):
        raise InputError(f"{path}: is an Excel workbook: data.format=xlsx reads it")
    text = data[:100].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, what in FOREIGN_TEXTS.items():
        if text.startswith(start):
            raise InputError(f"{path}: is {what}")
    beginning = data[:1000]
    is_wide = encoding.casefold().replace("-", "").replace("_", "").startswith(("utf16", "utf32"))
    if not is_wide and beginning.count(0) > len(beginning) / 10:
        halves = beginning[::2].count(0), beginning[1::2].count(0)
        if min(halves) == 0:
            guess = "utf-16-le" if halves[0] == 0 else "utf-16-be"
            raise InputError(f"{path}: every other byte is zero, as in UTF-16 without its mark: data.encoding={guess}")
        raise InputError(f"{path}: is a binary file, not text")


def _way_out(data: bytes, fault: int) -> str:
    """Return what may be typed for bytes that are not in the expected encoding; `fault` is the first that is not."""
    as_utf_8 = data.decode("utf-8", "replace")
    bad = as_utf_8.count("\ufffd")
    if bad and sum(not sign.isascii() for sign in as_utf_8) > 3 * bad:
        return f"The rest of the file is UTF-8, except for {bad} such bytes: mend them, or leave these lines out"
    western = _fitting_encoding(data)
    if not bad:
        return f"This may fit: data.encoding={western}"
    begin = max(data.rfind(b"\n", 0, fault) + 1, fault - 20)
    line = data[begin : fault + 40].partition(b"\n")[0]
    # Letters of Western languages rarely have two such bytes in a row. Only a reader can tell which of these is meant.
    foreign = re.findall(rb"[\x80-\xff]{2,}", data)
    if 2 * sum(map(len, foreign)) <= len(re.findall(rb"[\x80-\xff]", data)):
        return f"This would read {line.decode(western, 'ignore').strip()!r}, and may fit: data.encoding={western}"
    choices = []
    for candidate in FOREIGN_ENCODINGS:
        with suppress(UnicodeDecodeError):
            data.decode(candidate)
            choices.append(f"data.encoding={candidate} reads {line.decode(candidate, 'ignore').strip()!r}")
    return "\n  ".join(["Which of these is a text?", *choices, f"None: data.encoding={western}"])


def _fitting_encoding(data: bytes) -> str:
    # These bytes are quotes, dashes and the euro sign in Windows encodings, but nobody uses them in Latin-1.
    candidates = ("utf-8", "cp1252") if re.search(rb"[\x80-\x9f]", data) else ("utf-8",)
    for candidate in candidates:
        try:
            data.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return "latin-1"
