"""Handles Ctrl-C, SIGTERM and a closing terminal: a training finishes its step, saves a checkpoint and ends.

Outside of training, the process ends at once.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

PATIENCE = 2.0
"""A second signal ends the process at once only if it comes more than this many seconds after the first. An earlier one
may be a copy of the first: a terminal and a launcher may both pass it on."""


class Interrupted(BaseException):
    """A signal told the run to end. Not an `Exception`: a sweep goes on after a failed job, but must not after this."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_status = 128 + number


class Interruption:
    """Handles the signals that tell this process to end.

    Usage: `with Interruption() as interruption:` around everything, `with interruption.deferred():` around code that
    checks `received` from time to time and ends by itself.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        "Number of the signal that was deferred. None: no signal."
        self._deferred = False
        self._at = 0.0

    def __enter__(self) -> "Interruption":
        # Under `nohup`, SIGHUP is ignored already and must stay so.
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._on_signal) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Store the first signal in `received` instead of ending at once."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.received is not None:
            raise Interrupted(self.received, "Interrupted.")

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if self._deferred and self.received is None:
            self.received, self._at = number, now
        elif not self._deferred or now - self._at > PATIENCE:
            raise Interrupted(number, "Interrupted.")
