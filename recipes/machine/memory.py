"""The memory of this process: what the C library and oneDNN keep for reuse, and the peak."""

import ctypes
import os
import resource
import sys


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory, instead of handing it back to the system and fetching it anew in each step.

    A training step frees and allocates the same large tensors over and over; without this, mapping and zeroing their
    pages takes a fifth of a small model's step. Other C libraries have no such setting and are left alone.
    """
    trim_threshold, mmap_threshold, most = -1, -3, 1 << 30  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    library = _glibc()
    if library is not None:
        library.mallopt(mmap_threshold, most)
        library.mallopt(trim_threshold, most)


def release_freed_memory() -> None:
    """Release to the system the freed memory that glibc keeps, also what lies between memory in use."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def keep_few_kernels() -> None:
    """Make oneDNN keep fewer compiled kernels than its usual 1,024. Call this before its first matrix product.

    oneDNN compiles kernels for each batch length and keeps 0.4 MB of them per length. With long texts, lengths rarely
    recur, and compiling takes a hundredth of a step.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


def peak_memory_mb() -> float:
    """Return the peak memory of the process in MB: on the GPU if it used one, otherwise the resident set size."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return round(float(torch.cuda.max_memory_allocated()) / 2**20, 1)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # kilobytes on Linux, bytes on macOS
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None
