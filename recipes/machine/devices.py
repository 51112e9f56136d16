"""The device, precision and threads of a run, decided once at its start."""

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

from recipes.config.schema import Method, Runtime
from recipes.machine.gpus import VISIBLE
from recipes.machine.memory import keep_freed_memory
from recipes.machine.processor import bf16_units
from recipes.machine.threads import threads_per_process
from tasks.errors import InputError

Device: TypeAlias = Literal["cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]

CPU_TOKENS_AT_ONCE = 2048
"Enough to keep a CPU's matrix units busy; more only costs memory (docs/performance.md)."


@dataclass(frozen=True)
class Placement:
    """The device, precision, threads and processes that a run computes with."""

    device: Device
    precision: Precision
    threads: int
    processes: int
    tokens_at_once: int | None = None
    "Maximum number of tokens in a forward pass, padding included. None: whole batches."
    reason: str = ""
    "Why this precision was chosen, if `runtime.precision` is auto."
    notes: tuple[str, ...] = ()
    "Sentences for the user."

    def describe(self) -> str:
        """Return one phrase for the console: `bf16 on cpu (AVX512-BF16), 2 threads`."""
        parts = [f"{self.precision} on {self.device}" + (f" ({self.reason})" if self.reason else "")]
        if self.device == "cpu":
            parts.append("1 thread" if self.threads == 1 else f"{self.threads} threads")
        if self.processes > 1:
            parts.append(f"{self.processes} processes")
        return ", ".join(parts)


def place(runtime: Runtime, method: Method = "recipe") -> Placement:
    """Decide device, precision and threads. Set the number of threads, and on a GPU which attention torch may take.

    Args:
        runtime: the user's settings.
        method: how the network is trained. "stock" computes in fp32, as the example scripts of transformers do. Only
            "recipe" makes the C library keep freed memory and, unless told otherwise, limits the tokens of a pass, and
            does without cuDNN's attention on a GPU.

    Raises:
        InputError: this machine does not have the device or precision asked for.
    """
    import torch

    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if runtime.device == "cpu" and processes > 1:
        # Otherwise torch lets each process wait for the others on a GPU of its own, and fails if there are fewer.
        os.environ[VISIBLE] = ""
    device = _device(runtime.device)
    threads = runtime.threads or threads_per_process(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    # accelerate launch and torchrun set one thread per process, which leaves the other cores idle.
    torch.set_num_threads(threads)
    if device == "cpu" and method == "recipe":
        keep_freed_memory()
    if device == "cuda":
        # On an H100, torch prefers cuDNN's attention, which takes a second to prepare for each new shape of a batch.
        torch.backends.cuda.enable_cudnn_sdp(method != "recipe")
    notes = []
    if device == "cuda" and processes == 1 and torch.cuda.device_count() > 1:
        notes.append(
            f"one of {torch.cuda.device_count()} GPUs is used; for all of them: accelerate launch "
            "--config_file scripts/accelerate/gpus.yaml -m recipes.run ..."
        )
    precision, reason = _precision(runtime.precision, device, method)
    at_once = runtime.tokens_at_once or (CPU_TOKENS_AT_ONCE if device == "cpu" and method == "recipe" else None)
    return Placement(device, precision, threads, processes, at_once, reason, tuple(notes))


def wait_for_gpu() -> None:
    """Wait until a GPU that this process uses has done all that it was given; without one, return at once."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _device(wanted: str) -> Device:
    import torch

    has: dict[Device, bool] = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(device for device in has if has[device])
    device = cast(Device, wanted)
    if not has[device]:
        raise InputError(f"runtime.device={wanted}: there is none here. runtime.device=auto takes what there is")
    return device


def _precision(wanted: str, device: Device, method: Method) -> tuple[Precision, str]:
    """Return the precision, and the reason for it if the user did not choose."""
    import torch

    if wanted == "fp16" and device != "cuda":
        raise InputError(f"runtime.precision=fp16: not on {device}; use bf16 or fp32")
    if wanted in get_args(Precision):
        return cast(Precision, wanted), ""
    if method == "stock":
        return "fp32", "stock"
    if device == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16", "computed by this GPU"
        return "fp32", "this GPU does not compute bf16"
    units = bf16_units() if device == "cpu" else ""
    return ("bf16", units) if units else ("fp32", f"no fast bf16 unit found in this {device.upper()}")
