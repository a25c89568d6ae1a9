"""Whether the event loop of this process still turns."""

import asyncio
import time
from collections.abc import Callable

_BEAT_SECONDS = 1.0
_SLOW_SECONDS = 10.0
_HUNG_SECONDS = 150.0
"""Longer than a broker may keep what is sent to it waiting (``engine/outbox.py``): a worker that
waits for that is ended by the error that says so."""


def clock() -> float:
    """Seconds of a clock that goes on while a machine is suspended (on Linux)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class Pulse:
    """Beats in the event loop; other threads see for how long it has not.

    ``slow_after``: seconds without a beat after which the process is not healthy; ``hung_after``:
    after which it ends itself.
    """

    def __init__(self, session_seconds: float, now: Callable[[], float] = clock) -> None:
        self.slow_after = max(_SLOW_SECONDS, 2 * session_seconds)
        self.hung_after = max(_HUNG_SECONDS, 3 * session_seconds)
        self._now = now
        self._beat_at: float | None = None

    async def run(self) -> None:
        """Beat until cancelled: a process that is about to end is not watched any more."""
        try:
            while True:
                self.beat()
                await asyncio.sleep(_BEAT_SECONDS)
        finally:
            self._beat_at = None

    def beat(self) -> None:
        """The loop turns."""
        self._beat_at = self._now()

    def silent(self) -> float:
        """Seconds since the last beat; 0 before the first one and after the last one."""
        beat_at = self._beat_at
        return 0.0 if beat_at is None else max(0.0, self._now() - beat_at)

    def check(self) -> str:
        """For ``/health``: what is wrong, or nothing."""
        silent = self.silent()
        if silent <= self.slow_after:
            return ""
        return f"the event loop has not turned for {silent:.0f} s"
