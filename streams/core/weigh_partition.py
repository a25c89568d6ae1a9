"""The weigh state of one partition: its six source topics, each with its own seen store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.model import Model
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.actors import Actors
from streams.core.closed_days import ClosedDays
from streams.core.days import day_of, midnight
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
    """Applies batches of the six topics of one partition, each in offset order.

    Where classes follow from the actors, the sources of interactions go from day to day together:
    one that comes to a later day than that of the actors waits (``waits``). Once that day may
    begin, ``turn`` makes its snapshot, which the sources use only after ``kept``.
    """

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
        # a new day's snapshot is made and not yet kept
        self.turning = False
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
        # after the sources, which refuse what was made with another model
        self._actors, self._days = _actors_and_days(model, snapshots)

    def source(self, topic: Topic) -> WeighSource:
        """The state of one topic."""
        return self._sources[topic]

    @property
    def remembered(self) -> int:
        """Number of interactions that would be recognised."""
        return sum(source.remembered for source in self._sources.values())

    def positions(self) -> dict[str, int]:
        """Source topic → next offset."""
        positions = {topic.value: source.applied + 1 for topic, source in self._sources.items()}
        if self._actors is not None:
            positions[Topic.STANDING.value] = self._days.position + 1
        return positions

    def version(self) -> tuple[dict[str, int], int]:
        """A state that stands at the same positions on the same day is the same."""
        return self.positions(), self.day

    def totals(self, topic: Topic) -> dict[str, int]:
        """Outcome → number of a source's records so far; a copy."""
        return self._sources[topic].totals

    def apply(self, topic: Topic, records: Sequence[Record], last: int, now: float) -> Derived:
        """Apply ``records`` up to offset ``last``; ``now`` in monotonic seconds."""
        source, builder = self._sources[topic], self._builders[topic]
        actors = None if topic is Topic.POSTS else self._actors
        weighed = source.apply(records, last, actors)
        clock, waits = source.clock, source.waits_for is not None
        if source.waits_for is not None:
            clock = max(clock, midnight(source.waits_for))
        builder.add(weighed.rows, source.applied, clock, source.totals)
        frames = builder.take(now, everything=waits, waiting=waits)
        return Derived(frames, weighed.dead)

    @property
    def day(self) -> int:
        """The day of the actors' snapshot; -1 before the first, and where there is none."""
        return -1 if self._actors is None else self._actors.day

    def waits(self, topic: Topic) -> bool:
        """Whether a source may not go on now; that of own posts always may."""
        return (self.turning and topic is not Topic.POSTS) or self._sources[
            topic
        ].waits_for is not None

    def waiting(self) -> list[Topic]:
        """The sources that have come to a day that has not begun."""
        return [topic for topic, source in self._sources.items() if source.waits_for is not None]

    def insist(self, now: float) -> list[tuple[int, Frame]]:
        """Frames that say again how far the waiting sources are, about once a second."""
        return [
            frame
            for topic in self.waiting()
            for frame in self._builders[topic].take(now, everything=True, waiting=True)
        ]

    def close_days(self, records: Sequence[Record], last: int) -> None:
        """Read records of ``standing`` up to offset ``last``.

        Raises:
            ValueError: a record is none of this version.
        """
        self._days.read(records, last)

    def may_turn(self, is_read: Callable[[Topic], bool]) -> bool:
        """Whether a day that a source waits for may begin.

        The day before it is closed, and every source has brought what it has of that: it waits
        too, or it has come to the new day, or all of its log is read (``is_read``). So after a
        crash, too, what an idle source brought before is weighed on the day that it was before.
        """
        wanted = [s.waits_for for s in self._sources.values() if s.waits_for is not None]
        day = self._days.closed + 1
        if self.turning or not wanted or day < min(wanted):
            return False
        return all(
            source.waits_for is not None or day_of(source.clock) >= day or is_read(topic)
            for topic, source in self._sources.items()
            if topic is not Topic.POSTS
        )

    def turn(self) -> None:
        """Make the snapshot of the day after the newest closed one; nobody goes on meanwhile."""
        if self._actors is None:
            raise ValueError("every actor is ordinary: there are no days")
        tiers, whole = self._days.take()
        self._actors.turn(self._days.closed + 1, self._days.first, tiers, whole=whole)
        self.turning = True

    def kept(self, version: tuple[dict[str, int], int]) -> bool:
        """What this was at ``version`` is durable; whether sources go on that waited for that."""
        if not self.turning or version[1] != self.day:
            return False
        self.turning = False
        for source in self._sources.values():
            if source.waits_for is not None and source.waits_for <= self.day:
                source.waits_for = None
        return True

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
        held: dict[str, Any] = {"number": number, "written": written, "sources": sources}
        if self._actors is not None:
            held["actors"] = self._actors.snapshot(number, whole=not unbroken)
            held["days"] = self._days.snapshot()
        oldest = self.oldest_needed()
        self._written = {n: rows for n, rows in self._written.items() if n >= oldest}
        return held

    def oldest_needed(self) -> int:
        """Number of the oldest snapshot that a restore of the last one needs."""
        oldest = min(source.oldest_needed(self._number) for source in self._sources.values())
        return oldest if self._actors is None else min(oldest, self._actors.oldest_needed)


def _actors_and_days(
    model: Model, snapshots: Sequence[dict[str, Any]]
) -> tuple[Actors | None, ClosedDays]:
    """What the classes follow from; no actors where all of them are ordinary."""
    if not model.by_actor:
        return None, ClosedDays()
    if not snapshots:
        return Actors(model), ClosedDays()
    actors = Actors.restore([held["actors"] for held in snapshots], model)
    return actors, ClosedDays.restore(snapshots[-1]["days"])
