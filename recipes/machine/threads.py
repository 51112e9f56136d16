"""How many threads a process should compute with."""

import joblib
import psutil


def threads_per_process(processes: int) -> int:
    """Return the share of this machine's cores that each of some processes gets; at least one.

    Args:
        processes: how many there are on this machine.
    """
    return max(usable_cores() // processes, 1)


def usable_cores() -> int:
    """Return the cores that matrix products can use at once.

    That is as many as the affinity of this process and the CPU quota of its container allow, and no more than there
    are physical cores: two threads on one core share its arithmetic units.
    """
    allowed = int(joblib.cpu_count())  # a container's quota, affinity and LOKY_MAX_CPU_COUNT are counted in
    return min(allowed, psutil.cpu_count(logical=False) or allowed)
