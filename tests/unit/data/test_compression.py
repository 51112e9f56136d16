"""Packed files: what is unpacked, and what is refused."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import pytest

from tasks.data.decoding import decode_file
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, recognised, values, written

TEXT = b"text;label\r\nwarm beds;good\r\n"
ROW = {"text": "warm beds", "label": "good"}


def archive(*members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in members:
            packed.writestr(name, TEXT if not name.endswith("/") else b"")
    return file.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", PACK)
def test_packed_files_are_read_as_what_is_in_them(kind: str) -> None:
    assert recognised(f"f.csv.{kind}", PACK[kind](TEXT)) == (
        f"train: f.csv.{kind}: CSV with ';' between columns, 1 row"
    )
    assert values(f"f.csv.{kind}") == [ROW]
    assert values(f"f.jsonl.{kind}", PACK[kind](json_lines(ROW).encode())) == [ROW]
    assert values(f"f.csv.{kind.upper()}", PACK[kind]("text,label\nwarm beds,good".encode("utf-16"))) == [ROW]


@pytest.mark.parametrize("kind", PACK)
def test_the_content_tells_that_a_file_is_packed_whatever_its_name(kind: str) -> None:
    assert values("f.csv", PACK[kind](TEXT)) == [ROW]


def test_a_file_that_is_only_named_so_is_read_as_it_is() -> None:
    assert values("f.csv.gz", TEXT) == [ROW]


@pytest.mark.parametrize(
    "members",
    [
        ("f.csv",),
        ("deep/", "deep/f.csv"),
        ("f.csv", "__MACOSX/._f.csv"),
        ("lodge/f.csv", "lodge/.DS_Store", "__MACOSX/lodge/._f.csv"),
    ],
)
def test_a_zip_archive_of_one_file(members: tuple[str, ...]) -> None:
    assert values("rows.zip", archive(*members)) == [ROW]
    assert values("f.csv", archive(*members)) == [ROW]


def test_the_name_in_an_archive_tells_the_format() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("train.iob2", "Mara B-PER\n")
    assert recognised("rows.zip", file.getvalue()) == "train: rows.zip: CoNLL, 1 sentence"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (("a.csv", "b.csv"), "rows.zip: the archive holds 2 files, not one: unpack it first (a.csv, b.csv)"),
        (("deep/",), "rows.zip: the archive holds 0 files, not one"),
        (tuple("abcdefg"), "(a, b, c, d, e, ...)"),
    ],
)
def test_other_archives_are_refused(members: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as error:
        values("rows.zip", archive(*members))
    assert message in str(error.value)


@pytest.mark.parametrize("kind", PACK)
def test_truncated_files_are_refused(kind: str) -> None:
    packed = PACK[kind](TEXT * 100)
    for length in (len(packed) - 1, len(packed) // 2, 12):
        with pytest.raises(InputError, match=rf"f\.csv\.{kind}: can't be unpacked: "):
            values(f"f.csv.{kind}", packed[:length])


@pytest.mark.parametrize("length", [-1, -30, 40, 10])
def test_truncated_archives_are_refused(length: int) -> None:
    for name in ("rows.zip", "f.csv"):
        with pytest.raises(InputError, match=rf"{name}: can't be unpacked: "):
            values(name, archive("f.csv")[:length])


@pytest.mark.parametrize("kind", PACK)
def test_damaged_files_are_refused(kind: str) -> None:
    packed = bytearray(PACK[kind](bytes(range(256)) * 40))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(InputError, match=rf"f\.csv\.{kind}: can't be unpacked: "):
        values(f"f.csv.{kind}", bytes(packed))


def test_an_archive_with_a_password_is_refused() -> None:
    packed = bytearray(archive("f.csv"))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(header) + flags] |= 1
    with pytest.raises(InputError, match=r"rows\.zip: can't be unpacked: .*encrypted"):
        values("rows.zip", bytes(packed))


@pytest.mark.parametrize("text", ["BZh,label\nBZhang,good\n", "PK,label\nrain,good\n"])
def test_texts_that_begin_like_packed_files(text: str) -> None:
    assert len(values("f.csv", text)) == 1


def test_other_archives_are_named() -> None:
    with pytest.raises(InputError, match=r"f\.csv\.zst: is packed with zstd: unpack it first"):
        decode_file(written("f.csv.zst", b"\x28\xb5\x2f\xfd\x00").path, "utf-8")
