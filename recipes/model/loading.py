"""Loading a pretrained encoder with a new head, without running code that comes with the model."""

import copy
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipes.config.schema import TASKS, Hparams, Model
from recipes.model.head import OutputLayer, take_over
from recipes.model.layers import freeze, length_limit, set_dropout
from recipes.model.mean_pooling import WHOLE_TEXT_HEAD, pool_mean
from recipes.model.reinitialisation import reinitialise_top
from recipes.model.stored_task import TASK_KEY
from tasks.errors import InputError
from tasks.task import Head

ATTENTION = ("eager", "sdpa")
OF_A_TRAINING = (TASK_KEY, *(name for task in TASKS.values() for name in task.thresholds))
"What a training leaves in a model's config that holds for that very model only."
SPAN_OUTPUTS = 2
"A head without labels has an output for where a span starts, and one for where it ends."


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
    head: OutputLayer = field(default_factory=OutputLayer)
    "Which outputs go on from a trained model."
    notes: tuple[str, ...] = ()
    "Sentences for the user: what was settled on loading."


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
    config, tokenizer = config_and_tokenizer(model, folder)
    auto_class = head_class(config, head, model)
    as_saved = copy.deepcopy(config)
    notes = [*settle_padding(tokenizer, config, head, model), *_settle_config(config, head)]
    set_dropout(config, hparams)

    def from_file(config: Any, **named: Any) -> Any:
        return read_weights(model, auto_class, folder, config, **named)

    encoder, info = from_file(config, ignore_mismatched_sizes=True, output_loading_info=True)
    absent, mismatched = sorted(info["missing_keys"]), sorted(item[0] for item in info["mismatched_keys"])
    _check_pretrained(encoder, [*absent, *mismatched], model)
    output = take_over(auto_class, encoder, head, as_saved, absent, mismatched, lambda: from_file(as_saved))
    new = {*absent, *mismatched} - set(output.tensors) | (set() if output.known else set(output.tensors))
    _separate(encoder)
    drawn = reinitialise_top(encoder, hparams.reinit_layers)
    if hparams.pooling == "mean" and (hparams.linear_head or not (output.known or output.taken)):
        drawn += pool_mean(encoder, head)
    fresh = {id(weight) for module in drawn for weight in module.parameters()}
    new |= {name for name, weight in encoder.named_parameters() if id(weight) in fresh}
    freeze(encoder, hparams, new)
    return Loaded(
        model=encoder,
        tokenizer=tokenizer,
        new_weights=tuple(sorted(new)),
        limit=length_limit(encoder, tokenizer),
        fingerprint=weights_digest(encoder),
        parameters=sum(parameter.numel() for parameter in encoder.parameters()),
        trained_parameters=sum(parameter.numel() for parameter in encoder.parameters() if parameter.requires_grad),
        head=output,
        notes=(*notes, *([output.note] if output.note else [])),
    )


def config_and_tokenizer(model: Model, folder: Path) -> tuple[Any, Any]:
    """Read a model's config and its tokenizer.

    Raises:
        InputError: they can't be loaded, or the config asks for foreign code.
    """
    import transformers

    try:
        # Explicitly False: otherwise transformers asks at a terminal whether to run a model's own code.
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # transformers' errors for invalid files have no common class
        raise InputError(f"model.path={model.path}: can't be loaded from {folder}: {_brief(error)}") from error
    refuse_foreign_kernels(config, model)
    return config, tokenizer


def read_weights(model: Model, auto_class: Any, folder: Path, config: Any, **named: Any) -> Any:
    """Return what `from_pretrained` of an auto class does, in fp32 and without running code of the model's.

    Raises:
        InputError: the weights can't be loaded.
    """
    import torch

    try:
        return auto_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            trust_remote_code=False,
            use_safetensors=None if model.allow_pickled_weights else True,
            **named,
        )
    except Exception as error:
        raise InputError(
            f"model.path={model.path}: can't be loaded as {auto_class.__name__}: {_brief(error)}"
        ) from error


def head_class(config: Any, head: Head, model: Model) -> Any:
    """Return transformers' auto class of a head.

    Raises:
        InputError: the model's architecture has no such head; names its type, and the kind of head that is needed.
    """
    import transformers

    auto_class = getattr(transformers, head.auto_class)
    if type(config) not in auto_class._model_mapping:
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", auto_class.__name__.removeprefix("AutoModelFor")).lower()
        raise InputError(
            f"model.path={model.path}: transformers has no head for {kind}, which this task needs, on models of the "
            f"type {config.model_type}"
        )
    return auto_class


def settle_padding(tokenizer: Any, config: Any, head: Head, model: Model) -> Iterator[str]:
    """Make sure that tokenizer and config have a padding token. Models that write text often come without one.

    Heads that classify by the last token of a text look for it with the config's padding token. Others have outputs for
    each token, which decoding counts from the first one.
    """
    if tokenizer.padding_side == "left" and head.auto_class != WHOLE_TEXT_HEAD:
        tokenizer.padding_side = "right"
        yield "padding: on the right, not on the left as the tokenizer does by itself"
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise InputError(
                f"model.path={model.path}: its tokenizer has no padding token, so batches can't be made, and no end "
                "token that could stand for it"
            )
        tokenizer.pad_token = tokenizer.eos_token
        config.pad_token_id = tokenizer.pad_token_id
        yield f"padding: {tokenizer.eos_token}, the end token, as the tokenizer has no padding token"
    vocabulary = getattr(config.get_text_config(), "vocab_size", None)
    if isinstance(vocabulary, int) and tokenizer.pad_token_id >= vocabulary:
        raise InputError(
            f"model.path={model.path}: its tokenizer pads with '{tokenizer.pad_token}', number "
            f"{tokenizer.pad_token_id}, but its embedding table has {vocabulary} rows only. Do tokenizer and weights "
            "belong together?"
        )
    for part in (config, config.get_text_config()):
        if getattr(part, "pad_token_id", None) is None:
            part.pad_token_id = tokenizer.pad_token_id


def _settle_config(config: Any, head: Head) -> Iterator[str]:
    """Make a saved config that of the model to be trained: its outputs, and nothing that another training left."""
    if head.labels:
        config.id2label = dict(enumerate(head.labels))
        config.label2id = {label: index for index, label in enumerate(head.labels)}
    else:
        config.num_labels = SPAN_OUTPUTS
    config.problem_type = head.problem_type
    for name in OF_A_TRAINING:
        if hasattr(config, name):
            delattr(config, name)
    yield from settle_attention(config)


def settle_attention(config: Any) -> Iterator[str]:
    """Make a config that of a model that reads whole texts at once, each by itself."""
    # A cache of keys and values serves for writing text; here it would only be kept and thrown away.
    if getattr(config, "use_cache", False):
        config.use_cache = False
    if getattr(config, "attention_type", None) == "block_sparse":
        # Such models change to full attention for good once a text is short: results would depend on what came before.
        config.attention_type = "original_full"
        yield "attention: over the whole text, not in blocks (block_sparse), which short texts can't have"


def _separate(model: Any) -> None:
    """Give each weight memory of its own.

    Where transformers cuts a file's tensor into several weights, these stay parts of one, and can't be saved any more.
    """
    for weight in model.parameters():
        if weight.untyped_storage().nbytes() != weight.nbytes:
            weight.data = weight.data.clone()


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


def weights_digest(model: Any) -> str:
    """Return a hash of all weights of a model on the CPU."""
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
