"""How long events took to a stage, for whole blocks of rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.metrics.histogram import BatchHistogram

EVENT, RECEIVED = "event", "received"
TIMES: Final = ("undo", "undone_at", "at", "received_at")
"""The columns that say when rows happened."""


class Latency:
    """Observes the event times (of an undo its own) and times of receipt of rows, in ms UTC."""

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
        undo, undone_at, at, received_at = (_joined(blocks, name) for name in TIMES)
        if undo.any():
            at = np.where(undo, undone_at, at)
            at = at[at > 0]  # frames of the first version do not tell it of undos
        for since, times in ((EVENT, at), (RECEIVED, received_at)):
            self._histogram.labels(stage, since).observe_many(np.maximum(now - times, 0))


def _joined(blocks: Sequence[Mapping[str, Any]], name: str) -> npt.NDArray[Any]:
    if len(blocks) == 1:
        return np.asarray(blocks[0][name])
    return np.concatenate([block[name] for block in blocks])
