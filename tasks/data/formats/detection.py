"""Detection of a file's format by its extension or its content."""

import re
from pathlib import Path

from tasks.data.formats.readers import READERS
from tasks.errors import InputError

FORMAT_OF_SUFFIX = {suffix: name for name, reader in READERS.items() for suffix in reader.suffixes}
LINES_LOOKED_AT = 200
TAG = re.compile(r"O|[BILUESM]-\S+|[A-Z][A-Za-z_]*")


def suffix_format(path: Path) -> str | None:
    """Return the format if the file's extension alone decides it. None: the content has to decide."""
    return FORMAT_OF_SUFFIX.get(path.suffix.lower())


def detect_format(path: Path, text: str) -> str:
    r"""Return the format of a file by its extension, or else by its content.

    >>> detect_format(Path("train.txt"), "Mara B-person\nleft O\n\nRain O\nfell O\n")
    'conll'

    Raises:
        InputError: neither tells.
    """
    lines = text.split("\n", LINES_LOOKED_AT)[:LINES_LOOKED_AT]
    match path.suffix.lower():
        case ".json":
            return _json_format(text)
        case ".tsv":
            return "conll" if _looks_like_conll(lines) else "tsv"
    detected = suffix_format(path) or _content_format(text, lines)
    if detected is None:
        raise InputError(
            f"{path}: neither name nor content tells the format. Set data.format to one of: {', '.join(READERS)}"
        )
    return detected


def _content_format(text: str, lines: list[str]) -> str | None:
    if re.match(r'\s*(\[\s*)?\{\s*"', text):
        return _json_format(text)
    if _looks_like_conll(lines):
        return "conll"
    return next((kind for kind, separator in (("tsv", "\t"), ("csv", ",")) if _is_separator(lines, separator)), None)


def _json_format(text: str) -> str:
    # Only a key matches: a colon follows a key, and inside a string the quotes would be escaped.
    if re.search(r'"paragraphs"\s*:', text) and re.search(r'"qas"\s*:', text):
        return "squad"
    first, _, rest = text.lstrip().partition("\n")
    is_lines = first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")
    return "jsonl" if is_lines else "json"


def _looks_like_conll(lines: list[str]) -> bool:
    """Tell whether the lines form blocks and have at least two columns each, the last of them a tag."""
    content = [line for line in lines if not line.startswith(("#", "-DOCSTART-"))]
    rows = [line.split() for line in content if line.strip()]
    if not rows or any(len(row) < 2 or not TAG.fullmatch(row[-1]) for row in rows):
        return False
    has_blocks = any(not line.strip() for line in "\n".join(content).strip().split("\n"))
    return has_blocks and any(row[-1] == "O" for row in rows)


def _is_separator(lines: list[str], separator: str) -> bool:
    """Tell whether the first lines all hold the same number of separators, at least one, not counting quoted text."""
    counts = {re.sub(r'"[^"]*"', "", line).count(separator) for line in lines[:10] if line.strip()}
    return len(counts) == 1 and 0 not in counts
