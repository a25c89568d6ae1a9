"""The weigh state of one partition: its six source topics, each with its own seen store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.model import Model
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.framing import FrameBuilder
from streams.core.records import Record
from streams.core.weigh import WeighSource

_CROWD: Final = 12
"""How often the rows of a source may be written by all together before it begins anew. Of six
sources that are equally busy, each one begins another generation before."""
_FEW: Final = 10_000
"""Rows that are not worth the trouble."""
_SNAPSHOT: Final = 500
"""What a snapshot costs a restore besides its rows, in rows."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from a batch: frames by target partition, and records that were unusable."""

    frames: list[tuple[int, Frame]]
    dead: list[DeadLetter]


class WeighPartition:
    """Applies batches of the six topics of one partition, each in offset order."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        model: Model,
        horizon: int,
        snapshots: Sequence[dict[str, Any]] = (),
    ) -> None:
        """``horizon``: offsets for which ids are remembered; ``snapshots``: to go on from."""
        self.epoch = 0
        self._number = snapshots[-1]["number"] if snapshots else -1
        # by number of snapshot: what all of them came to up to and with it
        self._written = {held["number"]: held["written"] for held in snapshots}
        self._sources: dict[Topic, WeighSource] = {}
        self._builders: dict[Topic, FrameBuilder] = {}
        for topic in SOURCE_TOPICS:
            # older states know nothing of own posts: that source begins at its beginning
            held = [
                (s["number"], s["sources"][topic.value])
                for s in snapshots
                if topic.value in s["sources"]
            ]
            if held:
                source = WeighSource.restore(held, topic, partition, partitions, model, horizon)
            else:
                source = WeighSource(topic, partition, partitions, model, horizon)
            self._sources[topic] = source
            self._builders[topic] = FrameBuilder(
                topic, partition, partitions, model.version, applied=source.applied
            )

    def source(self, topic: Topic) -> WeighSource:
        """The state of one topic."""
        return self._sources[topic]

    @property
    def remembered(self) -> int:
        """Number of interactions that would be recognised."""
        return sum(source.remembered for source in self._sources.values())

    def positions(self) -> dict[str, int]:
        """Source topic → next offset."""
        return {topic.value: source.applied + 1 for topic, source in self._sources.items()}

    def version(self) -> object:
        """A state that stands at the same positions is the same."""
        return self.positions()

    def totals(self, topic: Topic) -> dict[str, int]:
        """Outcome → number of a source's records so far; a copy."""
        return self._sources[topic].totals

    def apply(self, topic: Topic, records: Sequence[Record], last: int, now: float) -> Derived:
        """Apply ``records`` up to offset ``last``; ``now`` in monotonic seconds."""
        source, builder = self._sources[topic], self._builders[topic]
        weighed = source.apply(records, last)
        builder.add(weighed.rows, source.applied, source.clock, source.totals)
        return Derived(builder.take(now, everything=False), weighed.dead)

    def owed(self, now: float) -> list[tuple[int, Frame]]:
        """The frames that bring every target partition up to the positions (before a snapshot)."""
        return [
            frame
            for builder in self._builders.values()
            for frame in builder.take(now, everything=True)
        ]

    def snapshot(self, number: int) -> dict[str, Any]:
        """What is new since the last one; take what is ``owed`` first, frames are no part of it.

        Of a source whose past is only a small part of the snapshots that still hold it, all is told
        again: so a quiet source does not keep those of busy ones from being deleted.
        """
        before, unbroken = self._written.get(self._number, 0), number == self._number + 1
        sources = {}
        written = before + _SNAPSHOT
        for topic, source in self._sources.items():
            since = before - self._written.get(source.oldest_needed(self._number), 0)
            crowded = since > _CROWD * (source.remembered + _FEW)
            sources[topic.value] = source.snapshot(number, whole=crowded or not unbroken)
            written += source.saved
        self._number = number
        self._written[number] = written
        oldest = self.oldest_needed()
        self._written = {n: rows for n, rows in self._written.items() if n >= oldest}
        return {"number": number, "written": written, "sources": sources}

    def oldest_needed(self) -> int:
        """Number of the oldest snapshot that a restore of the last one needs."""
        return min(source.oldest_needed(self._number) for source in self._sources.values())
