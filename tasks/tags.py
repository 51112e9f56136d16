"""Tag schemes of NER: convert IOB1, IOB2, BIOES and bare types to IOB2. Only this module parses prefixes.

A tag is `O`, or a prefix and a type joined by the first hyphen, so that types may hold hyphens themselves
(`B-creative-work`). A span is `(type, start, end)` in words, `end` exclusive.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

SCHEMES = ("auto", "iob1", "iob2", "bioes", "bare")

Span: TypeAlias = tuple[str, int, int]

BEGIN, INSIDE, END, SINGLE = "B", "I", "E", "S"
# BILOU and BMES name the same four positions with other letters.
_PREFIXES = {"B": BEGIN, "I": INSIDE, "M": INSIDE, "E": END, "L": END, "S": SINGLE, "U": SINGLE}


class Tag(NamedTuple):
    """A tag, split into its parts. `prefix` is empty for `O` and for bare types."""

    prefix: str
    type: str


def split_tag(tag: str) -> Tag:
    """Split a tag into its prefix and its type.

    >>> split_tag("B-creative-work")
    Tag(prefix='B', type='creative-work')
    >>> split_tag("O")
    Tag(prefix='', type='')

    Raises:
        ValueError: the tag has no known prefix or no type.
    """
    if tag == "O":
        return Tag("", "")
    letter, hyphen, kind = tag.partition("-")
    if letter not in _PREFIXES or not hyphen or not kind:
        raise ValueError(f"tag {tag!r} is neither 'O' nor a prefix and a type such as 'B-person'")
    return Tag(_PREFIXES[letter], kind)


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """Detect the scheme of tagged sentences from the prefixes in use and from how entities begin.

    The scheme is bare types if most tags have no prefix, and BIOES if end or single marks occur. If only B and I
    occur, it is IOB1 if more entities begin with I than with B, and otherwise IOB2.
    """
    bare = prefixed = begins_with_b = begins_with_i = 0
    letters: set[str] = set()
    for tags in sentences:
        previous = Tag("", "")
        for tag in tags:
            try:
                current = split_tag(tag)
            except ValueError:
                bare += 1
                current = Tag("", "")
            prefixed += bool(current.prefix)
            letters.add(current.prefix)
            begins_with_b += current.prefix == BEGIN
            begins_with_i += current.prefix == INSIDE and previous.type != current.type
            previous = current
    if bare > prefixed:
        return "bare"
    if END in letters or SINGLE in letters:
        return "bioes"
    return "iob1" if begins_with_i > begins_with_b else "iob2"


def to_iob2(tags: Sequence[str], scheme: str) -> tuple[list[str], int]:
    """Write tags of any scheme as IOB2, and count the illegal transitions that were repaired.

    Repairs follow conlleval: an entity begins where a type begins, whatever the prefix says. Bare types have no
    illegal transitions. IOB1 has only one: a `B` with no entity of its type before it.

    >>> to_iob2(["I-PER", "I-PER", "B-PER", "O"], "iob1")
    (['B-PER', 'I-PER', 'B-PER', 'O'], 0)
    >>> to_iob2(["O", "I-PER", "I-ORG"], "iob2")
    (['O', 'B-PER', 'B-ORG'], 2)
    >>> to_iob2(["PER", "PER", "O", "LOC"], "bare")
    (['B-PER', 'I-PER', 'O', 'B-LOC'], 0)

    Raises:
        ValueError: a tag does not belong to the scheme.
    """
    written: list[str] = []
    repairs = 0
    previous = Tag("", "")
    for tag in tags:
        current = _split(tag, scheme)
        if not current.type:
            written.append("O")
        else:
            begins, legal = _begins(previous, current, scheme)
            written.append(f"{BEGIN if begins else INSIDE}-{current.type}")
            repairs += not legal
        if scheme == "bioes" and previous.prefix in (BEGIN, INSIDE) and not _continues(previous, current):
            repairs += 1  # an entity that was left open
        previous = current
    if scheme == "bioes" and previous.prefix in (BEGIN, INSIDE):
        repairs += 1
    return written, repairs


def _split(tag: str, scheme: str) -> Tag:
    if scheme != "bare":
        return split_tag(tag)
    if not tag:
        raise ValueError("the tag is empty")
    return Tag("", "" if tag == "O" else tag)


def _begins(previous: Tag, current: Tag, scheme: str) -> tuple[bool, bool]:
    """Return whether `current` begins an entity, and whether the scheme allows it to stand after `previous`."""
    same_type = previous.type == current.type
    if scheme == "bare":
        return not same_type, True
    if scheme == "iob1":
        return current.prefix == BEGIN or not same_type, current.prefix != BEGIN or same_type
    if scheme == "iob2":
        return current.prefix == BEGIN or not same_type, current.prefix == BEGIN or same_type
    if current.prefix in (BEGIN, SINGLE):
        return True, True
    continues = _continues(previous, current)
    return not continues, continues


def _continues(previous: Tag, current: Tag) -> bool:
    return previous.type == current.type and previous.prefix in (BEGIN, INSIDE) and current.prefix in (INSIDE, END)


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities of IOB2 tags. An `I` without an entity to continue begins a new one, as in conlleval.

    >>> spans(["B-PER", "I-PER", "O", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4)]
    """
    found: list[Span] = []
    for position, tag in enumerate(tags):
        prefix, kind = split_tag(tag)
        if not kind:
            continue
        if prefix == INSIDE and found and found[-1][0] == kind and found[-1][2] == position:
            found[-1] = (kind, found[-1][1], position + 1)
        else:
            found.append((kind, position, position + 1))
    return found
