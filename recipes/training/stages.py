"""What comes before the steps of a training: the contrastive stage of the encoder, and the fitting of its head."""

import torch

from recipes.levers.contrastive import contrastive_stage
from recipes.levers.linear_head import fit_linear_head, require_output_layer
from recipes.speed.apply import is_sharded
from recipes.training.assembly import Prepared
from tasks.errors import InputError

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp16": torch.float32}
"What the contrastive stage computes in. It has no loss scaler, which fp16 would need."


def first_batch(prepared: Prepared) -> dict[str, torch.Tensor]:
    """Return the first training window as a batch, on the model's device."""
    collate = prepared.task.collator(prepared.loaded.tokenizer)
    batch = collate([prepared.windows["train"][0]])
    return {name: tensor.to(prepared.loaded.model.device) for name, tensor in batch.items()}


def train_before_steps(prepared: Prepared) -> None:
    """Do what the hyperparameters want before the first step, on the model's device.

    Each stage depends on the rows, the seed and the weights alone, so that one that was interrupted is done again.

    Raises:
        InputError: a head of this type can't be fitted by itself, or the model is shared among processes.
    """
    hparams, loaded = prepared.config.hparams, prepared.loaded
    if not (hparams.contrastive_steps or hparams.linear_head):
        return
    if is_sharded():
        raise InputError(
            "hparams.linear_head and hparams.contrastive_steps: not with FSDP, as they need the whole model"
        )
    model, windows = loaded.model, prepared.windows["train"]
    model.to(prepared.placement.device)
    collate = prepared.task.collator(loaded.tokenizer)
    require_output_layer(model, first_batch(prepared), prepared.recipe)
    if hparams.contrastive_steps:
        precision = PRECISIONS[prepared.placement.precision]
        contrastive_stage(model, windows, collate, hparams, prepared.config.seed, precision)
    if hparams.linear_head:
        fit_linear_head(model, windows, collate, prepared.recipe, prepared.placement.tokens_at_once)
