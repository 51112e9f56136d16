"""The layers, dropout and length limit of an encoder, whatever its architecture calls them."""

from collections.abc import Collection, Sequence
from typing import Any

from recipes.config.schema import Hparams
from tasks.errors import InputError

HIDDEN_DROPOUT = (
    "hidden_dropout_prob",
    "hidden_dropout",
    "dropout",
    "dropout_rate",
    "embedding_dropout",
    "mlp_dropout",
    "embd_pdrop",
    "resid_pdrop",
    "summary_last_dropout",
)
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
"Names that the configs of encoders give to the two kinds of dropout."


def set_dropout(config: Any, hparams: Hparams) -> None:
    """Set the dropout probabilities, under the names that this model's config has for them."""
    for value, names, key in (
        (hparams.dropout, HIDDEN_DROPOUT, "dropout"),
        (hparams.attention_dropout, ATTENTION_DROPOUT, "attention_dropout"),
    ):
        if value is None:
            continue
        present = [name for name in names if hasattr(config, name)]
        if not present and value > 0:
            raise InputError(f"hparams.{key}: models of the type {config.model_type} have no such setting")
        for name in present:
            setattr(config, name, value)


def freeze(model: Any, hparams: Hparams, new: Collection[str] = ()) -> None:
    """Freeze the embeddings, the lowest layers, and all that is no bias, if the hyperparameters ask for it.

    Args:
        model: a model.
        hparams: what was chosen.
        new: the names of weights that are not pretrained. With `bias_only`, they are trained none the less.

    Raises:
        InputError: `freeze_layers` is more than the model has, or takes in layers that were drawn anew; or the model
            has no biases for `bias_only`.
    """
    base = model.base_model
    if hparams.freeze_embeddings:
        getattr(base, "embeddings", model.get_input_embeddings()).requires_grad_(False)
    if hparams.bias_only:
        if not any(name.endswith("bias") for name, _ in base.named_parameters()):
            raise InputError(
                f"hparams.bias_only: models of the type {model.config.model_type} have no biases, so that only the new "
                "head would be trained. hparams=lora trains few weights of any encoder"
            )
        for name, weight in base.named_parameters():
            weight.requires_grad_(name.endswith("bias") or f"{model.base_model_prefix}.{name}" in new)
    if hparams.freeze_layers:
        layers = encoder_layers(model)
        if not layers:
            raise InputError(
                f"hparams.freeze_layers: no layers were found in a model of type {model.config.model_type}"
            )
        if hparams.freeze_layers > len(layers):
            raise InputError(f"hparams.freeze_layers={hparams.freeze_layers}: the model has {len(layers)} layers")
        if hparams.freeze_layers + hparams.reinit_layers > len(layers):
            raise InputError(
                f"hparams.freeze_layers={hparams.freeze_layers} and hparams.reinit_layers={hparams.reinit_layers}: the "
                f"model has {len(layers)} layers, and one that is drawn anew has to be trained"
            )
        for layer in layers[: hparams.freeze_layers]:
            layer.requires_grad_(False)


def encoder_layers(model: Any) -> Sequence[Any]:
    """Return the encoder's layers, lowest first: the module list as long as the config says; empty if there is none."""
    from torch import nn

    for module in model.base_model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == getattr(model.config, "num_hidden_layers", None):
            return list(module)
    return []


def embedding_table(model: Any) -> Any | None:
    """Return the module that embeds token ids; None if a model has no such table, as one that reads characters."""
    try:
        return model.get_input_embeddings()
    except NotImplementedError:
        return None


def length_limit(model: Any, tokenizer: Any) -> int:
    """Return the maximum number of tokens that the model accepts: its tokenizer and its position embeddings limit it.

    RoBERTa's positions begin after the padding index, so it loses two of them. Its position embedding has a
    `padding_idx`, which tells such models from others.
    """
    from torch import nn

    limit = int(min(tokenizer.model_max_length, 1_000_000))
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is not None and positions > 0:  # models with relative positions have none, 0 or -1
        embedding = next(
            (
                module
                for name, module in model.base_model.named_modules()
                if name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
            ),
            None,
        )
        padding = embedding.padding_idx if embedding is not None else None
        limit = min(limit, positions - (padding + 1 if padding is not None else 0))
    return limit
