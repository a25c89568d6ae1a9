"""How far one topic partition is stored, and which rows of a frame are new. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.frames import Frame

Source = tuple[str, int]
"""Topic and partition that a frame's rows come from."""


@dataclass(slots=True)
class SourceProgress:
    """``applied``: last source offset taken; ``clock``, ``totals``: as its frame said."""

    applied: int = -1
    clock: int = 0
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Progress:
    """Of one topic partition: everything before ``next_offset`` is taken.

    ``claim``: number of the reader, so that what an earlier one still writes does not count.
    """

    claim: int = 0
    next_offset: int = 0
    holes: int = 0
    lost: int = 0
    sources: dict[Source, SourceProgress] = field(default_factory=dict)

    def take(
        self, frame: Frame, *, begins_late: bool = False, accept_loss: bool = False
    ) -> Frame | None:
        """The part of ``frame`` that was not taken before; None if there is nothing new in it.

        A frame that starts beyond the next source offset is passed over and counted: one before
        it is missing, and its source sends both again. Not so where that cannot be: a source of
        which nothing was taken yet in a log that ``begins_late`` (its beginning was deleted), or
        any if the loss is accepted.
        """
        header = frame.header
        key = (header.topic.value, header.partition)
        is_new = key not in self.sources
        source = self.sources.setdefault(key, SourceProgress())
        if header.first > source.applied + 1:
            if not (accept_loss or (is_new and begins_late)):
                if is_new:
                    del self.sources[key]
                self.holes += 1
                return None
            self.lost += header.first - source.applied - 1
            source.applied = header.first - 1
        if header.last <= source.applied:
            return None
        new = frame.beyond(source.applied)
        source.applied = header.last
        source.clock = max(source.clock, header.clock)
        if header.totals:  # those of a frame that was cut come with its last piece
            source.totals = header.totals
        return new if len(new) else None

    def values(self) -> dict[str, Any]:
        """The columns of ``sink_progress`` that hold this progress."""
        sources = sorted(self.sources.items())
        return {
            "claim": self.claim,
            "next_offset": self.next_offset,
            "holes": self.holes,
            "source_topics": [topic for (topic, _), _ in sources],
            "source_partitions": [partition for (_, partition), _ in sources],
            "applied": [source.applied for _, source in sources],
            "clocks": [source.clock for _, source in sources],
            "totals": [dict(source.totals) for _, source in sources],
        }

    @classmethod
    def of_values(cls, values: Sequence[Any]) -> "Progress":
        """The inverse of ``values``, from a row with its columns in the same order."""
        claim, next_offset, holes, topics, partitions, applied, clocks, totals = values
        sources = {
            (topic, partition): SourceProgress(offset, clock, dict(total))
            for topic, partition, offset, clock, total in zip(
                topics, partitions, applied, clocks, totals, strict=True
            )
        }
        return cls(claim, next_offset, holes, sources=sources)
