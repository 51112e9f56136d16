"""The most floating-point operations per second that this machine reaches in a product of two matrices."""

import time

GEMM_SIZE = 2048


def gemm_peak(precision: str, device: str, seconds: float = 1.0) -> float:
    """Return the most floating-point operations per second that a product of two square matrices reached here.

    Args:
        precision: fp32, bf16 or fp16.
        device: cpu or cuda.
        seconds: how long to try.
    """
    import torch

    kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    size = GEMM_SIZE if device == "cpu" else 4 * GEMM_SIZE
    left, right = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        if device == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best
