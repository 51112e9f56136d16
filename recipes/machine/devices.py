"""Where a run computes and in which precision, found out once and said once."""

import os
from dataclasses import dataclass

from recipes.config.schema import Runtime
from recipes.machine.memory import keep_freed_memory
from recipes.machine.processor import bf16_units
from tasks.errors import InputError

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
