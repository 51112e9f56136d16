"""Loading a pretrained encoder with a new head, without running code that comes with the model."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.config.schema import Hparams, Model
from recipes.model.layers import freeze, length_limit, set_dropout
from tasks.errors import InputError
from tasks.task import Head

ATTENTION = ("eager", "sdpa")


@dataclass(frozen=True)
class Loaded:
    """An encoder with its head, and its tokenizer."""

    model: Any
    tokenizer: Any
    new_weights: tuple[str, ...]
    "Names of the tensors that did not come from the pretrained model."
    limit: int
    "Maximum number of tokens that the model accepts at once."
    fingerprint: str
    "A hash of the weights after loading, the head included."
    parameters: int
    trained_parameters: int
    "How many of them are not frozen."


def load(model: Model, head: Head, hparams: Hparams, folder: Path) -> Loaded:
    """Load the encoder in fp32, put the head on it, and apply dropout and freezing.

    Set the seed before the call, which draws the head's random weights (transformers issue 11965).

    Args:
        model: where the model is, and whether its weights may be a pickle.
        head: the outputs that the task needs.
        hparams: has the values for dropout and freezing.
        folder: where `locate` found the model.

    Raises:
        InputError: the folder's files can't be loaded as this kind of model.
    """
    import torch
    import transformers

    try:
        # Explicitly False: otherwise transformers asks at a terminal whether to run a model's own code.
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # transformers' errors for invalid files have no common class
        raise InputError(f"model.path={model.path}: can't be loaded from {folder}: {_brief(error)}") from error
    refuse_foreign_kernels(config, model)
    if tokenizer.pad_token is None:
        raise InputError(f"model.path={model.path}: its tokenizer has no padding token, so batches can't be made")
    if head.labels:
        config.id2label = dict(enumerate(head.labels))
        config.label2id = {label: index for index, label in enumerate(head.labels)}
    if head.problem_type is not None:
        config.problem_type = head.problem_type
    set_dropout(config, hparams)
    auto_class = getattr(transformers, head.auto_class)
    try:
        encoder, info = auto_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            trust_remote_code=False,
            use_safetensors=None if model.allow_pickled_weights else True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise InputError(f"model.path={model.path}: can't be loaded as {head.auto_class}: {_brief(error)}") from error
    new = sorted({*info["missing_keys"], *(item[0] for item in info["mismatched_keys"])})
    _check_pretrained(encoder, new, model)
    freeze(encoder, hparams)
    return Loaded(
        model=encoder,
        tokenizer=tokenizer,
        new_weights=tuple(new),
        limit=length_limit(encoder, tokenizer),
        fingerprint=_weights_digest(encoder),
        parameters=sum(parameter.numel() for parameter in encoder.parameters()),
        trained_parameters=sum(parameter.numel() for parameter in encoder.parameters() if parameter.requires_grad),
    )


def refuse_foreign_kernels(config: Any, model: Model) -> None:
    """Refuse a model whose config names attention code from a hub repository, which transformers would run.

    Raises:
        InputError: the config names such code.
    """
    implementation = getattr(config, "_attn_implementation", None)
    if implementation not in (None, *ATTENTION):
        raise InputError(
            f"model.path={model.path}: its config.json asks for the attention code '{implementation}'. Only "
            f"transformers' own is used here: remove that entry, or set it to one of {', '.join(ATTENTION)}"
        )


def _weights_digest(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().reshape(-1).numpy().data)
    return digest.hexdigest()[:16]


def _check_pretrained(encoder: Any, new: Sequence[str], model: Model) -> None:
    """Refuse weights that lack most of the encoder: a new head is expected, a new encoder is a mistake."""
    prefix = f"{encoder.base_model_prefix}."
    inside = [name for name, _ in encoder.named_parameters() if name.startswith(prefix)]
    lost = [name for name in inside if name in set(new)]
    if len(lost) > len(inside) / 2:
        raise InputError(
            f"model.path={model.path}: {len(lost)} of the encoder's {len(inside)} tensors are not in its weights file, "
            f"such as {lost[0]}. Do config.json and the weights belong together?"
        )


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
