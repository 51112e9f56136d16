"""How many threads a process should compute with."""

import joblib
import psutil


def threads_per_process(processes: int) -> int:
    """Return the number of threads for each process: an equal share of this machine's cores, but at least one.

    Args:
        processes: number of processes on this machine.
    """
    return max(usable_cores() // processes, 1)


def usable_cores() -> int:
    """Return the number of cores that matrix products can use at once.

    The affinity of this process and the CPU quota of its container limit the number. So does the number of physical
    cores: two threads on one core share its arithmetic units.
    """
    allowed = int(joblib.cpu_count())  # respects a container's quota, affinity and LOKY_MAX_CPU_COUNT
    return min(allowed, psutil.cpu_count(logical=False) or allowed)
