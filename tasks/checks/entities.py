"""What is doubtful in sentences with tagged entities."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import regex

from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.data.records import Origin
from tasks.overrides import hydra_literal, shell_word
from tasks.tags import spans

FEWEST_WORDS = 20
"Fewer words may begin alike by chance."
PREFIXED = 0.98
"From this share of words on, a prefix belongs to the file. Blank or broken words may lack it."
FEW = 0.01
"Below this share of entities, a finding is a note: annotators never agree on all."
FEW_AMBIGUOUS = 0.02
"The same for entities with several types: places that are named after people are no mistake."
FEWEST_TAGGED = 2
"Words that were tagged once may have been tagged by mistake."
MANY_UNTAGGED = 0.1
"Above this share of the places where known entities stand, many were overlooked."
LONG = 12
"Entities of more words are long."
FEWEST_SENTENCES = 50
"In fewer sentences, entities may be rare by chance."
SPARSE = 0.95
"Above this share of sentences without an entity, there are hardly any."
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
PLAIN_SIGNS = frozenset(":/")
"Signs at the end of a prefix that need no quotes."
STOPS, PAUSES = frozenset(".!?"), frozenset(",;:")
BRACKETS = {"(": ")", "[": "]"}
QUOTES = frozenset({'"', "'", "`", "``", "''", "“", "”", "„", "‘", "’", "«", "»"})
APOSTROPHES = frozenset({"'", "’", "‘", "`"})

_PREFIX = regex.compile(r"\p{L}{2,}(?:-\p{L}+)*[:|=#/]")
_LETTER = regex.compile(r"\p{L}")
_LETTER_OR_DIGIT = regex.compile(r"[\p{L}\p{N}]")


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
Oddity: TypeAlias = str
"How an entity begins or ends oddly, in words."


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


def entity_checks(train: Sequence[Tagged], splits: Mapping[str, Sequence[Tagged]]) -> Iterator[Finding]:
    """Yield what is doubtful in tagged sentences.

    Args:
        train: the training sentences. Nearly all checks look at these only.
        splits: the sentences of every split by its name, those of `train` among them.
    """
    entities = list(_entities(train))
    yield from _token_prefix(train)
    yield from _ambiguous(entities)
    yield from _untagged(train, entities)
    yield from _odd_borders(train, entities)
    yield from _long(entities)
    yield from _sparse(splits)


def _entities(sentences: Iterable[Tagged]) -> Iterator[Entity]:
    for sentence in sentences:
        for kind, start, end in spans(sentence.tags or ()):
            yield Entity(kind, tuple(sentence.tokens[start:end]), sentence, start, end)


def _token_prefix(sentences: Sequence[Tagged]) -> Iterator[Finding]:
    matches = [_PREFIX.match(word) for sentence in sentences for word in sentence.tokens]
    counts = Counter(match.group() for match in matches if match)
    if len(matches) < FEWEST_WORDS or not counts:
        return
    prefix, count = counts.most_common(1)[0]
    if count >= PREFIXED * len(matches):
        examples = (
            (" ".join(sentence.tokens), sentence.origin)
            for sentence in sentences
            if any(word.startswith(prefix) for word in sentence.tokens)
        )
        removed = shell_word(f"data.token_prefix={prefix if prefix[-1] in PLAIN_SIGNS else hydra_literal(prefix)}")
        yield finding(
            "token_prefix",
            "error",
            f"{count} of {len(matches):,} training words ({percent(count, len(matches))}) begin with {prefix!r}, which "
            f"{removed} removes",
            count,
            len(matches),
            examples,
        )


def _ambiguous(entities: Sequence[Entity]) -> Iterator[Finding]:
    kinds: dict[Words, Counter[str]] = defaultdict(Counter)
    for entity in entities:
        kinds[entity.words][entity.kind] += 1
    # Of types that a surface has equally often, the first one counts as its usual one.
    usual = {words: counts.most_common(1)[0][0] for words, counts in kinds.items() if len(counts) > 1}
    unusual = [entity for entity in entities if entity.kind != usual.get(entity.words, entity.kind)]
    if not unusual:
        return
    counts = Counter(entity.words for entity in unusual)
    first = {entity.words: entity for entity in reversed(unusual)}
    # The more often words have their usual type, the more an unusual one looks like a mistake.
    ranked = sorted(counts, key=lambda words: (counts[words], kinds[words][usual[words]]), reverse=True)
    examples = ((f"{first[words].text}: {_listed(kinds[words])}", first[words].sentence.origin) for words in ranked)
    yield finding(
        "ambiguous_entities",
        _grade(len(unusual), len(entities), FEW_AMBIGUOUS),
        f"{len(unusual):,} of {len(entities):,} training entities ({percent(len(unusual), len(entities))}) have "
        f"another type than the same words mostly have, with {len(counts)} different texts",
        len(unusual),
        len(entities),
        examples,
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common())


def _grade(count: int, of: int, few: float = FEW) -> Grade:
    return "note" if count < few * of else "warning"


def _untagged(sentences: Sequence[Tagged], entities: Sequence[Entity]) -> Iterator[Finding]:
    """Yield a finding on words that are mostly an entity, where none of them is a part of any.

    Words that are more often no entity, such as `May` or `Apple` in some texts, have another meaning there.
    """
    tagged = Counter(entity.words for entity in entities if len(entity.words) <= LONG)
    known = {
        words: count for words, count in tagged.items() if count >= FEWEST_TAGGED and _LETTER.search(" ".join(words))
    }
    places: dict[Words, list[tuple[Tagged, int]]] = defaultdict(list)
    for words, sentence, start in _outside(sentences, known):
        places[words].append((sentence, start))
    overlooked = {words: found for words, found in places.items() if len(found) <= known[words]}
    count = sum(map(len, overlooked.values()))
    if not count:
        return
    everywhere = count + sum(times for words, times in known.items() if words not in places or words in overlooked)
    yield finding(
        "untagged_entities",
        "warning" if count > MANY_UNTAGGED * everywhere else "note",
        f"At {count} of {everywhere:,} places ({percent(count, everywhere)}), training words that are an entity at "
        f"least as often as not are part of none, with {len(overlooked)} different texts",
        count,
        everywhere,
        (_overlooked_example(words, known[words], overlooked[words]) for words in _surest(overlooked, known)),
    )


def _surest(overlooked: Mapping[Words, Sequence[object]], known: Mapping[Words, int]) -> list[Words]:
    """Return the words whose tags are the least doubtful first."""
    return sorted(overlooked, key=lambda words: (len(overlooked[words]) / known[words], words))


def _overlooked_example(words: Words, tagged: int, found: Sequence[tuple[Tagged, int]]) -> tuple[str, Origin]:
    sentence, start = found[0]
    around = _around(sentence, start, start + len(words))
    return f"{around} (tagged {tagged} times, untagged {len(found)})", sentence.origin


def _around(sentence: Tagged, start: int, end: int, words: int = 4) -> str:
    """Return an entity in brackets, with the words around it."""
    before, after = sentence.tokens[max(start - words, 0) : start], sentence.tokens[end : end + words]
    return " ".join([*before, f"[{' '.join(sentence.tokens[start:end])}]", *after])


def _outside(sentences: Iterable[Tagged], known: Mapping[Words, int]) -> Iterator[tuple[Words, Tagged, int]]:
    """Yield where known words stand outside of all entities, and at which word they start. The longest ones win."""
    by_first: dict[str, set[int]] = defaultdict(set)
    for words in known:
        by_first[words[0]].add(len(words))
    lengths = {first: sorted(found, reverse=True) for first, found in by_first.items()}
    for sentence in sentences:
        for first, last in _gaps(sentence):
            position = first
            while position < last:
                for length in lengths.get(sentence.tokens[position], ()):
                    words = tuple(sentence.tokens[position : position + length])
                    if position + length <= last and words in known:
                        yield words, sentence, position
                        position += length
                        break
                else:
                    position += 1


def _gaps(sentence: Tagged) -> Iterator[tuple[int, int]]:
    """Yield the stretches of words between entities. A sentence that nobody has tagged has none."""
    if sentence.tags is None:
        return
    start = 0
    for _, first, last in spans(sentence.tags):
        yield start, first
        start = last
    yield start, len(sentence.tokens)


def _odd_borders(sentences: Sequence[Tagged], entities: Sequence[Entity]) -> Iterator[Finding]:
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
            _grade(len(odd), len(entities)),
            f"{len(odd):,} of {len(entities):,} training entities ({percent(len(odd), len(entities))}) begin or end "
            "with punctuation or an article that hardly belongs to them",
            len(odd),
            len(entities),
            (
                (f"{_around(entity.sentence, entity.start, entity.end)}: {entity.kind} {how}", entity.sentence.origin)
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


def _long(entities: Sequence[Entity]) -> Iterator[Finding]:
    long = [entity for entity in entities if len(entity.words) > LONG]
    if long:
        yield finding(
            "long_entities",
            "note",
            f"{len(long):,} of {len(entities):,} training entities ({percent(len(long), len(entities))}) have more "
            f"than {LONG} words",
            len(long),
            len(entities),
            (
                (f"{entity.kind}, {len(entity.words)} words: {entity.text}", entity.sentence.origin)
                for entity in sorted(long, key=lambda one: -len(one.words))
            ),
        )


def _sparse(splits: Mapping[str, Sequence[Tagged]]) -> Iterator[Finding]:
    """Yield a finding on training if it has hardly any entities, or else on each other split that has."""
    found = {split: one for split, sentences in splits.items() if (one := _sparse_split(split, sentences))}
    yield from [found["train"]] if "train" in found else found.values()


def _sparse_split(split: str, sentences: Sequence[Tagged]) -> Finding | None:
    tagged = [sentence for sentence in sentences if sentence.tags is not None]
    empty = [sentence for sentence in tagged if not spans(sentence.tags or ())]
    if len(tagged) < FEWEST_SENTENCES or len(empty) <= SPARSE * len(tagged):
        return None
    return finding(
        "sparse_entities",
        "warning",
        f"{len(empty):,} of {len(tagged):,} {split} sentences ({percent(len(empty), len(tagged))}) have no entity",
        len(empty),
        len(tagged),
        ((" ".join(sentence.tokens), sentence.origin) for sentence in empty),
    )
