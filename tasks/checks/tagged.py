"""Sentences with tagged entities, as the checks see them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from tasks.checks.finding import Grade
from tasks.data.records import Origin
from tasks.tags import spans

FEW = 0.01
"Below this share of entities, a finding is a note: annotators never agree on all."


class Tagged(Protocol):
    """A sentence: its words, and a tag in IOB2 for each, or None if nobody has tagged it."""

    @property
    def tokens(self) -> Sequence[str]:
        """Return the words."""

    @property
    def tags(self) -> Sequence[str] | None:
        """Return the tags."""

    @property
    def origin(self) -> Origin:
        """Return the place of the sentence."""


Words: TypeAlias = tuple[str, ...]


class Entity(NamedTuple):
    """An entity in its sentence, from the word `start` to the one before `end`."""

    kind: str
    words: Words
    sentence: Tagged
    start: int
    end: int

    @property
    def text(self) -> str:
        """Return its words, joined by blanks."""
        return " ".join(self.words)


def entities_of(sentences: Iterable[Tagged]) -> Iterator[Entity]:
    """Yield the entities of sentences, in order."""
    for sentence in sentences:
        for kind, start, end in spans(sentence.tags or ()):
            yield Entity(kind, tuple(sentence.tokens[start:end]), sentence, start, end)


def grade_of(count: int, of: int, few: float = FEW) -> Grade:
    """Return the grade of a finding on so many of all entities: a note if they are few."""
    return "note" if count < few * of else "warning"


def around(sentence: Tagged, start: int, end: int, words: int = 4) -> str:
    """Return an entity in brackets, with the words around it."""
    before, after = sentence.tokens[max(start - words, 0) : start], sentence.tokens[end : end + words]
    return " ".join([*before, f"[{' '.join(sentence.tokens[start:end])}]", *after])
