"""What comes before the steps of a training: the contrastive stage of the encoder, and the fitting of its head."""

import torch

from recipes.levers.contrastive import contrastive_stage
from recipes.levers.linear_head import fit_linear_head
from recipes.training.assembly import Prepared
from tasks.errors import InputError

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp16": torch.float32}
"What the contrastive stage computes in. It has no loss scaler, which fp16 would need."


def train_before_steps(prepared: Prepared) -> None:
    """Do what the hyperparameters want before the first step, on the model's device.

    Each stage depends on the rows, the seed and the weights alone, so that one that was interrupted is done again.

    Raises:
        InputError: the labels of these rows don't go with a stage.
    """
    hparams, loaded = prepared.config.hparams, prepared.loaded
    if not (hparams.contrastive_steps or hparams.linear_head):
        return
    model, windows = loaded.model, prepared.windows["train"]
    model.to(prepared.placement.device)
    collate = prepared.task.collator(loaded.tokenizer)
    if hparams.contrastive_steps:
        if prepared.rows.head.problem_type == "regression":
            raise InputError("hparams.contrastive_steps: the labels are numbers, by which no texts belong together")
        precision = PRECISIONS[prepared.placement.precision]
        contrastive_stage(model, windows, collate, hparams, prepared.config.seed, precision)
    if hparams.linear_head:
        fit_linear_head(model, windows, collate, prepared.recipe, prepared.placement.tokens_at_once)
