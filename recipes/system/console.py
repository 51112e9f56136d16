"""Console output for the user. Of several processes, only the main one prints."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"Control characters, which a terminal would interpret; newline and tab are not among them."


_quiet = ContextVar("quiet", default=False)


def is_main_process() -> bool:
    """Tell whether this is the main process: the first of those that a launcher started, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def escape_control_characters(text: str) -> str:
    r"""Escape control characters, so that texts and labels of data sets can't control the terminal.

    >>> escape_control_characters("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def say(message: str = "") -> None:
    """Print a line, in the main process only, and not within `quietly`."""
    if is_main_process() and not _quiet.get():
        _print("stdout", message)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep back what would be said, but no complaints: what runs within is one of many."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def complain(message: str) -> None:
    """Print an error to standard error, in the main process only."""
    if is_main_process():
        complain_in_any_process(message)


def complain_in_any_process(message: str) -> None:
    """Print an error to standard error from any process, for errors that the main process may not know of."""
    _print("stderr", message)


def _print(stream: str, message: str) -> None:
    try:
        print(escape_control_characters(message), file=getattr(sys, stream), flush=True)
    except OSError:
        # The reader has gone (`| head`, a closed terminal). That is no reason to end a training.
        setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def say_field(name: str, text: str) -> None:
    """Print a name in a column of fixed width, then the text. An empty name continues the field above."""
    say(f"{name:<11} {text}")


def counted(number: int, thing: str) -> str:
    """Write a number of things.

    >>> counted(1, "seed"), counted(1200, "row")
    ('1 seed', '1,200 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a duration as a person would.

    >>> duration(4.2), duration(75), duration(7300)
    ('4.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(rows: list[list[str]]) -> str:
    """Align rows of cells in columns; the first row is the header. Columns of numbers are right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [all(_is_number(row[column]) for row in rows[1:]) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell in ("", "-")
    return True
