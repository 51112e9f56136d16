"""Texts that are longer than a window: cut into parts, shortened in the middle, or cut off at the end.

What is read instead is text again, so that special tokens, templates of pairs and padding are the tokenizer's own.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tasks.columns import CUT, OFFSETS, ROW
from tasks.task import Features

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WINDOWS, TRUNCATE, HEAD_TAIL = "windows", "truncate", "head_tail"
LONG_TEXTS = (WINDOWS, TRUNCATE, HEAD_TAIL)
"The ways to read a text that is longer than a window."

CUT_PLACES = {WINDOWS: "", TRUNCATE: " at their ends", HEAD_TAIL: " in their middles"}
"Where tokens of a text are left out."
HEAD_SHARE = 4
"`head_tail` keeps a quarter of the window for the head (Sun et al. 2019, section 5.3.1: 128 of 510 tokens)."
NEARBY = 8
"A text is cut at a blank if one is nearer than an eighth of a window, and else between any two tokens."
SMALLEST_SHARE = 5
"In a pair of two long texts, the shorter one gets a fifth of the window at least."

Item: TypeAlias = tuple[str, str | None]
"A text, and the second text of a pair."


def encode_texts(texts: Sequence[Item], way: str, tokenizer: "PreTrainedTokenizerBase", length: int) -> Features:
    """Return the windows of texts or pairs: the model's inputs, `ROW`, `CUT` and `OFFSETS`.

    The windows of a text stand one after the other, in its order. Only a text that fills a window is looked at again,
    as it may be longer.

    Args:
        texts: the texts of all rows; either all are pairs, or none is.
        way: one of `LONG_TEXTS`.
        tokenizer: the model's.
        length: most tokens in a window.
    """
    features = _encoded(texts, tokenizer, length)
    full = [row for row, ids in enumerate(features["input_ids"]) if len(ids) >= length]
    long = {row: read(texts[row], way, tokenizer, length) for row in full}
    counts = {row: len(reading.items) for row, reading in long.items()}
    if long:
        parts = _encoded([item for reading in long.values() for item in reading.items], tokenizer, length)
        features = {name: _replaced(features[name], parts[name], counts) for name in features}
    features[ROW] = [row for row in range(len(texts)) for _ in range(counts.get(row, 1))]
    held = Counter[int]()
    for row, ids in zip(features[ROW], features["input_ids"], strict=True):
        held[row] += len(ids)
    cut = {row: reading.tokens - held[row] for row, reading in long.items()}
    features[CUT] = [cut.get(row, 0) for row in features[ROW]]
    features[OFFSETS] = [int(tokenizer.is_fast)] * len(features[ROW])
    return features


def _encoded(texts: Sequence[Item], tokenizer: "PreTrainedTokenizerBase", length: int) -> Features:
    """Return the model's inputs for each text or pair, those that are too long cut off at their ends."""
    pairs = [second for _, second in texts] if texts and texts[0][1] is not None else None
    encoded = tokenizer([first for first, _ in texts], pairs, truncation=True, max_length=length)
    return {name: list(encoded[name]) for name in tokenizer.model_input_names if name in encoded}


def _replaced(column: Sequence[Any], parts: Sequence[Any], counts: Mapping[int, int]) -> list[Any]:
    """Return a column in which the next `counts[row]` of the parts stand in the place of a row."""
    rest = iter(parts)
    return [
        window
        for row, whole in enumerate(column)
        for window in (islice(rest, counts[row]) if row in counts else (whole,))
    ]


def counts_of_long_texts(rows: int, features: Mapping[str, Any]) -> dict[str, int]:
    """Return how many rows there are, and how many of them are too long, with their windows and the tokens not read."""
    several = [count for count in Counter(map(int, features[ROW])).values() if count > 1]
    cut = dict(zip(map(int, features[ROW]), map(int, features[CUT]), strict=True))
    shortened = [tokens for tokens in cut.values() if tokens]
    return {
        "rows": rows,
        "rows in windows": len(several),
        "their windows": sum(several),
        "rows cut": len(shortened),
        "tokens cut": sum(shortened),
        "windows without offsets": len(features[OFFSETS]) - sum(map(int, features[OFFSETS])),
    }


