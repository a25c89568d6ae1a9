"""How long events took to a stage, for whole blocks of rows."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from streams.metrics.histogram import BatchHistogram

EVENT, RECEIVED = "event", "received"


class Latency:
    """Observes the columns ``at``, ``received_at`` and ``undo`` of rows; times in ms UTC.

    An undo carries the time of the interaction that it takes back, which says nothing about how
    fast the undo was: it counts since it was received only.
    """

    def __init__(self, histogram: BatchHistogram, now: Callable[[], float] = time.time) -> None:
        """``now``: wall time in seconds since 1970."""
        self._histogram, self._now = histogram, now

    def now_ms(self) -> int:
        """Wall time in ms UTC."""
        return int(self._now() * 1000)

    def expect(self, stage: str) -> None:
        """Let a stage's histograms start at 0."""
        for since in (EVENT, RECEIVED):
            self._histogram.labels(stage, since)

    def observe(self, stage: str, columns: Mapping[str, Any], now_ms: int) -> None:
        """The rows of ``columns`` had passed ``stage`` at ``now_ms``; ahead of it counts as 0."""
        at = columns["at"]
        undo = columns["undo"]
        if undo.any():
            at = at[~undo]
        since_event = self._histogram.labels(stage, EVENT)
        since_event.observe_many(np.maximum(now_ms - at, 0))
        since_received = self._histogram.labels(stage, RECEIVED)
        since_received.observe_many(np.maximum(now_ms - columns["received_at"], 0))
