"""Running out of memory: how it is recognised, how many tokens to try next, and what to tell the user."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tasks.errors import InputError

WORDS = ("can't allocate memory", "not enough memory", "out of memory", "_ALLOC_FAILED")
"Words in the plain `RuntimeError` that torch on a CPU or MPS, and CUDA's libraries, raise when memory runs out."


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that the device or the machine had no memory left."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(words in str(error) for words in WORDS)


def fewer_tokens(rows: int, length: int, at_once: int | None) -> int:
    """Return half of the tokens that went through the model at once, as whole rows.

    Args:
        rows: rows of the batch that was too large.
        length: tokens in each of its rows, padding included.
        at_once: the limit so far. None: the whole batch went through at once.

    Raises:
        InputError: a single row is already too much.
    """
    rows_at_once = rows if at_once is None else min(max(at_once // length, 1), rows)
    if rows_at_once == 1:
        raise InputError(
            f"Out of memory with a single row of {length} tokens. A smaller task.max_length or a smaller model "
            "needs less, and so does runtime.precision=bf16 instead of fp32"
        )
    return rows_at_once // 2 * length


@contextmanager
def explaining() -> Iterator[None]:
    """Turn out-of-memory errors into a message for the user, in work that can't be done in smaller parts.

    Raises:
        InputError: memory ran out; the message says what needs less of it.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(
            f"Out of memory: {_in_short(error)}\n"
            "The weights, their gradients and what the optimizer keeps of them do not fit. A smaller model needs "
            "less, and so do hparams.freeze_embeddings=true and hparams.freeze_layers=N"
        ) from error


def _in_short(error: BaseException) -> str:
    """Return an error's first line, without what torch adds for a GPU: a list of processes, and advice on settings."""
    first = str(error).strip().split("\n", 1)[0].removeprefix("CUDA out of memory. ")
    return re.sub(r"(?<= is free\.) .*", "", first)


def release() -> None:
    """Free the memory that a failed attempt still holds."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
