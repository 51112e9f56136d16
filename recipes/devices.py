"""Where a run computes and in which precision, found out once and said once."""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from recipes.config import Runtime
from tasks.errors import InputError


@dataclass(frozen=True)
class Placement:
    """The machine's part in a run."""

    device: str
    precision: str
    threads: int
    processes: int
    notes: tuple[str, ...] = ()
    "Sentences for the user."

    def describe(self) -> str:
        """Return one phrase for the console: `fp32 on cpu, 2 threads`."""
        where = f"{self.precision} on {self.device}"
        each = f", {self.threads} threads" if self.device == "cpu" else ""
        return where + each + (f", {self.processes} processes" if self.processes > 1 else "")


def place(runtime: Runtime) -> Placement:
    """Decide device, precision and threads, and set the number of threads.

    Raises:
        InputError: the device or precision asked for is not to be had here.
    """
    import torch

    device = _device(runtime.device)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    threads = runtime.threads or max(len(os.sched_getaffinity(0)) // here, 1)
    # accelerate launch and torchrun set one thread per process, which leaves the other cores idle.
    torch.set_num_threads(threads)
    if device == "cpu":
        keep_freed_memory()
    notes = []
    if device == "cuda" and processes == 1 and torch.cuda.device_count() > 1:
        notes.append(
            f"one of {torch.cuda.device_count()} GPUs is used; for all of them: accelerate launch "
            "--config_file scripts/accelerate/gpus.yaml -m recipes.run ..."
        )
    return Placement(device, _precision(runtime.precision, device), threads, processes, tuple(notes))


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory, instead of handing it back to the system and fetching it anew in each step.

    A training step frees and allocates the same large tensors over and over; without this, mapping and zeroing their
    pages takes a fifth of a small model's step. Other C libraries have no such setting and are left alone.
    """
    trim_threshold, mmap_threshold, most = -1, -3, 1 << 30  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    library.mallopt(mmap_threshold, most)
    library.mallopt(trim_threshold, most)


def _device(wanted: str) -> str:
    import torch

    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if has[device])
    if not has[wanted]:
        raise InputError(f"runtime.device={wanted}: there is none here. runtime.device=auto takes what there is")
    return wanted


def _precision(wanted: str, device: str) -> str:
    import torch

    if wanted == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else cpu_computes_bf16()
        return "bf16" if fast and device != "mps" else "fp32"
    if wanted == "fp16" and device != "cuda":
        raise InputError(f"runtime.precision=fp16: not on {device}; use bf16 or fp32")
    return wanted


def cpu_computes_bf16() -> bool:
    """Tell whether the processor multiplies bf16 matrices itself (AVX512-BF16 or AMX), by the flags it reports.

    Elsewhere bf16 is emulated and slower than fp32. Only Linux reports the flags in this way.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return "avx512_bf16" in flags or "amx_bf16" in flags
