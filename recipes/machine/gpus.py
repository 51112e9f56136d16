"""A GPU for each of several processes that work side by side on one machine."""

import os
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

VISIBLE = "CUDA_VISIBLE_DEVICES"
"What tells CUDA which GPUs a process may use, before it first uses one."


@cache
def take_gpu() -> FileLock | None:
    """Let this process see one GPU only: the first that no other process of this user has taken in this way.

    It stays taken until the process ends, as CUDA can't change its mind. Where all are taken, one is shared. With a
    single GPU or none, nothing changes.

    Returns:
        The lock that is held; None if nothing was taken.
    """
    gpus = _visible()
    if len(gpus) < 2:
        return None
    folder = Path(tempfile.gettempdir()) / f"recipes-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for gpu in gpus:
        lock = FileLock(folder / f"{gpu.replace('/', '_')}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        os.environ[VISIBLE] = gpu
        return lock
    os.environ[VISIBLE] = gpus[os.getpid() % len(gpus)]
    return None


def _visible() -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA counts them."""
    allowed = os.environ.get(VISIBLE)
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip()]
    import torch

    return list(map(str, range(torch.cuda.device_count())))
