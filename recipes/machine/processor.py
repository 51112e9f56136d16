"""The processor's name and its bf16 units, as the system reports them."""

import platform
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")
"The file in which Linux describes the processor. No other system has it."

INTEL = "GenuineIntel"


def bf16_units() -> str:
    """Return the names of the units that multiply bf16 faster than fp32, by the processor's own flags; "" if none.

    Without such a unit, bf16 is emulated and slower than fp32. AVX512-BF16 counts on AMD's processors alone: Intel's
    leave fast products to AMX, and where a virtual machine hid AMX, bf16 took twice as long as fp32
    (docs/performance.md, "Other processors").
    """
    facts = _cpu_facts()
    flags = facts.get("flags", "").split()
    fast = {"amx_bf16": "AMX"} | ({} if facts.get("vendor_id") == INTEL else {"avx512_bf16": "AVX512-BF16"})
    return ", ".join(name for flag, name in fast.items() if flag in flags)


def processor_name() -> str:
    """Return the name of the processor's model."""
    return _cpu_facts().get("model name", "") or platform.processor() or platform.machine()


def _cpu_facts() -> dict[str, str]:
    """Return what the system says of the first core; nothing where it says nothing."""
    try:
        first_core = CPU_FACTS.read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first_core.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
