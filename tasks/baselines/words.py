"""The baseline for named entities: each word has the tag that it has most often in training."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tasks.tags import OUTSIDE, spans, to_iob2

Tagged = tuple[Sequence[str], Sequence[str]]
"The words of a sentence, and their IOB2 tags."


def tags_by_word(train: Iterable[Tagged], sentences: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return tags for the words of sentences. A word that training does not have is outside of entities.

    >>> tags_by_word([(["in", "Oslo"], ["O", "B-place"])], [["Oslo", "in", "May"]])
    [['B-place', 'O', 'O']]
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in train:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    usual = {word: found.most_common(1)[0][0] for word, found in counts.items()}
    return [to_iob2([usual.get(word, OUTSIDE[0]) for word in words], "iob2")[0] for words in sentences]


def unseen_entities(train: Iterable[Tagged], rows: Iterable[Tagged]) -> list[list[bool]]:
    """Return for each entity of each row whether its words are no entity in training.

    >>> unseen_entities([(["Oslo"], ["B-place"])], [(["Oslo", "Bergen"], ["B-place", "B-place"]), (["May"], ["O"])])
    [[False, True], []]
    """
    known = {text for words, tags in train for text in _entities(words, tags)}
    return [[text not in known for text in _entities(words, tags)] for words, tags in rows]


def unseen_share(train: Iterable[Tagged], rows: Iterable[Tagged]) -> float | None:
    """Return the share of entities whose words are no entity in training. None: there are no entities.

    >>> unseen_share([(["Oslo"], ["B-place"])], [(["Oslo", "Bergen"], ["B-place", "B-place"])])
    0.5
    """
    found = [unseen for of_row in unseen_entities(train, rows) for unseen in of_row]
    return sum(found) / len(found) if found else None


def _entities(words: Sequence[str], tags: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[start:end]) for _, start, end in spans(tags)]