def notes_on_long_texts(counts: Mapping[str, int], way: str) -> Iterator[str]:
    """Yield sentences about the counts of `counts_of_long_texts`, if texts are too long."""
    rows = counts["rows"]
    if counts["rows in windows"]:
        yield (
            f"{counts['rows in windows']} of {rows} texts are too long for a window: read in {counts['their windows']} "
            "windows, whose logits are averaged (task.long_texts)"
        )
    if counts["rows cut"]:
        place, reason = CUT_PLACES[way], "task.long_texts, task.max_length"
        if way != TRUNCATE and counts["windows without offsets"]:
            place = CUT_PLACES[TRUNCATE]
            reason = f"task.long_texts={way} needs a fast tokenizer, which tells where tokens stand"
        yield (
            f"{counts['rows cut']} of {rows} texts are too long, and {counts['tokens cut']} tokens{place} are not read "
            f"({reason})"
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a text or a pair of texts."""

    items: tuple[Item, ...]
    "What becomes a window each, in the text's order."
    tokens: int
    "All tokens that there are to read, special ones included. Those that the windows do not hold are cut off."


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text, and at which character each of its tokens ends: int [tokens], never falling."""

    text: str
    ends: "np.ndarray[Any, Any]"

    @classmethod
    def of(cls, text: str, tokenizer: "PreTrainedTokenizerBase") -> "Tokens":
        """Return a text with the places of its tokens, by a tokenizer with offsets."""
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets = encoded["offset_mapping"]
        ends = np.fromiter((end for _, end in offsets), dtype=np.int64, count=len(offsets))
        return cls(text, np.maximum.accumulate(ends))

    def __len__(self) -> int:
        return len(self.ends)

    def place(self, ideal: int, lowest: int, highest: int, near: int) -> int:
        """Return after how many tokens to cut: where a blank is, `near` tokens from `ideal` at most, or else at it.

        Args:
            ideal: the number of tokens to have before the cut.
            lowest: fewest tokens before it.
            highest: most tokens before it.
            near: how far away a blank is looked for, in tokens.
        """
        for distance in range(near + 1):
            for place in (ideal - distance, ideal + distance):
                if lowest <= place <= highest and self._is_at_blank(int(self.ends[place - 1])):
                    return place
        return min(max(ideal, lowest), highest)

    def _is_at_blank(self, end: int) -> bool:
        return any(map(str.isspace, self.text[max(end - 1, 0) : end + 1]))

    def parts(self, count: int, most: int) -> list[str]:
        """Return the text in parts of nearly equal length, as they stand in it: joined, they are the text.

        Args:
            count: the number of parts. There are fewer if the text has fewer places to cut.
            most: most tokens in a part, as they are counted in the whole text; `count * most` must be enough for it.
        """
        cuts, before = [0], 0
        for left in range(min(count, len(self)), 1, -1):
            rest = len(self) - before
            lowest = max(before + 1, len(self) - (left - 1) * most)
            highest = min(before + most, len(self) - left + 1)
            before = self.place(before + round(rest / left), lowest, highest, most // NEARBY)
            cuts.append(int(self.ends[before - 1]))
        return [self.text[first:end] for first, end in pairwise([*cuts, len(self.text)]) if first < end] or [self.text]

    def head_and_tail(self, most: int) -> str:
        """Return the first quarter and the last three quarters of `most` tokens, with a blank between them."""
        if len(self) <= most:
            return self.text
        near, first, last = most // NEARBY, most // HEAD_SHARE, len(self) - (most - most // HEAD_SHARE)
        head = int(self.ends[self.place(first, first - near, first, near) - 1]) if first else 0
        tail = int(self.ends[self.place(last, last, last + near, near) - 1])
        return f"{self.text[:head].rstrip()} {self.text[tail:].lstrip()}".strip()


def read(item: Item, way: str, tokenizer: "PreTrainedTokenizerBase", length: int) -> Reading:
    """Return what is read of a text that may be too long for a window.

    A tokenizer without offsets can't tell where to cut, and a window with less than a token for each text has no room:
    there, texts are cut off at their ends whatever the way.

    Args:
        item: the text, or the pair.
        way: one of `LONG_TEXTS`.
        tokenizer: the model's.
        length: most tokens in a window.
    """
    tokens = sizes([item], tokenizer)[0]
    texts = [text for text in item if text is not None]
    room = length - tokenizer.num_special_tokens_to_add(pair=len(texts) == 2)
    if tokens <= length or way == TRUNCATE or not tokenizer.is_fast or room < len(texts):
        return Reading((item,), tokens)
    marked = [Tokens.of(text, tokenizer) for text in texts]
    made = partial(windows if way == WINDOWS else without_middle, marked)
    items, tokens_of_items = fitting(made, room, len(texts), tokenizer, length)
    return Reading(tuple(items), tokens_of_items if way == WINDOWS else tokens)


def sizes(items: Sequence[Item], tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return how many tokens each text or pair has by itself, special ones included."""
    firsts = [first for first, _ in items]
    seconds = [second or "" for _, second in items] if items[0][1] is not None else None
    # Not verbose: transformers warns of texts that are too long for the model, which is what is counted here.
    return [len(ids) for ids in tokenizer(firsts, seconds, verbose=False)["input_ids"]]


def fitting(
    made: Callable[[int], list[Item]], room: int, texts: int, tokenizer: "PreTrainedTokenizerBase", length: int
) -> tuple[list[Item], int]:
    """Return what `made` makes for the room of a window, or for less room if it is too long by itself; and its tokens.

    A part may have more tokens by itself than it has in the whole text, such as one that begins inside a word. Room is
    taken away in growing steps, so that even texts that fit nowhere are tokenized few times; they end at half the room.
    """
    least, step, aim = max(room // 2, texts), 0, room
    while True:
        items = made(aim)
        of_items = sizes(items, tokenizer)
        excess = max(of_items) - length
        if excess <= 0 or aim == least:
            return items, sum(of_items)
        step = max(excess, 2 * step)
        aim = max(aim - step, least)


def windows(texts: Sequence[Tokens], room: int) -> list[Item]:
    """Return a text, or the two of a pair, in as few parts of nearly equal length as fit into `room` tokens each.

    The shorter text of a pair stays whole beside each part of the other, if it has half of the room at most. If both
    are longer, they share the room by their lengths, and part i stands beside part i. Only of a text that is more than
    four times as long as the other there are more parts: each part of the shorter one then stands beside several.
    """
    if len(texts) == 1:
        (text,) = texts
        return [(part, None) for part in text.parts(_parts_needed(len(text), room), room)]
    shorter, longer = sorted(texts, key=len)
    if len(shorter) <= room // 2:
        share = max(len(shorter), 1)
    else:
        share = max(room * len(shorter) // (len(shorter) + len(longer)), room // SMALLEST_SHARE, 1)
    few = _parts_needed(len(shorter), share)
    many = max(_parts_needed(len(longer), room - share), few)
    parts = [text.parts(few, share) if text is shorter else text.parts(many, room - share) for text in texts]
    count = max(map(len, parts))
    first, second = ([some[number * len(some) // count] for number in range(count)] for some in parts)
    return list(zip(first, second, strict=True))


def _parts_needed(tokens: int, most: int) -> int:
    return max(-(-tokens // most), 1)


def without_middle(texts: Sequence[Tokens], room: int) -> list[Item]:
    """Return the head and the tail of a text, `room` tokens together.

    Of a pair, the shorter text has half of the room at most, and the longer one the rest: one that has more loses its
    middle.
    """
    if len(texts) == 1:
        return [(texts[0].head_and_tail(room), None)]
    share = min(*map(len, texts), room // 2)
    longer = max(range(2), key=lambda number: len(texts[number]))
    first, second = (
        text.head_and_tail(room - share if number == longer else share) for number, text in enumerate(texts)
    )
    return [(first, second)]
