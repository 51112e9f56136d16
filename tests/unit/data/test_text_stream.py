"""Text that is decoded in parts: the same as decoding all bytes at once."""

import io
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.data.decoding import decode, with_plain_line_ends
from tasks.data.text_stream import TextStream
from tasks.errors import InputError

FILE = Path("f.txt")
LITTLE_OR_BIG = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"


def stream(data: bytes, encoding: str = "utf-8") -> TextStream:
    return TextStream(io.BytesIO(data).read, data[:1000], encoding, FILE)


def taken(data: bytes, size: int, encoding: str = "utf-8") -> list[str]:
    text, parts, goes_on = stream(data, encoding), [], True
    while goes_on:
        ahead = text.peek(size)
        part, goes_on = text.take(size)
        assert ahead == (part, goes_on)
        parts.append(part)
    return parts


@settings(max_examples=300)
@given(
    st.text(st.sampled_from("\n\r\ufeffaé😀\u2028\x85")),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "gb18030"]),
    st.integers(1, 9),
    st.integers(1, 9),
)
@example("\ufeff\ufeffa\r\n\ufeff\ufeffb\n\ufeff", "utf-8", 1, 1)
@example("\ufeff\ufeffa\r\n\ufeff\ufeffb\n\ufeff", "utf-8", 99, 1)
@example("a\rb\r", "utf-8", 1, 1)
@example("a\rb\n\rc\r", "utf-8", 1, 1)
def test_the_text_is_that_of_all_bytes(text: str, encoding: str, chunk: int, size: int) -> None:
    data = text.encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.data.text_stream.CHUNK", chunk)
        parts = taken(data, size, encoding)
    assert "".join(parts) == with_plain_line_ends(decode(data, encoding, FILE))
    assert all(part.endswith("\n") and len(part) >= size for part in parts[:-1])


def test_parts_are_whole_lines() -> None:
    assert taken(b"ab\nc\n\ndef\ng", 1) == ["ab\n", "c\n", "\n", "def\n", "g"]
    assert taken(b"ab\nc\n\ndef\ng", 4) == ["ab\nc\n", "\ndef\n", "g"]
    assert taken(b"ab\nc\n\ndef\ng", 100) == ["ab\nc\n\ndef\ng"]
    assert taken(b"", 1) == [""]


def test_what_is_skipped_is_not_taken() -> None:
    text = stream(b"ab\nc\nd\n")
    assert text.peek(4) == ("ab\nc\n", True)
    assert text.skip(2) == "ab"
    assert text.take(1) == ("\n", True)
    assert text.take(9) == ("c\nd\n", False)


def test_the_order_of_bytes_is_that_of_the_machine_if_nothing_tells() -> None:
    data = "warm\nbeds".encode(LITTLE_OR_BIG)
    assert "".join(taken(data, 1, "utf-16")) == decode(data, "utf-16", FILE) == "warm\nbeds"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"warm\nbeds\n\xff\n", "f.txt, line 3: byte 0xff is not valid utf-8"),
        (b"warm\nbed\xc3", "f.txt, line 2: byte 0xc3 is not valid utf-8"),
        ("\ufeffwarm\nbed".encode("utf-16-le")[:-1], "f.txt, line 2: byte 0x64 is not valid utf-16"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 100])
def test_bytes_that_are_no_text(data: bytes, message: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.text_stream.CHUNK", chunk)
    with pytest.raises(InputError) as error:
        taken(data, 1)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("encoding", ["base64", "utf-99", "undefined", "idna"])
def test_encodings_of_no_texts(encoding: str) -> None:
    with pytest.raises(InputError, match=f"^data.encoding={encoding}: no such text encoding"):
        stream(b"xn--a\n", encoding).take(1)
