"""The machine under a run: devices, threads, memory, and the facts about it that a report keeps. Imports `results`."""
