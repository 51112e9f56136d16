"""Ctrl-C, SIGTERM and a terminal that closes: a training finishes its step, saves itself and ends.

Anything but a training ends at once.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

PATIENCE = 2.0
"Seconds after which a second signal is a wish to end at once. A terminal and a launcher may both pass on the first."


class Interrupted(BaseException):
    """The run was told to end. No `Exception`: what goes on after a failed job must not go on after this."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_status = 128 + number


class Interruption:
    """What has been asked of this process by a signal.

    Usage: `with Interruption() as interruption:` around everything, `with interruption.deferred():` around what can
    look at `received` from time to time and end by itself.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        "Number of the signal that waits to be obeyed."
        self._deferred = False
        self._at = 0.0

    def __enter__(self) -> "Interruption":
        # A terminal's closing is nothing to a command that was started with `nohup`.
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._on_signal) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Keep a first signal in `received` instead of ending at once."""
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
