"""The text of files of any size: decoded, with plain line ends, and cut at line ends."""

import codecs
import sys
from collections.abc import Callable
from pathlib import Path

from tasks.data.decoding import marked_encoding, no_encoding, refuse_binary, undecodable

CHUNK = 1 << 16
"How many bytes are decoded at a time."
MARK = "\ufeff"


class TextStream:
    """The text of a file, the same that `decode` and `with_plain_line_ends` make of all its bytes.

    Attributes:
        encoding: the encoding that the bytes are decoded from.
    """

    def __init__(self, read: Callable[[int], bytes], beginning: bytes, encoding: str, path: Path) -> None:
        """Begin to decode bytes.

        Args:
            read: returns the next bytes, as many as it is asked for, or fewer at the end.
            beginning: the first bytes, which `read` returns, too.
            encoding: the encoding of the text, unless it begins with the mark of another one.
            path: names the file in errors.

        Raises:
            InputError: the bytes are no text, or the encoding is none of texts that can be decoded in parts.
        """
        self.encoding = marked_encoding(beginning) or encoding
        refuse_binary(beginning, path, self.encoding)
        self._read, self._path = read, path
        self._decoder = _decoder(self.encoding, beginning)
        self._text, self._position = "", 0
        self._unfinished: list[str] = []
        self._has_begun, self._has_lines, self._is_decoded = False, False, False
        self._lines = 1

    def peek(self, size: int) -> tuple[str, bool]:
        """Return the next lines, and whether more text follows.

        They have `size` characters or more, if there are as many, and are read again by `take`.

        Raises:
            InputError: the bytes are not text in this encoding.
        """
        self._fill(size)
        end = self._text.find("\n", self._position + max(size, 1) - 1)
        end = len(self._text) if end == -1 else end + 1
        return self._text[self._position : end], end < len(self._text) or not self._is_decoded

    def take(self, size: int) -> tuple[str, bool]:
        """Return the next lines, and whether more text follows. They have `size` characters or more, as for `peek`.

        Raises:
            InputError: the bytes are not text in this encoding.
        """
        text, goes_on = self.peek(size)
        self._position += len(text)
        return text, goes_on

    def skip(self, size: int) -> str:
        """Return the next characters of what `peek` has returned, and go on behind them."""
        text = self._text[self._position : self._position + size]
        self._position += size
        return text

    def _fill(self, size: int) -> None:
        """Have `size` characters or more of text at hand, if there are as many."""
        parts = [self._text[self._position :]]
        missing = size - len(parts[0])
        if missing <= 0 or self._is_decoded:
            return
        while missing > 0 and not self._is_decoded:
            parts.append(self._with_plain_line_ends(self._decoded_lines()))
            missing -= len(parts[-1])
        self._text, self._position = "".join(parts), 0

    def _decoded_lines(self) -> str:
        """Return the lines that end in the next bytes, which may be none; at the end of the file, what is left."""
        data = self._read(CHUNK)
        self._is_decoded = not data
        try:
            text = self._decoder.decode(data, final=self._is_decoded)
        except UnicodeDecodeError as error:
            raise undecodable(error, self._lines, self.encoding, self._path) from error
        except UnicodeError as error:
            raise no_encoding(self.encoding) from error
        if not self._has_begun:
            text = text.lstrip(MARK)
        self._has_begun = self._has_begun or bool(text)
        self._lines += text.count("\n")
        end = len(text) if self._is_decoded else text.rfind("\n") + 1
        if not end and not self._is_decoded:
            self._unfinished.append(text)
            return ""
        lines, self._unfinished = "".join([*self._unfinished, text[:end]]), [text[end:]]
        return lines

    def _with_plain_line_ends(self, lines: str) -> str:
        lines = lines.replace("\r\n", "\n").replace(f"\n{MARK}", "\n")
        if self._has_lines:
            return lines.removeprefix(MARK)
        self._has_lines = "\n" in lines
        # A file without any newline is all here when it is decoded to its end.
        return lines if self._has_lines else lines.replace("\r", "\n")


def _decoder(encoding: str, beginning: bytes) -> codecs.IncrementalDecoder:
    """Return what decodes bytes in parts.

    Raises:
        InputError: there is no such encoding.
    """
    try:
        name = codecs.lookup(encoding).name
        if name in ("utf-16", "utf-32") and marked_encoding(beginning) is None:
            # Decoding all bytes takes the order of this machine, too. In parts, there would have to be a mark.
            encoding = f"{name}-{'le' if sys.byteorder == 'little' else 'be'}"
        decoder = codecs.getincrementaldecoder(encoding)()
        decodes_texts = isinstance(decoder.decode(b""), str)
    except (LookupError, UnicodeError) as error:
        raise no_encoding(encoding) from error
    if not decodes_texts:
        raise no_encoding(encoding)
    return decoder
