"""Frames: which stretch of a source's offsets each target partition is told about, and when."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from schemas.frames import Frame, FrameHeader, columns_of
from schemas.topics import Topic
from streams.core.weigh import Row

EMPTY_EVERY_SECONDS: Final = 1.0
"""A target partition without rows hears of a source's progress at most this often."""

LARGEST_FRAME: Final = 900_000
"""Characters of a frame's rows before it is split. In UTF-8 a character has up to four bytes, so
this and the largest group of rows of one offset stay below the largest record of a topic."""

_ROW: Final = 96
"""About what the numbers of a row take, in bytes."""

_OFFSET, _ACTOR, _TARGET, _OBJECT = 0, 6, 7, 8


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
        self._rows: list[list[Row]] = [[] for _ in range(partitions)]
        self._framed_to = [applied] * partitions
        self._sent_at = [float("-inf")] * partitions
        self._told: list[tuple[int, dict[str, int]]] = [(0, {})] * partitions

    def add(
        self, rows: Sequence[Sequence[Row]], applied: int, clock: int, totals: dict[str, int]
    ) -> None:
        """Take over rows by target partition, and how far the source is now."""
        for pending, new in zip(self._rows, rows, strict=True):
            pending.extend(new)
        self._applied, self._clock, self._totals = applied, clock, dict(totals)

    def take(self, now: float, *, everything: bool) -> list[tuple[int, Frame]]:
        """Frames that are due at ``now`` (monotonic seconds), with their target partitions.

        A partition with rows gets them at once, one without at most every EMPTY_EVERY_SECONDS.
        With ``everything`` each partition is brought up to the position reached.
        """
        frames: list[tuple[int, Frame]] = []
        for target, rows in enumerate(self._rows):
            quiet = now - self._sent_at[target] >= EMPTY_EVERY_SECONDS
            if rows or (self._framed_to[target] < self._applied and (everything or quiet)):
                frames.extend((target, frame) for frame in self._cut(target, rows))
                self._rows[target] = []
                self._framed_to[target] = self._applied
                self._sent_at[target] = now
                self._told[target] = self._clock, self._totals
        return frames

    def _cut(self, target: int, rows: list[Row]) -> list[Frame]:
        chunks = _chunks(rows)
        frames = []
        first = self._framed_to[target] + 1
        clock, totals = self._told[target]
        for chunk in chunks[:-1]:
            last = chunk[-1][_OFFSET]
            frames.append(Frame(self._header(first, last, clock, totals), columns_of(chunk)))
            first = last + 1
        header = self._header(first, self._applied, self._clock, self._totals)
        frames.append(Frame(header, columns_of(chunks[-1])))
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


def _chunks(rows: list[Row]) -> list[list[Row]]:
    """At least one list of rows; those of one offset stay together."""
    sizes = [_ROW + len(row[_ACTOR]) + len(row[_TARGET]) + len(row[_OBJECT] or "") for row in rows]
    if sum(sizes) <= LARGEST_FRAME:
        return [rows]
    chunks: list[list[Row]] = [[]]
    room = LARGEST_FRAME
    for _, group in groupby(zip(rows, sizes, strict=True), key=lambda pair: pair[0][_OFFSET]):
        together = list(group)
        size = sum(map(itemgetter(1), together))
        if size > room and chunks[-1]:
            chunks.append([])
            room = LARGEST_FRAME
        chunks[-1].extend(row for row, _ in together)
        room -= size
    return chunks
