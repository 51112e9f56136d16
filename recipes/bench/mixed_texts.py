"""Texts of mixed length, and questions on long passages, from public data or from the built-in samples."""

import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import mean, median
from typing import Any, TypeAlias

LENGTHS = ((4, 15), (15, 40), (40, 150), (150, 450))
"Fewest tokens, and one more than the most, of each quarter of the texts. All fit into a model with 512."
PASSAGE_WORDS = 1500
"Words that a long passage has at least, if there are so many."
PASSAGES = 20

CountTokens: TypeAlias = Callable[[Sequence[str]], list[int]]
"Maps texts to their numbers of tokens, special tokens included."


@dataclass(frozen=True)
class Asked:
    """A question on a long passage, with its accepted answers."""

    question: str
    passage: str
    answers: tuple[str, ...]


def source_texts() -> list[str]:
    """Return texts of many lengths, each once: messages, sentences, and passages whole and by the sentence."""
    public = bool(os.environ.get("RECIPES_DATA"))
    names = ("sst2", "sms_spam", "goemotions") if public else ("classification_sample",)
    texts = [row.text for name in names for row in _rows("classification", name)]
    if not public:
        texts += [" ".join(row.tokens) for row in _rows("ner", "ner_sample")]
    passages = dict.fromkeys(row.context for row in source_questions())
    texts += [*passages, *(sentence for passage in passages for sentence in re.split(r"(?<=[.!?]) ", passage))]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def source_questions() -> list[Any]:
    """Return the rows of questions, those of a passage together."""
    return _rows("qa", "squad_slice" if os.environ.get("RECIPES_DATA") else "qa_sample")


def _rows(task: str, data: str) -> list[Any]:
    from recipes.command import composing
    from tasks.loading.load import load

    config = composing.compose([f"task={task}", f"data={data}"])
    return [row for rows in load(config.task, config.data, config.seed).splits.values() for row in rows]


def mixed_texts(pool: Sequence[str], count_tokens: CountTokens, rows: int, seed: int) -> list[str]:
    """Return a quarter each of texts with the lengths of `LENGTHS`, in random order.

    Where the pool has too few, others are made of the words of its texts in random order of texts.
    """
    generator = random.Random(seed)  # noqa: S311
    shuffled = generator.sample(pool, len(pool))
    sizes = count_tokens(shuffled)
    texts: list[str] = []
    for quarter, (fewest, limit) in enumerate(LENGTHS):
        wanted = rows // 4 + (quarter < rows % 4)
        fitting = [text for text, size in zip(shuffled, sizes, strict=True) if fewest <= size < limit][:wanted]
        targets = [generator.randrange(fewest, limit) for _ in range(wanted - len(fitting))]
        texts += [*fitting, *_made_of_words(shuffled, count_tokens, targets)]
    return generator.sample(texts, rows)


def _made_of_words(pool: Sequence[str], count_tokens: CountTokens, targets: Sequence[int]) -> Iterator[str]:
    """Yield texts of at most so many tokens, made of the words of the pool one after the other."""
    # Each word is a token at least.
    words = list(islice((word for text in pool for word in text.split()), sum(targets)))
    if not words:
        return
    empty = count_tokens([""])[0]
    stream = cycle(zip(words, (size - empty for size in count_tokens(words)), strict=True))
    word, size = next(stream)
    for target in targets:
        text, tokens = [word], empty + size
        word, size = next(stream)
        while tokens + size <= target:
            text, tokens = [*text, word], tokens + size
            word, size = next(stream)
        yield " ".join(text)


def describe_lengths(sizes: Sequence[int]) -> str:
    """Return numbers of tokens in a sentence.

    >>> describe_lengths([4, 8, 40, 100])
    '4 texts with 38 tokens on average, median 24, at most 100'
    """
    return (
        f"{len(sizes)} texts with {mean(sizes):.0f} tokens on average, median {median(sizes):.0f}, at most {max(sizes)}"
    )


def padded_over_plain(sizes: Sequence[int], batch_size: int) -> float:
    """Return how many times the tokens of texts a model computes, if neighbours are padded to the longest of a batch.

    >>> padded_over_plain([1, 3, 2, 2], batch_size=2)
    1.25
    """
    batches = [sizes[first : first + batch_size] for first in range(0, len(sizes), batch_size)]
    return sum(max(batch) * len(batch) for batch in batches) / sum(sizes)


def describe_passages(asked: Sequence[Asked]) -> str:
    """Return how many questions there are on how many passages of how many words."""
    words = [len(passage.split()) for passage in dict.fromkeys(one.passage for one in asked)]
    return f"{len(asked)} on {len(words)} passages with {mean(words):.0f} words on average"


def long_passages(paragraphs: Sequence[str]) -> list[list[str]]:
    """Return neighbouring paragraphs in groups of at least `PASSAGE_WORDS` words. Those left at the end are dropped."""
    groups: list[list[str]] = [[]]
    words = 0
    for paragraph in paragraphs:
        groups[-1].append(paragraph)
        words += len(paragraph.split())
        if words >= PASSAGE_WORDS:
            groups.append([])
            words = 0
    return groups[:-1] or groups


def asked_passages(rows: Sequence[Any], count: int, seed: int) -> list[Asked]:
    """Return questions that have an answer, on at most `PASSAGES` long passages, in random order.

    Args:
        rows: as the task `qa` reads them; their passages are the paragraphs of the long ones.
        count: how many questions; fewer if there are not so many.
        seed: which passages and questions are taken.
    """
    generator = random.Random(seed)  # noqa: S311
    groups = long_passages(list(dict.fromkeys(row.context for row in rows)))
    chosen = generator.sample(groups, min(PASSAGES, len(groups)))
    passage_of = {paragraph: "\n\n".join(group) for group in chosen for paragraph in group}
    asked = [
        Asked(row.question, passage_of[row.context], tuple(row.answers))
        for row in rows
        if row.answers and row.context in passage_of
    ]
    return generator.sample(asked, min(count, len(asked)))
