"""Which format a file is in, by its extension or its content."""

import re
from pathlib import Path

from tasks.data.formats.readers import READERS
from tasks.errors import InputError

FORMAT_OF_SUFFIX = {suffix: name for name, reader in READERS.items() for suffix in reader.suffixes}
LINES_LOOKED_AT = 200
TAG = re.compile(r"O|[BILUESM]-\S+|[A-Z][A-Za-z_]*")


def suffix_format(path: Path) -> str | None:
    """Return the format that a file's extension settles alone. None: its content has to be looked at."""
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
    return next((kind for kind, separator in (("tsv", "\t"), ("csv", ",")) if _agree(lines, separator)), None)


def _json_format(text: str) -> str:
    # As keys these names are followed by a colon; inside a string their quotes would be escaped.
    if re.search(r'"paragraphs"\s*:', text) and re.search(r'"qas"\s*:', text):
        return "squad"
    first, _, rest = text.lstrip().partition("\n")
    is_lines = first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")
    return "jsonl" if is_lines else "json"


def _looks_like_conll(lines: list[str]) -> bool:
    """Say whether there are blocks of lines of at least two columns, the last one a tag."""
    content = [line for line in lines if not line.startswith(("#", "-DOCSTART-"))]
    rows = [line.split() for line in content if line.strip()]
    if not rows or any(len(row) < 2 or not TAG.fullmatch(row[-1]) for row in rows):
        return False
    has_blocks = any(not line.strip() for line in "\n".join(content).strip().split("\n"))
    return has_blocks and any(row[-1] == "O" for row in rows)


def _agree(lines: list[str], separator: str) -> bool:
    """Say whether the first lines hold the separator equally often, and at all, not counting what is in quotes."""
    counts = {re.sub(r'"[^"]*"', "", line).count(separator) for line in lines[:10] if line.strip()}
    return len(counts) == 1 and 0 not in counts
