"""Where a run computes and in which precision, found out once and said once."""

import platform
from pathlib import Path

BF16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"Processor flags of /proc/cpuinfo, and the names that people know them by."


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


def processor() -> str:
    """Return the name that the processor gives itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
