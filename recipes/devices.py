"""Where a run computes and in which precision, found out once and said once."""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from recipes.config import Runtime
from tasks.errors import InputError

BF16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"Processor flags of /proc/cpuinfo, and the names that people know them by."

CPU_TOKENS_AT_ONCE = 2048
"Enough to keep a CPU's matrix units busy; more only costs memory (docs/performance.md)."


@dataclass(frozen=True)
class Placement:
    """The machine's part in a run."""

    device: str
    precision: str
    threads: int
    processes: int
    tokens_at_once: int | None = None
    "Tokens with padding that go through the model at once. None: whole batches."
    reason: str = ""
    "Why this precision, where it was found out and not asked for."
    notes: tuple[str, ...] = ()
    "Sentences for the user."

    def describe(self) -> str:
        """Return one phrase for the console: `bf16 on cpu (AVX512-BF16), 2 threads`."""
        where = f"{self.precision} on {self.device}" + (f" ({self.reason})" if self.reason else "")
        each = f", {self.threads} threads" if self.device == "cpu" else ""
        return where + each + (f", {self.processes} processes" if self.processes > 1 else "")


def place(runtime: Runtime, stock: bool = False) -> Placement:
    """Decide device, precision and threads, and set the number of threads.

    Args:
        runtime: what the user asked for.
        stock: decide as the example scripts of transformers do: fp32, and memory handled as the system does.

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
    if device == "cpu" and not stock:
        keep_freed_memory()
    notes = []
    if device == "cuda" and processes == 1 and torch.cuda.device_count() > 1:
        notes.append(
            f"one of {torch.cuda.device_count()} GPUs is used; for all of them: accelerate launch "
            "--config_file scripts/accelerate/gpus.yaml -m recipes.run ..."
        )
    precision, reason = _precision(runtime.precision, device, stock)
    at_once = runtime.tokens_at_once or (CPU_TOKENS_AT_ONCE if device == "cpu" and not stock else None)
    return Placement(device, precision, threads, processes, at_once, reason, tuple(notes))


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


def release_freed_memory() -> None:
    """Hand back to the system what `keep_freed_memory` made glibc keep."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return


def keep_few_kernels() -> None:
    """Let oneDNN keep the kernels of fewer shapes than its usual 1,024; it asks once, before its first product.

    It compiles kernels for each length of a batch and keeps 0.4 MB of them. Where texts are long, lengths rarely recur
    and compiling takes a hundredth of a step.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


def _device(wanted: str) -> str:
    import torch

    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if has[device])
    if not has[wanted]:
        raise InputError(f"runtime.device={wanted}: there is none here. runtime.device=auto takes what there is")
    return wanted


def _precision(wanted: str, device: str, stock: bool) -> tuple[str, str]:
    """Return the precision, and the reason if it was left to us."""
    import torch

    if wanted == "fp16" and device != "cuda":
        raise InputError(f"runtime.precision=fp16: not on {device}; use bf16 or fp32")
    if wanted != "auto":
        return wanted, ""
    if stock:
        return "fp32", "stock"
    if device == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16", "computed by this GPU"
        return "fp32", "this GPU does not compute bf16"
    units = bf16_units() if device == "cpu" else ""
    return ("bf16", units) if units else ("fp32", f"no bf16 unit found in this {device.upper()}")


def bf16_units() -> str:
    """Return the names of the processor's units that multiply bf16 matrices, by the flags it reports; "" if none.

    Where bf16 is only emulated it is slower than fp32. Only Linux reports the flags in this way.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return ", ".join(name for flag, name in BF16_UNITS.items() if flag in flags)
