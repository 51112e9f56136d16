"""Where the time of a run goes: the time of its phases, of its epochs alone, and up to the first step."""

import time
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from recipes.machine.devices import wait_for_gpu


class Laps:
    """Seconds between one call of `lap` and the next, by name."""

    def __init__(self) -> None:
        self.started = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Add the time since the last call to the phase of this name."""
        now = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + now - self._last, 3)
        self._last = now

    def total(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.started


class TrainingClock(TrainerCallback, ExportableState):  # type: ignore[misc]
    """Seconds spent in training epochs, without evaluating and saving between them, and seconds to the first step.

    Args:
        started: a reading of `time.perf_counter`; the time to the first step counts from it.
    """

    def __init__(self, started: float) -> None:
        self.started = started
        self.seconds = 0.0
        self.first_step: float | None = None
        "Seconds from `started` to the end of the first optimizer step."
        self._since: float | None = None

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        """Start the time of an epoch."""
        self._since = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Record the time to the first step."""
        if self.first_step is None:
            wait_for_gpu()
            self.first_step = time.perf_counter() - self.started

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        """Add the time of the epoch. A GPU may still be busy with its last steps."""
        wait_for_gpu()
        self.seconds, self._since = self._so_far(), None

    def state(self) -> dict[str, Any]:
        """Return the seconds so far, to which a resumed training adds."""
        return {"args": {}, "attributes": {"seconds": self._so_far()}}

    def _so_far(self) -> float:
        return self.seconds + (0.0 if self._since is None else time.perf_counter() - self._since)
