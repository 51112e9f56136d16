"""Tag schemes of NER: convert IOB1, IOB2, BIOES and bare types to IOB2. Only this module parses prefixes.

A tag is `O`, or a prefix and a type joined by the first hyphen, so that types may hold hyphens themselves
(`B-creative-work`). Some files write `B_PER`, `PER-B`, or `0` for `O`; these are read as what they mean, unless the
scheme is bare. A span is `(type, start, end)` in words, `end` exclusive.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from tasks.errors import InputError

SCHEMES = ("auto", "iob1", "iob2", "bioes", "bare")

Span: TypeAlias = tuple[str, int, int]

BEGIN, INSIDE, END, SINGLE = "B", "I", "E", "S"
# BILOU and BMES name the same four positions with other letters.
_PREFIXES = {"B": BEGIN, "I": INSIDE, "M": INSIDE, "E": END, "L": END, "S": SINGLE, "U": SINGLE}

OUTSIDE = ("O", "0")
"How files write that a word belongs to no entity: the letter, or by mistake the digit."
_HYPHEN = re.compile(r"(?P<letter>[BIMELSU])-(?P<type>.+)", re.DOTALL)
_UNDERSCORE = re.compile(r"(?P<letter>[BIMELSU])_(?P<type>.+)", re.DOTALL)
_SUFFIX = re.compile(r"(?P<type>.+)[-_](?P<letter>[BIMELSU])", re.DOTALL)
_LOOKS_PREFIXED = re.compile(r"[BIMELSUbimelsuOo][-_:|/.].+|.+[-_:|/.][BIMELSU]", re.DOTALL)
_NO_TYPE = re.compile(r"[\d.]+|[\W_]+|[BIMELSU][-_]?|.*[\[\](){}'\"*<>,=].*", re.DOTALL)
"Numbers, signs, prefixes without a type, and what looks like a part of something else."


class Tag(NamedTuple):
    """A tag, split into its parts. `prefix` is empty for `O` and for bare types."""

    prefix: str
    type: str


@lru_cache(maxsize=10_000)  # a file has millions of tags, and few that differ
def split_tag(tag: str) -> Tag:
    """Split a tag into its prefix and its type.

    >>> split_tag("B-creative-work")
    Tag(prefix='B', type='creative-work')
    >>> split_tag("O")
    Tag(prefix='', type='')

    >>> split_tag("B_PER") == split_tag("PER-B") == split_tag("B-PER")
    True

    Raises:
        ValueError: the tag has no known prefix or no type.
    """
    if tag in OUTSIDE:
        return Tag("", "")
    match = _HYPHEN.fullmatch(tag) or _UNDERSCORE.fullmatch(tag) or _SUFFIX.fullmatch(tag)
    if match is None:
        raise ValueError(f"tag {tag!r} is neither 'O' nor a prefix and a type such as 'B-person'")
    return Tag(_PREFIXES[match["letter"]], match["type"])


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """Detect the scheme of tagged sentences from the prefixes in use and from how entities begin.

    The scheme is bare types if most tags have no prefix, and BIOES if end or single marks occur. If only B and I
    occur, it is IOB1 if more entities begin with I than with B, and otherwise IOB2.

    Raises:
        InputError: the scheme could only be guessed; names the tags, and what to type.
    """
    sentences = list(sentences)
    _require_plain_scheme({tag for tags in sentences for tag in tags})
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


def _require_plain_scheme(tags: set[str]) -> None:
    """Refuse tags that may be read in several ways, or that are no tags.

    Raises:
        InputError: see above.
    """
    types = tags - set(OUTSIDE)
    if any(_HYPHEN.fullmatch(tag) for tag in types):
        return
    shown = ", ".join(sorted(types)[:5])
    if types and all(tag.isdecimal() for tag in tags):
        raise InputError(
            f"The tags are numbers ({', '.join(sorted(tags, key=int)[:8])}): say what they mean, in order from 0, e.g. "
            "'data.label_names=[O,B-person,I-person]', or a file with one name a line"
        )
    looking = [tag for tag in types if _LOOKS_PREFIXED.fullmatch(tag)]
    if looking:
        for form in (_UNDERSCORE, _SUFFIX):
            parts = [match for tag in types if (match := form.fullmatch(tag))]
            both = {part["type"] for part in parts if part["letter"] == "B"}
            if len(parts) == len(types) and both & {part["type"] for part in parts if part["letter"] in "IMEL"}:
                return
        readable = all(form.fullmatch(tag) for tag in types for form in [_UNDERSCORE if "_" in tag else _SUFFIX])
        marks = "If B and I are marks: task.scheme=iob2" if readable else "Otherwise write them as B-person, I-person"
        raise InputError(
            f"The tags ({shown}) look as if they had prefixes, but not such as B-person. If each is the name of a "
            f"type: task.scheme=bare. {marks}"
        )
    strange = sorted(tag for tag in types if _NO_TYPE.fullmatch(tag))
    if strange:
        raise InputError(
            f"These are no entity types: {', '.join(strange[:5])}. Is data.columns.tags the right column? If each is "
            "the name of a type: task.scheme=bare"
        )
    if types and "O" not in tags:
        raise InputError(
            f"The tags ({shown}) have no prefix such as B-, and none is O, which marks words outside of entities. "
            "Is data.columns.tags the right column? If each is the name of a type: task.scheme=bare"
        )


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


def iob2_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a model as those of IOB2 that give the same entities.

    `to_iob2` lets an inside mark begin an entity where none of its type is open, so that bare types and ends of BIOES
    become inside marks. Types may end as marks do by themselves.

    >>> iob2_labels(["O", "B-PER", "E-PER", "S-PER"])
    ('O', 'B-PER', 'I-PER', 'B-PER')
    >>> iob2_labels(["O", "PER", "SIZE_S"])
    ('O', 'I-PER', 'I-SIZE_S')
    """
    known = set(labels)
    marked = any(
        _HYPHEN.fullmatch(label)
        or (label[:2] == "B_" and f"I_{label[2:]}" in known)
        or (label[-2:] in ("-B", "_B") and f"{label[:-1]}I" in known)
        for label in labels
    )
    return tuple(_iob2_label(label, marked) for label in labels)


def _iob2_label(label: str, marked: bool) -> str:
    try:
        prefix, kind = split_tag(label) if marked or label in OUTSIDE else Tag("", label)
    except ValueError:
        prefix, kind = "", label
    return f"{BEGIN if prefix in (BEGIN, SINGLE) else INSIDE}-{kind}" if kind else "O"
