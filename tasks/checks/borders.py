"""Entities that begin or end oddly: with punctuation or an article that hardly belongs to them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import regex

from tasks.checks.finding import Finding, finding, percent
from tasks.checks.tagged import Entity, Tagged, Words, around, grade_of

SHORT_WORD = 5
"Abbreviations have at most so many characters before their full stop."


ARTICLES = frozenset(
    {
        *("the", "a", "an"),  # English
        *("der", "die", "das", "dem", "den", "des", "ein", "eine", "einen", "einem", "einer"),  # German
        *("le", "la", "les", "un", "une"),  # French
        *("el", "los", "las", "una", "o", "os", "um", "uma"),  # Spanish and Portuguese
        *("il", "lo", "gli"),  # Italian
        *("het", "een", "det", "en", "et", "ett"),  # Dutch, Danish, Norwegian and Swedish
    }
)
STOPS, PAUSES = frozenset(".!?"), frozenset(",;:")
BRACKETS = {"(": ")", "[": "]"}
QUOTES = frozenset({'"', "'", "`", "``", "''", "“", "”", "„", "‘", "’", "«", "»"})
APOSTROPHES = frozenset({"'", "’", "‘", "`"})

_LETTER_OR_DIGIT = regex.compile(r"[\p{L}\p{N}]")

Oddity: TypeAlias = str
"How an entity begins or ends oddly, in words."


def border_checks(sentences: Sequence[Tagged], entities: Sequence[Entity]) -> Iterator[Finding]:
    """Yield a finding on entities with punctuation or an article at an end where others of their type have none."""
    bare = Counter((entity.kind, entity.words) for entity in entities)
    is_abbreviation = _abbreviations(sentences, entities)
    odd = [(entity, how) for entity in entities if (how := _oddity(entity, bare, is_abbreviation))]
    all_of_kind = Counter(entity.kind for entity in entities)
    alike = Counter((entity.kind, how) for entity, how in odd)
    # What most entities of a type have is a rule of the annotators.
    odd = [(entity, how) for entity, how in odd if 2 * alike[entity.kind, how] <= all_of_kind[entity.kind]]
    if odd:
        yield finding(
            "odd_borders",
            grade_of(len(odd), len(entities)),
            f"{len(odd):,} of {len(entities):,} training entities ({percent(len(odd), len(entities))}) begin or end "
            "with punctuation or an article that hardly belongs to them",
            len(odd),
            len(entities),
            (
                (f"{around(entity.sentence, entity.start, entity.end)}: {entity.kind} {how}", entity.sentence.origin)
                for entity, how in odd
            ),
        )


def _oddity(
    entity: Entity, bare: Mapping[tuple[str, Words], int], is_abbreviation: Callable[[str], bool]
) -> Oddity | None:
    """Return how an entity begins or ends oddly.

    Args:
        entity: the entity.
        bare: how often the words are an entity of the type.
        is_abbreviation: whether a full stop behind a word belongs to it.
    """
    first, last = entity.words[0], entity.words[-1]
    if not _LETTER_OR_DIGIT.search(entity.text):
        return "is punctuation" if PAUSES.issuperset(entity.words) or entity.words == (".",) else None

    def more_often_without(rest: Words) -> bool:
        return bare.get((entity.kind, rest), 0) > bare[entity.kind, entity.words]

    if first in PAUSES or (first in STOPS and more_often_without(entity.words[1:])):
        return f"begins with {first}"
    if last in PAUSES or (last in "!?" and more_often_without(entity.words[:-1])):
        return f"ends with {last}"
    if last == "." and not is_abbreviation(entity.words[-2]):
        return f"ends with {last}"
    for sign, side in ((first, "begins"), (last, "ends")):
        if _is_half_a_pair(sign, entity, at_end=side == "ends"):
            return f"{side} with {sign}"
    # In capitals, an article may belong to a name: Las Vegas.
    if first in ARTICLES and more_often_without(entity.words[1:]):
        return f"begins with {first}"
    return None


def _abbreviations(sentences: Sequence[Tagged], entities: Iterable[Entity]) -> Callable[[str], bool]:
    """Return a function that tells whether a full stop behind a word belongs to it, rather than to the sentence."""
    doubtful = {entity.words[-2] for entity in entities if entity.words[-1] == "." and len(entity.words) > 1}
    everywhere, before_stop = Counter[str](), Counter[str]()
    for sentence in sentences if doubtful else ():
        for word, after in zip(sentence.tokens, [*sentence.tokens[1:], ""], strict=True):
            if word in doubtful:
                everywhere[word] += 1
                before_stop[word] += after == "."

    def is_abbreviation(word: str) -> bool:
        # In some languages, a full stop behind a number makes it an ordinal.
        if len(word) == 1 or "." in word or word.isdecimal():
            return True
        return len(word) <= SHORT_WORD and 2 * before_stop[word] >= everywhere[word]

    return is_abbreviation


def _is_half_a_pair(sign: str, entity: Entity, *, at_end: bool) -> bool:
    """Tell whether an entity begins or ends with a bracket or a quote whose other half is not in it."""
    if sign in BRACKETS or sign in BRACKETS.values():
        return not _is_balanced(entity.text)
    if sign not in QUOTES:
        return False
    if sum(word in QUOTES for word in entity.words) % 2 == 0:
        return False
    if sign in APOSTROPHES:
        # By itself it may be an apostrophe, as in `' 80s`.
        tokens = entity.sentence.tokens
        outside = tokens[: entity.start] if at_end else tokens[entity.end :]
        return any(word in APOSTROPHES for word in outside)
    # Behind a number it stands for inches.
    return not (at_end and entity.words[-2][-1:].isdecimal())


def _is_balanced(text: str) -> bool:
    expected: list[str] = []
    for sign in text:
        if sign in BRACKETS:
            expected.append(BRACKETS[sign])
        elif sign in BRACKETS.values() and (not expected or expected.pop() != sign):
            return False
    return not expected
