"""The weigh state of one partition: its five source topics, each with its own seen store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.model import Model
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.framing import FrameBuilder
from streams.core.records import Record
from streams.core.weigh import WeighSource


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from a batch: frames by target partition, and records that were unusable."""

    frames: list[tuple[int, Frame]]
    dead: list[DeadLetter]


class WeighPartition:
    """Applies batches of the five topics of one partition, each in offset order."""

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
        self._number = 0
        held = snapshots[-1]["sources"] if snapshots else {}
        self._sources: dict[Topic, WeighSource] = {}
        self._builders: dict[Topic, FrameBuilder] = {}
        for topic in INTERACTION_TOPICS:
            if topic.value in held:
                source = WeighSource.restore(
                    held[topic.value], topic, partition, partitions, model, horizon
                )
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
        return dict(self._sources[topic].totals)

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
        """All of the state; take what is ``owed`` first, frames are no part of it."""
        self._number = number
        return {"sources": {topic.value: s.snapshot() for topic, s in self._sources.items()}}

    def oldest_needed(self) -> int:
        """Every snapshot is whole."""
        return self._number
