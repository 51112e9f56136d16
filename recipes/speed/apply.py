"""Put faster parts into a model before training, and take out before saving what must not be saved.

Training gives the same result except for rounding, the random numbers of dropout, and the weight decay of unused
embeddings (`recipes.speed.embedding_table`). `recipes.speed.proof` makes sure of it for each model anew: a part with
which the model computes something else is taken out again, and the user is told.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch

from recipes.machine.devices import Placement
from recipes.machine.memory import keep_few_kernels
from recipes.model.layers import ATTENTION_DROPOUT
from recipes.model.loading import Loaded
from recipes.speed import cpu_attention, unpadded_attention
from recipes.speed.dropout import use_fast_dropout
from recipes.speed.embedding_table import restore_table, train_used_rows
from recipes.speed.norms import use_narrow_norms
from recipes.speed.proof import ROUNDINGS, Batch, Case, Proof, compute, largest_value
from recipes.windows.columns import Windows
from tasks.data.options import Split
from tasks.errors import InputError

KEEP_KERNELS_UP_TO = 128
"If the longest window has at most this many tokens, lengths recur often enough to keep all compiled kernels."
FULL_SCORES_UP_TO = 512
"If the longest window has at most this many tokens, all attention scores of a layer may be held in memory."
UNPADDED_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"The types that the unpadded attention kernel supports, by precision."

Undo: TypeAlias = Callable[[], None]
"Takes a part out of a model again."


@dataclass(frozen=True)
class Part:
    """A faster part, by the name that the user sees."""

    name: str
    put_in: Callable[[], Undo]


def apply(loaded: Loaded, windows: Mapping[Split, Windows], placement: Placement, proof: Proof) -> tuple[str, ...]:
    """Change a model in place so that it trains faster; `restore` prepares it for saving.

    Our CPU attention is the fastest for windows of usual length. Its memory grows with the square of the length, so
    longer windows use torch's fused kernel.

    Args:
        loaded: the model on the CPU, with its head as training begins with it.
        windows: the windows of all splits.
        placement: where and in which precision the model will be trained.
        proof: what the model computes for a few training windows as it is.

    Returns:
        A line for each part that this model can't have, with the reason.

    Raises:
        InputError: the model as it is can't be computed in this precision.
    """
    model = loaded.model
    longest = max(int(split.lengths.max()) for split in windows.values())
    if placement.device == "cpu" and longest > KEEP_KERNELS_UP_TO:
        keep_few_kernels()
    if is_sharded():
        # A process may hold empty weights until the Trainer has shared them out, so there is nothing to compare.
        return ("faster parts: none, as a sharded model can't be compared before training",)
    used = np.union1d(windows["train"].token_ids, [loaded.tokenizer.pad_token_id])
    parts = [Part("embedding table", partial(train_used_rows, model, used))]
    notes: list[str] = []
    if placement.device == "cpu":
        parts += [Part("dropout", partial(use_fast_dropout, model)), Part("norms", partial(use_narrow_norms, model))]
        if longest <= FULL_SCORES_UP_TO:
            if model._can_set_attn_implementation():
                parts.append(Part("attention", partial(_use_attention, model, cpu_attention)))
            else:
                notes.append(f"attention: the model's own, as {model.config.model_type} takes no other")
    if placement.device == "cpu" and placement.precision == "bf16":
        try:
            proof = proof.also_in(torch.bfloat16)
        except Exception as error:  # whatever a model's own code raises
            kind = model.config.model_type
            raise InputError(
                f"Models of the type {kind} can't be computed in bf16 ({error}): runtime.precision=fp32"
            ) from error
    notes += put_in_proven(parts, proof)
    if placement.device == "cuda":
        notes += _leave_padding_out(model, longest, placement, proof.cases[0].batch)
    return tuple(notes)


def put_in_proven(parts: Sequence[Part], proof: Proof) -> list[str]:
    """Put parts into a model, except those that change what it computes. Return a line for each of these."""
    objection, undo = _tried(parts, proof)
    if not objection:
        return []
    undo()
    notes, good = [], []
    for part in parts:
        objection, undo = _tried([part], proof)
        undo()
        if objection:
            notes.append(f"{part.name}: the model's own, as ours {objection}")
        else:
            good.append(part)
    objection, undo = _tried(good, proof)
    if objection:
        undo()
        notes.append(f"faster parts: none, as together they give a model that {objection}")
    return notes


def _tried(parts: Sequence[Part], proof: Proof) -> tuple[str, Undo]:
    """Put parts in. Return what speaks against them, if anything does, and how they are taken out again."""
    undoing: list[Undo] = []

    def undo() -> None:
        for take_out in undoing:
            take_out()

    try:
        for part in parts:
            undoing.insert(0, part.put_in())
    except Exception as error:  # a model may be built so that a part can't even be put in
        return f"can't be put into {proof.model.config.model_type} ({type(error).__name__}: {error})", undo
    return proof.objection(), undo


def restore(model: Any) -> None:
    """Give a trained model its plain embedding table and torch's attention back, for predicting and saving.

    Our CPU attention, norms and dropout stay: without gradients and autocast they compute the same as the plain ones,
    and they add no weights.
    """
    restore_table(model)
    if model.config._attn_implementation == unpadded_attention.NAME:
        # Final predictions are made in fp32, which its kernel does not support.
        model.set_attn_implementation("sdpa")


def _use_attention(model: Any, implementation: Any) -> Undo:
    """Make a model use attention of ours, from one of the modules `cpu_attention` and `unpadded_attention`."""
    before = model.config._attn_implementation
    implementation.register()
    model.set_attn_implementation(implementation.NAME)
    return partial(model.set_attn_implementation, before)


def _leave_padding_out(model: Any, longest: int, placement: Placement, batch: Batch) -> list[str]:
    """Use unpadded attention on a GPU if windows are long and the kernel supports the model.

    It is compared in the precision that it is used with, as its kernel has no other.
    """
    config = model.config
    dropout = max((float(getattr(config, name, 0.0)) for name in ATTENTION_DROPOUT), default=0.0)
    if longest <= FULL_SCORES_UP_TO or dropout or placement.precision not in UNPADDED_DTYPES:
        return []
    precision = UNPADDED_DTYPES[placement.precision]
    with torch.cuda.device(int(os.environ.get("LOCAL_RANK", "0"))):
        size = config.hidden_size // config.num_attention_heads
        if not model._can_set_attn_implementation() or not unpadded_attention.is_available(size, precision):
            return []
        model.to("cuda")
        try:
            part = Part("attention", partial(_use_attention, model, unpadded_attention))
            expected = compute(model, batch, precision)
            tolerance = ROUNDINGS * torch.finfo(precision).eps * largest_value(expected)
            return put_in_proven([part], Proof(model, [Case(batch, expected, tolerance, precision)]))
        finally:
            model.to("cpu")


def is_sharded() -> bool:
    """Tell whether FSDP will shard the model."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")
