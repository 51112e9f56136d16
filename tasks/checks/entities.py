"""What is doubtful in sentences with tagged entities."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import regex

from tasks.checks.borders import border_checks
from tasks.checks.finding import Finding, finding, percent
from tasks.checks.tagged import Entity, Tagged, Words, around, entities_of, grade_of
from tasks.data.records import Origin
from tasks.overrides import hydra_literal, shell_word
from tasks.tags import spans

FEWEST_WORDS = 20
"Fewer words may begin alike by chance."
PREFIXED = 0.98
"From this share of words on, a prefix belongs to the file. Blank or broken words may lack it."
FEW_AMBIGUOUS = 0.02
"Below this share, entities with several types are a note: places that are named after people are no mistake."
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
PLAIN_SIGNS = frozenset(":/")
"Signs at the end of a prefix that need no quotes."
_PREFIX = regex.compile(r"\p{L}{2,}(?:-\p{L}+)*[:|=#/]")
_LETTER = regex.compile(r"\p{L}")


def entity_checks(train: Sequence[Tagged], splits: Mapping[str, Sequence[Tagged]]) -> Iterator[Finding]:
    """Yield what is doubtful in tagged sentences.

    Args:
        train: the training sentences. Nearly all checks look at these only.
        splits: the sentences of every split by its name, those of `train` among them.
    """
    entities = list(entities_of(train))
    yield from _token_prefix(train)
    yield from _ambiguous(entities)
    yield from _untagged(train, entities)
    yield from border_checks(train, entities)
    yield from _long(entities)
    yield from _sparse(splits)


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
        grade_of(len(unusual), len(entities), FEW_AMBIGUOUS),
        f"{len(unusual):,} of {len(entities):,} training entities ({percent(len(unusual), len(entities))}) have "
        f"another type than the same words mostly have, with {len(counts)} different texts",
        len(unusual),
        len(entities),
        examples,
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common())


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
        f"{count:,} of {everywhere:,} places ({percent(count, everywhere)}) with words that are mostly tagged as an "
        f"entity are not tagged in training ({len(overlooked):,} different texts)",
        count,
        everywhere,
        (_overlooked_example(words, known[words], overlooked[words]) for words in _surest(overlooked, known)),
    )


def _surest(overlooked: Mapping[Words, Sequence[object]], known: Mapping[Words, int]) -> list[Words]:
    """Return the words whose tags are the least doubtful first."""
    return sorted(overlooked, key=lambda words: (len(overlooked[words]) / known[words], words))


def _overlooked_example(words: Words, tagged: int, found: Sequence[tuple[Tagged, int]]) -> tuple[str, Origin]:
    sentence, start = found[0]
    shown = around(sentence, start, start + len(words))
    return f"{shown} (tagged {tagged} times, untagged {len(found)})", sentence.origin


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
