"""What the processor says of itself."""

import platform
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")
"Where Linux lists them. No other system has this file."

BF16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"Processor flags, and the names that people know these units by."


def bf16_units() -> str:
    """Return the names of the processor's units that multiply bf16 matrices, by the flags it reports; "" if none.

    Where bf16 is only emulated it is slower than fp32.
    """
    flags = next((line.split() for line in _facts() if line.startswith("flags")), [])
    return ", ".join(name for flag, name in BF16_UNITS.items() if flag in flags)


def processor_name() -> str:
    """Return the name that the processor gives itself."""
    names = (line.split(":", 1)[1].strip() for line in _facts() if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _facts() -> list[str]:
    try:
        return CPU_FACTS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
