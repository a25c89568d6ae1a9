"""What is stored of the logs that a state is to go on from, and what follows from it. Pure.

Offsets of a source count on through all logs of a chain that have the same number of partitions: a
log's offset 0 is where the log before ended. So the seen store forgets at the same moment as if it
had all been one log. Logs of another number of partitions come before them; what they held is
numbered row by row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from schemas.topics import SOURCE_TOPICS, Topic
from streams.sinks.progress import Source, SourceProgress


@dataclass(frozen=True, slots=True)
class PastLog:
    """What ClickHouse holds of one log.

    ``next_offsets``: partition of ``weighed`` → next offset to be stored. ``told``: (that
    partition, source) → how far its rows are stored there. ``ends``: source → offset behind its
    last one that is known. ``clocks``: partition of ``weighed`` → highest clock of its scores, ms.
    """

    log: int
    next_offsets: Mapping[int, int]
    told: Mapping[tuple[int, Source], SourceProgress]
    ends: Mapping[Source, int] = field(default_factory=dict)
    clocks: Mapping[int, int] = field(default_factory=dict)

    @property
    def partitions(self) -> int:
        """The number of partitions it had."""
        return 1 + max(self.next_offsets, default=-1)

    @property
    def read(self) -> bool:
        """Whether anything of it was read."""
        return any(self.next_offsets.values())

    def clock_of(self, source: Source) -> int:
        """The event time that a source reached, as any partition of ``weighed`` was told."""
        return max((p.clock for (_, told), p in self.told.items() if told == source), default=0)

    def common_clock(self, topic: str) -> int:
        """The event time that every partition of ``topic`` reached."""
        return min((self.clock_of((topic, p)) for p in range(self.partitions)), default=0)


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a source goes on: after offset ``applied``, its offset 0 being the chain's ``base``."""

    base: int
    applied: int
    clock: int
    totals: Mapping[str, int]


class Past:
    """The logs of a chain, ascending, and the log and number of partitions to go on with.

    ``same``: the part of ``log`` itself that is stored; None if nothing of it was read yet.
    ``alike``: logs with offsets that count on; ``others``: those before.
    """

    def __init__(self, logs: Sequence[PastLog], log: int, partitions: int) -> None:
        self.log = log
        self.partitions = partitions
        self.logs = [each for each in logs if each.read or each.ends]
        last = self.logs[-1] if self.logs else None
        self.same = last if last is not None and last.log == log else None
        self.alike: list[PastLog] = []
        for each in reversed(self.logs):
            if each.partitions != partitions:
                break
            self.alike.insert(0, each)
        self.others = self.logs[: len(self.logs) - len(self.alike)]

    @cached_property
    def sources(self) -> list[Source]:
        """All sources of the new layout."""
        return [(t.value, p) for t in SOURCE_TOPICS for p in range(self.partitions)]

    def starts(self, source: Source) -> dict[int, int]:
        """Log → where its offset 0 of ``source`` stands; those ``alike`` count on from 0."""
        starts, base = {}, 0
        for each in self.alike:
            starts[each.log] = base
            base += each.ends.get(source, 0)
        return starts

    def cut(self, source: Source) -> int:
        """Last offset of a source in ``same`` up to which all of its rows are stored; -1: none."""
        if self.same is None:
            return -1
        told, parts = self.same.told, range(self.partitions)
        return min(told[p, source].applied if (p, source) in told else -1 for p in parts)

    def resumed(self, source: Source, base: int, newest: int = 0) -> Resumed:
        """Where ``source`` goes on.

        ``base``: offsets before the log. ``newest``: the newest event time among its rows of
        ``others``, whose clocks are of other partitions.
        """
        shared = [each.common_clock(source[0]) for each in self.others]
        clock = max([newest if self.others else 0, *shared])
        applied = self.cut(source)
        before = [each for each in self.alike if each is not self.same]
        clock = max([clock, *(each.clock_of(source) for each in before)])
        if self.same is None or applied < 0:
            return Resumed(base, -1, clock, {})
        at_cut = [
            progress
            for (_, told), progress in self.same.told.items()
            if told == source and progress.applied == applied
        ]
        best = max(at_cut, key=lambda progress: sum(progress.totals.values()))
        return Resumed(base, applied, max(clock, best.clock), best.totals)

    def applied(self, partition: int) -> dict[Source, int]:
        """Source → last offset whose rows are stored from a partition of ``weighed``."""
        if self.same is None:
            return {}
        return {
            source: progress.applied
            for (told, source), progress in self.same.told.items()
            if told == partition
        }

    def position(self, partition: int) -> int:
        """The last offset of a partition of ``weighed`` that is stored; -1: none."""
        return -1 if self.same is None else self.same.next_offsets.get(partition, 0) - 1

    def clock(
        self, partition: int, resumed: Mapping[Source, Resumed]
    ) -> tuple[int, dict[Source, int]]:
        """The clock of a score partition, and the clocks of the sources that it knows of.

        It goes on where published scores say that it stood; of partitions that are merged the
        latest counts, since no clock may go back.
        """
        sources = {
            source: max((clock for clock in self._told(partition, source, resumed)), default=0)
            for source in self.sources
            if source[0] != Topic.POSTS.value  # they have no say in the clock
        }
        sources = {source: clock for source, clock in sources.items() if clock}
        reached = [each.clocks.get(partition, 0) for each in self.alike]
        reached += [clock for each in self.others for clock in each.clocks.values()]
        return max([*reached, min(sources.values(), default=0)], default=0), sources

    def _told(
        self, partition: int, source: Source, resumed: Mapping[Source, Resumed]
    ) -> Iterable[int]:
        for each in self.alike:
            if (partition, source) in each.told:
                yield each.told[partition, source].clock
        if self.others and source in resumed:
            yield resumed[source].clock
