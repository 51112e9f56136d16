"""A trial of a model on its own windows before training, so that what does not go together is said in words.

The same few windows serve to prove that faster parts change nothing (`recipes.speed.proof`).
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from recipes.config.schema import Config
from recipes.model.layers import embedding_table
from recipes.model.loading import Loaded
from recipes.speed.proof import Proof, largest_difference, short_windows
from recipes.windows.columns import Ragged, Windows
from tasks.columns import ROW
from tasks.data.options import Split
from tasks.errors import InputError
from tasks.loading.rows import AnyRows

SAME_BESIDE_OTHERS = 1e-3
"A logit of a text may differ by this times the largest logit, or by this itself, with and without padding."


def require_fitting_windows(rows: AnyRows, loaded: Loaded, windows: Mapping[Split, Windows], path: str) -> None:
    """Refuse windows with token ids that the model has no embedding for, or without the tokens that its head reads.

    Raises:
        InputError: the message names the sizes of vocabulary and embedding table, or the row.
    """
    weight = getattr(embedding_table(loaded.model), "weight", None)
    size = len(weight) if weight is not None else sys.maxsize
    highest = max(loaded.tokenizer.pad_token_id, *(int(split.token_ids.max()) for split in windows.values()))
    if highest >= size:
        token = loaded.tokenizer.convert_ids_to_tokens(highest)
        raise InputError(
            f"model.path={path}: its tokenizer has {len(loaded.tokenizer)} entries, its embedding table only {size} "
            f"rows, and the data hold '{token}', number {highest}. Do tokenizer and weights belong together?"
        )
    config = loaded.model.config
    if config.is_encoder_decoder and rows.head.auto_class == "AutoModelForSequenceClassification":
        for split, encoded in windows.items():
            _require_one_end(rows, encoded, split, config)


def _require_one_end(rows: AnyRows, encoded: Windows, split: Split, config: Any) -> None:
    """Require that all texts have equally many end tokens, and one at least: such heads read the state of the last."""
    ids = encoded.columns["input_ids"]
    assert isinstance(ids, Ragged)
    counts = np.array([int((window == config.eos_token_id).sum()) for window in ids])
    usual = int(np.bincount(counts).argmax())
    if not usual:
        raise InputError(
            f"Models of the type {config.model_type} classify a text by its end token, and this tokenizer adds none"
        )
    strange = np.flatnonzero(counts != usual)
    if len(strange):
        origin = rows.splits[split][int(encoded.columns[ROW][strange[0]])].origin
        raise InputError(
            f"{origin}: the text holds the end token of the model's tokenizer, by which models of the type "
            f"{config.model_type} classify a text: take it out of the text"
        )


def limit_note(config: Config, loaded: Loaded) -> Iterator[str]:
    """Yield a line if `task.max_length` is more than the model can take."""
    wanted = config.task.max_length
    if wanted is not None and wanted > loaded.limit:
        yield f"task.max_length={wanted}: the model takes {loaded.limit} tokens at most, so windows have no more"


def try_out(config: Config, rows: AnyRows, loaded: Loaded, train: Windows) -> tuple[Proof, list[str]]:
    """Compute a few training windows. If padding changes their results, try other ways to pad.

    Args:
        config: the config of the run.
        rows: the rows and their task.
        loaded: the model as training begins with it; its padding side, and the padding in its config, may change.
        train: the training windows.

    Returns:
        What the model computes for two windows padded to one length, if theirs differ, and for the first alone; and
        lines for the user.

    Raises:
        InputError: the model can't compute the windows.
    """
    collate = rows.task.collator(loaded.tokenizer)
    chosen = short_windows(train, loaded.tokenizer.all_special_ids)
    try:
        first = proof = Proof.of(loaded.model, [collate(chosen), collate(chosen[:1])])
        if not _changed_by_padding(proof):
            return proof, []
        for change, note in _other_paddings(loaded):
            change()
            proof = Proof.of(loaded.model, [collate(chosen), collate(chosen[:1])])
            if not _changed_by_padding(proof):
                return proof, [note]
    except Exception as error:  # whatever a model's own code raises
        kind = loaded.model.config.model_type
        raise InputError(
            f"model.path={config.model.path}: a model of the type {kind} can't do task={rows.task.name} with these "
            f"rows: {' '.join(str(error).split())[:300]}"
        ) from error
    changed = f"{_changed_by_padding(first):.1g}"
    return proof, [f"padding changes what this model computes (by {changed}): results depend on the batch a little"]


def _changed_by_padding(proof: Proof) -> float:
    """Return by how much the first window's logits differ in the padded batch from those alone; 0 if it is little."""
    padded, alone = (case.expected.outputs for case in proof.cases)
    furthest = 0.0
    for name, logits in alone.items():
        scale = max(1.0, float(logits.abs().max()))
        # The window is the batch's first, so its tokens, or its row, come first.
        change = largest_difference(padded[name][: len(logits)], logits)
        if name != "hidden" and not change <= SAME_BESIDE_OTHERS * scale:
            furthest = max(furthest, change)
    return furthest


def _other_paddings(loaded: Loaded) -> Iterator[tuple[Callable[[], None], str]]:
    """Yield what else may be tried, each on top of the others: a function that changes it, and a line for the user."""
    config, tokenizer = loaded.model.config, loaded.tokenizer
    if config.pad_token_id != tokenizer.pad_token_id:
        token = tokenizer.pad_token
        note = f"padding: {token}, as the tokenizer says; the model's config had another number for it"
        yield lambda: setattr(config, "pad_token_id", tokenizer.pad_token_id), note
    if tokenizer.padding_side == "left":
        note = "padding: on the right, as padding on the left shifts this model's positions"
        yield lambda: setattr(tokenizer, "padding_side", "right"), note
