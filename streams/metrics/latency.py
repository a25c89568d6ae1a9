"""How long events took to a stage, for whole blocks of rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.metrics.histogram import BatchHistogram

EVENT, RECEIVED = "event", "received"


class Latency:
    """Observes the columns ``at``, ``received_at`` and ``undo`` of rows; times in ms UTC.

    An undo carries the time of the interaction that it takes back, which says nothing about how
    fast the undo was: it counts since it was received only.
    """

    def __init__(self, histogram: BatchHistogram, now: Callable[[], float]) -> None:
        """``now``: wall time in seconds since 1970."""
        self._histogram, self._now = histogram, now

    def expect(self, stage: str) -> None:
        """Let a stage's histograms start at 0."""
        for since in (EVENT, RECEIVED):
            self._histogram.labels(stage, since)

    def observe(self, stage: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """The rows of all ``blocks`` have passed ``stage`` now; those ahead of now count as 0."""
        if not blocks:
            return
        now = int(self._now() * 1000)
        at, received_at, undo = (_joined(blocks, n) for n in ("at", "received_at", "undo"))
        for since, times in ((EVENT, at[~undo]), (RECEIVED, received_at)):
            self._histogram.labels(stage, since).observe_many(np.maximum(now - times, 0))


def _joined(blocks: Sequence[Mapping[str, Any]], name: str) -> npt.NDArray[Any]:
    return np.concatenate([block[name] for block in blocks])
