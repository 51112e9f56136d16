"""Checks of the rows as a model reads them: what is cut off, unknown, or falls into pieces."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import transformers
from tqdm import tqdm

from recipes.config.schema import Model
from recipes.model.loading import config_and_tokenizer
from recipes.model.locating import locate
from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.columns import ROW
from tasks.data.options import Split
from tasks.inspecting.registry import token_checks_of
from tasks.inspecting.steps import Given
from tasks.plausibility import HARDLY_KNOWN
from tasks.task import AnyTask, Head, Row
from tasks.words import unicode_words

ROWS_AT_ONCE = 1000
PARTLY_KNOWN = 0.01
"Share of unknown tokens from which on they are worth a warning."
PIECES = 2.5
"Tokens for each word from which on the model hardly knows the language. English has 1.1 to 1.5 with models for it."
FEWEST_WORDS = 1000


@dataclass(frozen=True)
class Tokens:
    """What the windows of all rows show."""

    lengths: dict[Split, list[int]]
    "The tokens of each row, special ones included, as far as they are read."
    limit: int
    "Most tokens in a window."
    findings: tuple[Finding, ...]


@dataclass
class _Counted:
    """What was counted in the windows of a split."""

    counts: Counter[str]
    lengths: list[int]
    tokens: int = 0
    unknown: int = 0
    long: list[int] = field(default_factory=list)
    "The places of rows with several windows."


def look_at_tokens(task: AnyTask, given: Given, head: Head, model: Model) -> Tokens:
    """Encode all rows as a run would.

    Raises:
        InputError: the model can't be found, or its tokenizer can't be used for this task.
    """
    transformers.logging.set_verbosity_error()
    config, tokenizer = config_and_tokenizer(model, locate(model))
    limit = task.window_length(_limit(config, tokenizer))
    tokenizer = task.adapt(tokenizer)
    counted = {split: _count(task, rows, tokenizer, head, limit, split) for split, rows in given.splits.items()}
    findings = [
        *(one for split, counts in counted.items() for one in _of_windows(counts, given.splits[split], split, task)),
        *_of_vocabulary(task, given, counted, tokenizer.num_special_tokens_to_add()),
        *token_checks_of(task, given, partial(_sizes, tokenizer)),
    ]
    return Tokens({split: counts.lengths for split, counts in counted.items()}, limit, tuple(findings))


def _limit(config: Any, tokenizer: Any) -> int:
    """Return how many tokens the model takes, as its config and its tokenizer tell.

    A run looks at the network itself, which takes seconds to build (`recipes.model.layers.length_limit`). Where a
    tokenizer does not know the limit of a model of RoBERTa's kind, this one is up to two tokens higher.
    """
    positions = getattr(config, "max_position_embeddings", None) or -1
    limit = int(min(tokenizer.model_max_length, 1_000_000))
    return min(limit, positions) if positions > 0 else limit


def _count(task: AnyTask, rows: Sequence[Row], tokenizer: Any, head: Head, limit: int, split: Split) -> _Counted:
    counted = _Counted(Counter(), [0] * len(rows))
    unknown = tokenizer.unk_token_id
    for first in tqdm(range(0, len(rows), ROWS_AT_ONCE), desc=f"tokens of {split}", delay=2, leave=False, disable=None):
        portion = rows[first : first + ROWS_AT_ONCE]
        features = task.encode(portion, tokenizer, head, limit)
        counted.counts.update(task.window_counts(portion, features))
        windows = Counter(map(int, features[ROW]))
        counted.long += [first + row for row, count in sorted(windows.items()) if count > 1]
        for row, ids in zip(features[ROW], features["input_ids"], strict=True):
            counted.lengths[first + int(row)] += len(ids)
            counted.tokens += len(ids)
            counted.unknown += 0 if unknown is None else list(ids).count(unknown)
    return counted


def _of_windows(counted: _Counted, rows: Sequence[Row], split: Split, task: AnyTask) -> Iterator[Finding]:
    """Yield what the windows of a split tell."""
    counts, several = counted.counts, [rows[place] for place in counted.long]
    cut = counts["rows cut"]
    if cut:
        message = (
            f"{cut:,} of {len(rows):,} {split} rows ({percent(cut, len(rows))}) are too long: "
            f"{counts['tokens cut']:,} tokens are not read"
        )
        yield finding("cut_off", "warning", message, cut, len(rows))
    if several:
        share = percent(len(several), len(rows))
        message = f"{len(several):,} of {len(rows):,} {split} rows ({share}) are read in several windows"
        shown = ((repr(task.content(row)[:100]), row.origin) for row in several)
        yield finding("long_texts", "note", message, len(several), len(rows), shown)
    unseen = counts["words"] - counts["words seen"]
    if unseen:
        message = f"{unseen:,} of {counts['words']:,} {split} words are nothing to this tokenizer"
        yield finding("vanishing_words", "warning", message, unseen, counts["words"])


def _of_vocabulary(task: AnyTask, given: Given, counted: Mapping[Split, _Counted], special: int) -> Iterator[Finding]:
    """Yield what tokens tell about whether the model knows the language."""
    tokens, unknown = (sum(getattr(one, name) for one in counted.values()) for name in ("tokens", "unknown"))
    if unknown:
        grade: Grade = (
            "error" if unknown > HARDLY_KNOWN * tokens else "warning" if unknown > PARTLY_KNOWN * tokens else "note"
        )
        message = f"{unknown:,} of {tokens:,} tokens ({percent(unknown, tokens)}) are unknown to this model"
        yield finding("unknown_tokens", grade, message, unknown, tokens)
    some = given.train[:ROWS_AT_ONCE]
    words = sum(len(unicode_words(task.content(row))) for row in some)
    pieces = sum(length - special for length in counted["train"].lengths[: len(some)])
    if words >= FEWEST_WORDS and pieces > PIECES * words:
        message = f"a word of the training rows has {pieces / words:.1f} tokens on average"
        yield finding("split_words", "warning", message, len(given.train), len(given.train))


def _sizes(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    if not texts:
        return []
    return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]]
