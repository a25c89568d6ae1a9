"""Frames: which stretch of a source's offsets each target partition is told about, and when."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from schemas.frames import Columns, Frame, FrameHeader, empty_columns, joined_columns
from schemas.topics import Topic
from streams.core.arrays import Ints, run_starts

EMPTY_EVERY_SECONDS: Final = 1.0
"""A target partition without rows hears of a source's progress at most this often."""

LARGEST_FRAME: Final = 900_000
"""Bytes of a frame's rows before it is split. This and the largest group of rows of one offset
stay below the largest record of a topic."""

_TEXTS: Final = ("actor", "target", "object")
_ROW: Final = 96
"""About what the numbers of a row take, in bytes."""


class FrameBuilder:
    """Collects the rows of one source and cuts them into frames for each target partition.

    The frames of a target partition follow each other without gap: one covers the offsets from the
    last of the frame before, plus 1, up to the position reached. A range whose rows do not fit one
    frame becomes several; all but the last of them carry the clock and the totals from before the
    range, which are true at their ends as "at least".
    """

    def __init__(
        self, topic: Topic, partition: int, partitions: int, model: int, applied: int = -1
    ) -> None:
        """``model``: version of the score model; ``applied``: what every target already knows."""
        self._topic = topic
        self._partition = partition
        self._model = model
        self._applied = applied
        self._clock = 0
        self._totals: dict[str, int] = {}
        self._rows: list[list[Columns]] = [[] for _ in range(partitions)]
        self._framed_to = [applied] * partitions
        self._sent_at = [float("-inf")] * partitions
        self._told: list[tuple[int, dict[str, int]]] = [(0, {})] * partitions

    def add(
        self, rows: Mapping[int, Columns], applied: int, clock: int, totals: dict[str, int]
    ) -> None:
        """Take over rows by target partition, and how far the source is now."""
        for target, columns in rows.items():
            self._rows[target].append(columns)
        self._applied, self._clock, self._totals = applied, clock, dict(totals)

    def take(
        self, now: float, *, everything: bool, waiting: bool = False
    ) -> list[tuple[int, Frame]]:
        """Frames that are due at ``now`` (monotonic seconds), with their target partitions.

        A partition with rows gets them at once, one without at most every EMPTY_EVERY_SECONDS.
        With ``everything`` each partition is brought up to the position reached. While the source
        is ``waiting`` each one is told at once to which clock it has come, and so again every
        EMPTY_EVERY_SECONDS, lest it counts as silent; such a frame may cover no offset.
        """
        frames: list[tuple[int, Frame]] = []
        for target, rows in enumerate(self._rows):
            quiet = now - self._sent_at[target] >= EMPTY_EVERY_SECONDS
            owed = self._framed_to[target] < self._applied and (everything or quiet)
            clock, _totals = self._told[target]
            if rows or owed or (waiting and (quiet or clock < self._clock)):
                frames.extend((target, frame) for frame in self._cut(target, rows))
                self._rows[target] = []
                self._framed_to[target] = self._applied
                self._sent_at[target] = now
                self._told[target] = self._clock, self._totals
        return frames

    def _cut(self, target: int, rows: list[Columns]) -> list[Frame]:
        chunks = _chunks(rows)
        frames = []
        first = self._framed_to[target] + 1
        clock, totals = self._told[target]
        for chunk in chunks[:-1]:
            last = int(chunk["offset"][-1])
            frames.append(Frame(self._header(first, last, clock, totals), chunk))
            first = last + 1
        header = self._header(first, self._applied, self._clock, self._totals)
        frames.append(Frame(header, chunks[-1]))
        return frames

    def _header(self, first: int, last: int, clock: int, totals: dict[str, int]) -> FrameHeader:
        return FrameHeader(
            topic=self._topic,
            partition=self._partition,
            first=first,
            last=last,
            clock=clock,
            model=self._model,
            totals=totals,
        )


def _chunks(batches: list[Columns]) -> list[Columns]:
    """At least one set of columns; rows of one offset stay together."""
    if not batches:
        return [empty_columns()]
    columns = joined_columns(batches)
    if _bytes_of(columns) <= LARGEST_FRAME:
        return [columns]
    ends = _bytes_up_to(columns)
    # where a frame may end: behind the last row of an offset
    stops = np.append(run_starts(columns["offset"])[1:], len(ends))
    sizes = ends[stops - 1]
    chunks, start, before = [], 0, 0
    while start < len(ends):
        fits = int(np.searchsorted(sizes, before + LARGEST_FRAME, side="right")) - 1
        group = max(fits, int(np.searchsorted(stops, start, side="right")))
        stop = int(stops[group])
        chunks.append({name: column[start:stop] for name, column in columns.items()})
        start, before = stop, int(sizes[group])
    return chunks


def _bytes_of(columns: Columns) -> int:
    """About how many bytes all rows take."""
    texts = (columns[name].places for name in _TEXTS)
    return _ROW * len(columns["offset"]) + sum(int(places[-1] - places[0]) for places in texts)


def _bytes_up_to(columns: Columns) -> Ints:
    """About how many bytes the rows take up to and with each."""
    ends = _ROW * np.arange(1, len(columns["offset"]) + 1)
    for name in _TEXTS:
        places = columns[name].places
        ends += places[1:] - np.int64(places[0])
    return ends
