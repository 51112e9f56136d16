"""What the user reads while a run goes on: printed once, however many processes there are."""

import os
import re
import sys
from pathlib import Path

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"Characters that a terminal obeys, but for the new line and the tabulator."


def is_main_process() -> bool:
    """Tell whether this process prints for the run: the first of all that a launcher started, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def escape_control_characters(text: str) -> str:
    r"""Show control characters instead of obeying them: texts and labels of data sets are printed, too.

    >>> escape_control_characters("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def say(message: str = "") -> None:
    """Print a line, in the main process only."""
    if is_main_process():
        _print("stdout", message)


def complain(message: str) -> None:
    """Print an error to standard error, in the main process only."""
    if is_main_process():
        complain_in_any_process(message)


def complain_in_any_process(message: str) -> None:
    """Print an error to standard error, whichever process this is: the main one may not know of it."""
    _print("stderr", message)


def _print(stream: str, message: str) -> None:
    try:
        print(escape_control_characters(message), file=getattr(sys, stream), flush=True)
    except OSError:
        # The reader has gone (`| head`, a closed terminal). That is no reason to end a training.
        setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def say_field(name: str, text: str) -> None:
    """Print a line with a name in a column of its own, then the text. An empty name goes on with the field before."""
    say(f"{name:<11} {text}")


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
