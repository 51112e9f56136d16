"""The state from which training resumes, as safetensors and JSON: pickles are neither written nor read."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor

from recipes.system.files import write_text
from tasks.errors import InputError

WEIGHTS = "weights.safetensors"
OPTIMIZER = "optimizer"
SCHEDULER = "scheduler.json"
SCALER = "scaler.json"


def save_weights(folder: Path, model: Any) -> None:
    """Write all weights of a model; weights with several names are written once.

    Raises:
        OSError: the disk is full or can't be written to.
    """
    try:
        save_model(model, str(folder / WEIGHTS))
    except SafetensorError as error:
        raise OSError(str(error)) from error


def copied_weights(model: Any) -> dict[str, Tensor]:
    """Return copies of all weights in main memory, of those with several names one, as `save_weights` writes them."""
    seen, copies = set(), {}
    for name, weight in model.state_dict().items():
        place = (weight.data_ptr(), weight.shape, weight.dtype) if weight.numel() else name
        if place not in seen:
            seen.add(place)
            copies[name] = weight.detach().to("cpu", copy=True)
    return copies


def load_weights(folder: Path, model: Any) -> None:
    """Put the weights that `save_weights` wrote into a model of the same shape, in place."""
    load_model(model, folder / WEIGHTS, strict=True)


def save_optimizer(folder: Path, optimizer: Any) -> None:
    """Write an optimizer's state: its tensors, and its numbers and parameter groups.

    Raises:
        OSError: the disk is full or can't be written to.
    """
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, values in state["state"].items():
        for key, value in values.items():
            place = tensors if isinstance(value, Tensor) else numbers
            place[f"{index}.{key}"] = value.contiguous() if isinstance(value, Tensor) else value
    save_tensors(folder / f"{OPTIMIZER}.safetensors", tensors)
    write_text(
        folder / f"{OPTIMIZER}.json", json.dumps({"numbers": numbers, "param_groups": state["param_groups"]}) + "\n"
    )


def load_optimizer(folder: Path, optimizer: Any) -> None:
    """Put the state that `save_optimizer` wrote into an optimizer over the same parameters.

    Raises:
        InputError: the state was written for other parameters; fused optimizers would read past the end of its tensors.
    """
    written = json.loads((folder / f"{OPTIMIZER}.json").read_text(encoding="utf-8"))
    state: dict[int, dict[str, Any]] = {}
    for place, value in {**load_file(folder / f"{OPTIMIZER}.safetensors"), **written["numbers"]}.items():
        index, _, key = place.partition(".")
        state.setdefault(int(index), {})[key] = value
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, values in state.items():
        shapes = {tuple(value.shape) for value in values.values() if isinstance(value, Tensor) and value.dim()}
        if index >= len(parameters) or shapes - {tuple(parameters[index].shape)}:
            raise InputError(f"{folder} holds the optimizer of other weights. To begin anew: overwrite=true")
    optimizer.load_state_dict({"state": state, "param_groups": written["param_groups"]})


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors.

    Raises:
        OSError: the disk is full or can't be written to.
    """
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote."""
    found: dict[str, Tensor] = load_file(path)
    return found


def save_json_state(path: Path, value: Any) -> None:
    """Write a state dict of plain numbers, exactly as they are."""
    write_text(path, json.dumps(value) + "\n")


def load_json_state(path: Path) -> Any:
    """Read what `save_json_state` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def random_state() -> dict[str, Any]:
    """Return the state of every random number generator of this process, as JSON values."""
    version, internal, gauss_next = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state()
    state = {
        "python": [version, list(internal), gauss_next],
        "numpy": [kind, np.asarray(keys).tolist(), position, has_gauss, cached],
        "torch": _hex(torch.get_rng_state()),
    }
    if torch.cuda.is_available():
        state["cuda"] = _hex(torch.cuda.get_rng_state())
    return state


def set_random_state(state: Mapping[str, Any]) -> None:
    """Set every generator to a state that `random_state` returned."""
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    torch.set_rng_state(_bytes(state["torch"]))
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(_bytes(state["cuda"]))


def _hex(state: Tensor) -> str:
    return bytes(state.cpu().numpy()).hex()


def _bytes(text: str) -> Tensor:
    return torch.from_numpy(np.frombuffer(bytes.fromhex(text), dtype=np.uint8).copy())
