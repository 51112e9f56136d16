"""The baseline for questions: the sentence of the passage that shares most with the question."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

WORD = re.compile(r"\w+")
SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def best_sentences(questions: Sequence[str], passages: Sequence[str]) -> list[str]:
    """Return the answer to each question: a whole sentence of its passage.

    A word that both have counts the more the fewer of the passages have it (its inverse document frequency).

    >>> best_sentences(["Who signs claims?"], ["Ada waits. Claims are signed by Ida. It rains."])
    ['Claims are signed by Ida.']
    """
    distinct = dict.fromkeys(passages)
    counts = Counter(word for passage in distinct for word in _words(passage))
    weights = {word: log((1 + len(distinct)) / (1 + count)) + 1 for word, count in counts.items()}
    sentences = {passage: [(text, _words(text)) for text in _sentences(passage)] for passage in distinct}
    answers = []
    for question, passage in zip(questions, passages, strict=True):
        asked = _words(question)
        answers.append(max(sentences[passage], key=lambda one: sum(weights[word] for word in asked & one[1]))[0])
    return answers


def sentence_bounds(passage: str) -> list[tuple[int, int]]:
    """Return the first character of each sentence and the one after its last, without blanks around it.

    >>> [("It rains. Ada waits."[start:end]) for start, end in sentence_bounds("It rains. Ada waits.")]
    ['It rains.', 'Ada waits.']
    """
    ends = [0, *(border.end() for border in SENTENCE_END.finditer(passage)), len(passage)]
    found = []
    for first, last in pairwise(ends):
        text = passage[first:last]
        start = first + len(text) - len(text.lstrip())
        if text.strip():
            found.append((start, start + len(text.strip())))
    return found


def _sentences(passage: str) -> list[str]:
    return [passage[start:end] for start, end in sentence_bounds(passage)] or [passage.strip()]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(text)}
