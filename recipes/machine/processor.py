"""The processor's name and its bf16 units, as the system reports them."""

import platform
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")
"The file in which Linux describes the processor. No other system has it."

BF16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"Flags of the processor's units for bf16, and the units' usual names."


def bf16_units() -> str:
    """Return the names of the processor's units that multiply bf16 matrices, by the flags it reports; "" if none.

    Without such a unit, bf16 is emulated and slower than fp32.
    """
    flags = next((line.split() for line in _cpu_info_lines() if line.startswith("flags")), [])
    return ", ".join(name for flag, name in BF16_UNITS.items() if flag in flags)


def processor_name() -> str:
    """Return the name of the processor's model."""
    names = (line.split(":", 1)[1].strip() for line in _cpu_info_lines() if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _cpu_info_lines() -> list[str]:
    try:
        return CPU_FACTS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
