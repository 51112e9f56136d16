"""Room on the disk for checkpoints: how much they take, and whether it is there."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

from tasks.errors import InputError


def bytes_of_weights(model: Any) -> int:
    """Return about how many bytes a model's weights take."""
    return sum(int(tensor.numel() * tensor.element_size()) for tensor in model.state_dict().values())


def bytes_of_moments(model: Any) -> int:
    """Return about how many bytes AdamW's state takes: two numbers for each parameter that is trained."""
    trained = (weight for weight in model.parameters() if weight.requires_grad)
    return sum(2 * int(weight.numel() * weight.element_size()) for weight in trained)


def require_free(folder: Path, size: int) -> None:
    """Require so many free bytes.

    Raises:
        OSError: there are fewer.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {_mb(size)} needed, {_mb(free)} free")


def require_room(folder: Path, model: Any) -> None:
    """Refuse to begin without enough disk space to end: while a checkpoint is replaced, there are two of its kind.

    Args:
        folder: that of the checkpoints; what is there already counts as room, as it gets replaced.
        model: the model, with frozen weights marked as such.

    Raises:
        InputError: it says how much is needed.
    """
    weights, moments = bytes_of_weights(model), bytes_of_moments(model)
    needed = 3 * weights + 2 * (weights + moments)
    taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free + taken < needed:
        raise InputError(
            f"{folder.parent} has {_mb(free)} of disk left, and this run needs {_mb(needed)}: two checkpoints, the "
            "best weights and the final model. Make room, or take another output_root"
        )


def _mb(size: float) -> str:
    return f"{size / 2**20:,.1f} MB"
