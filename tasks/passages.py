"""From questions and passages to overlapping windows of tokens, with the places that an answer can have in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.columns import CANDIDATES, CUT, END, LABELS, NO_CANDIDATE, NULL, PASSAGE, ROW, START
from tasks.portions import portions_of
from tasks.task import Features
from tasks.words import Bounds

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHARACTERS_AT_ONCE = 1_000_000
"Most characters that the tokenizer is given at once."
PART_OVERLAP = 2_000
"Characters that neighbouring parts of a longer passage share."

Part = tuple[int, Bounds]
"The number of a question, and the first and last character of a part of its passage."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is encoded of a row: question, passage, and the characters of its answer there, None without an answer."""

    question: str
    context: str
    answer: Bounds | None


def encode_passages(
    asked: Sequence[Asked], tokenizer: "PreTrainedTokenizerBase", length: int, *, stride: int, most_question_tokens: int
) -> Features:
    """Return the windows of questions with their passages.

    Args:
        asked: the questions.
        tokenizer: the model's.
        length: most tokens in a window.
        stride: tokens that neighbouring windows of a passage share, as far as half of its room allows.
        most_question_tokens: longer questions are cut to this number, or to half of the window.
    """
    most = min(most_question_tokens, length // 2)
    questions, cut = _cut([one.question for one in asked], tokenizer, most)
    room = length - most - tokenizer.num_special_tokens_to_add(pair=True)
    features: Features = {}
    all_parts = [(row, part) for row, one in enumerate(asked) for part in passage_parts(one.context)]
    for parts in portions_of(all_parts, lambda part: part[1][1] - part[1][0], CHARACTERS_AT_ONCE):
        encoded = tokenizer(
            [questions[row] for row, _ in parts],
            [asked[row].context[start:end] for row, (start, end) in parts],
            truncation="only_second",
            max_length=length,
            stride=max(min(stride, room // 2), 0),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for name, values in _windows_of(encoded, parts, asked, cut, tokenizer).items():
            features.setdefault(name, []).extend(values)
    return features


def passage_parts(context: str) -> list[tuple[int, int]]:
    """Return the bounds of the parts in which a passage is encoded: one, unless it is a book.

    The tokenizer takes hundreds of bytes for each token at a time. Parts end at blanks and overlap by far more than an
    answer is long, as windows do.
    """
    if len(context) <= CHARACTERS_AT_ONCE:
        return [(0, len(context))]
    parts, start = [], 0
    while True:
        end = min(start + CHARACTERS_AT_ONCE, len(context))
        blank = context.rfind(" ", end - PART_OVERLAP // 2, end)
        end = blank if blank > 0 and end < len(context) else end
        parts.append((start, end))
        if end == len(context):
            return parts
        start = end - PART_OVERLAP


def _windows_of(
    encoded: Any, parts: Sequence[Part], asked: Sequence[Asked], cut: Sequence[int], tokenizer: Any
) -> Features:
    """Return the columns of the windows that a tokenizer made of parts."""
    row_of_window = [parts[part][0] for part in encoded["overflow_to_sample_mapping"]]
    features: Features = {name: list(encoded[name]) for name in tokenizer.model_input_names if name in encoded}
    features[CUT] = [cut[row] for row in row_of_window]
    features |= {ROW: row_of_window, LABELS: [], START: [], END: [], CANDIDATES: []}
    for window, part in enumerate(encoded["overflow_to_sample_mapping"]):
        row, (first, _) = parts[part]
        in_context = [which == 1 for which in encoded.sequence_ids(window)]
        offsets = encoded["offset_mapping"][window]
        if first:
            offsets = [(start + first, end + first) for start, end in offsets]
        null = _null_position(encoded["input_ids"][window], tokenizer)
        features[LABELS].append(_target(asked[row].answer, offsets, in_context, null))
        features[START].append([start if here else -1 for (start, _), here in zip(offsets, in_context, strict=True)])
        features[END].append([end if here else -1 for (_, end), here in zip(offsets, in_context, strict=True)])
        features[CANDIDATES].append(_candidates(in_context, null))
    return features


def _target(answer: Bounds | None, offsets: Sequence[Bounds], in_context: Sequence[bool], null: int) -> list[int]:
    """Return the first and last token of an answer, or the null position twice if the window lacks part of it.

    A token belongs to the answer if it overlaps the answer's characters. A sub-word that includes the blank before the
    answer therefore counts.
    """
    if answer is None:
        return [null, null]
    begin, finish = answer
    inside = [
        position
        for position, ((start, end), here) in enumerate(zip(offsets, in_context, strict=True))
        if here and start < finish and end > begin and end > start
    ]
    content = [position for position, here in enumerate(in_context) if here]
    if not inside or offsets[content[0]][0] > begin or offsets[content[-1]][1] < finish:
        return [null, null]
    return [inside[0], inside[-1]]


def _candidates(in_context: Sequence[bool], null: int) -> list[int]:
    marks = [PASSAGE if here else NO_CANDIDATE for here in in_context]
    marks[null] = NULL
    return marks


def _null_position(input_ids: Sequence[int], tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the position that stands for "no answer": the [CLS] token, or the first token if there is none."""
    return input_ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in input_ids else 0


def _cut(questions: list[str], tokenizer: "PreTrainedTokenizerBase", most: int) -> tuple[list[str], list[int]]:
    """Return questions with at most their first `most` tokens, and how many tokens each lost."""
    # Not verbose: transformers warns of texts that are too long for the model, which are cut here.
    encoded = tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    lengths = [len(offsets) for offsets in encoded["offset_mapping"]]
    shortened = [
        question if length <= most else question[: offsets[most - 1][1]]
        for question, offsets, length in zip(questions, encoded["offset_mapping"], lengths, strict=True)
    ]
    return shortened, [max(length - most, 0) for length in lengths]
