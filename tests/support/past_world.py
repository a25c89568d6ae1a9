"""Weigh, score and sink in one process without servers, so that a log can end and another begin."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.frames import Frame
from schemas.interaction import Heartbeat, Interaction
from schemas.kinds import POST
from schemas.model import load_model
from schemas.partitioner import partition_of
from schemas.post import Post
from schemas.score import ScoreUpdate
from schemas.topics import INTERACTION_TOPICS, SOURCE_TOPICS, Topic
from streams.core.past import Past as PastRow
from streams.core.records import Record
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.kernels.score_arrays import END
from streams.rebuild.past import Past, PastLog
from streams.rebuild.reader import Block
from streams.rebuild.states import Rebuilder
from streams.sinks.progress import Progress, Source
from tests.support.cells import cells_of, sums_by_kind
from tests.support.interactions import record

MODEL = load_model()
HOUR = 3_600_000

Message = Interaction | Heartbeat | Post


@dataclass(frozen=True)
class StoredRow:
    """A row of ``interactions_rows``."""

    log: int
    source: Source
    offset: int
    part: int
    actor: str
    weighed: tuple[int, int]
    kind: int
    values: PastRow

    @property
    def place(self) -> tuple[int, int]:
        """Log and place in ``weighed``."""
        return self.log, self.weighed[1]


@dataclass(frozen=True)
class StoredScore:
    """A row of ``scores``."""

    log: int
    update: ScoreUpdate


class World:
    """One log with its workers; ``before``: the worlds that it continues, the newest last."""

    def __init__(
        self, partitions: int, log: int = 1, horizon: int = 1000, before: Sequence["World"] = ()
    ) -> None:
        self.partitions, self.log, self.horizon = partitions, log, horizon
        self.before = list(before)
        self.inputs: dict[tuple[Topic, int], list[Record]] = defaultdict(list)
        self.weighed: list[list[Frame]] = [[] for _ in range(partitions)]
        self.updates: list[ScoreUpdate] = []
        self.progress = [Progress() for _ in range(partitions)]
        self.rows: list[StoredRow] = []
        self.scores: list[StoredScore] = []
        self.now = 0.0
        self.weigh = [WeighPartition(p, partitions, MODEL, horizon) for p in range(partitions)]
        self.score = [
            ScorePartition(p, MODEL, once=True, emit_seconds=0) for p in range(partitions)
        ]

    def publish(self, messages: Iterable[Message]) -> None:
        """Send interactions where their actor belongs, heartbeats everywhere."""
        for message in messages:
            if isinstance(message, Heartbeat):
                places = [(t, p) for t in INTERACTION_TOPICS for p in range(self.partitions)]
            elif isinstance(message, Post):
                places = [(Topic.POSTS, partition_of(message.author, self.partitions))]
            else:
                number = partition_of(message.actor, self.partitions)
                places = [(Topic.of_kind(message.kind), number)]
            for place in places:
                self.inputs[place].append(record(len(self.inputs[place]), message))

    def run(self) -> list[ScoreUpdate]:
        """Weigh and score all that is there; what was published because of it."""
        self.now += 1
        for weigh in self.weigh:
            for name, position in weigh.positions().items():
                records = self.inputs[Topic(name), self.weigh.index(weigh)][position:]
                if records:
                    derived = weigh.apply(Topic(name), records, records[-1].offset, self.now)
                    self._send(derived.frames)
            self._send(weigh.owed(self.now))
        published: list[ScoreUpdate] = []
        for state, frames in zip(self.score, self.weighed, strict=True):
            for offset in range(state.position + 1, len(frames)):
                state.apply(frames[offset], offset, self.now)
            published += state.updates(self.now)
        self.updates += published
        return published

    def _send(self, frames: list[tuple[int, Frame]]) -> None:
        for target, frame in frames:
            self.weighed[target].append(frame)

    def store(self, until: Mapping[int, int] | None = None) -> None:
        """Let the sink store ``weighed`` (partition → frames; default all) and the scores of it."""
        for number, (progress, frames) in enumerate(zip(self.progress, self.weighed, strict=True)):
            stop = len(frames) if until is None else until[number]
            for offset in range(progress.next_offset, stop):
                if (new := progress.take(frames[offset])) is not None:
                    self.rows += stored_rows(new, self.log, number, offset)
            progress.next_offset = max(stop, progress.next_offset)
        known = {id(each.update) for each in self.scores}
        self.scores += [
            StoredScore(self.log, update)
            for update in self.updates
            if id(update) not in known
            and update.position < self.progress[update.partition].next_offset
        ]

    def past_log(self) -> PastLog:
        """What the sink would have stored of the progress."""
        ends: dict[Source, int] = {}
        for row in self.rows:
            ends[row.source] = max(row.offset + 1, ends.get(row.source, 0))
        for progress in self.progress:
            for source, known in progress.sources.items():
                ends[source] = max(known.applied + 1, ends.get(source, 0))
        clocks: dict[int, int] = {}
        for each in self.scores:
            number = each.update.partition
            clocks[number] = max(each.update.clock, clocks.get(number, 0))
        return PastLog(
            self.log,
            {number: progress.next_offset for number, progress in enumerate(self.progress)},
            {(n, s): known for n, p in enumerate(self.progress) for s, known in p.sources.items()},
            ends,
            clocks,
        )

    def rebuild(self, rows: Any = None) -> None:
        """Lose all states and make them again of what is stored; ``rows``: reads it."""
        worlds = [*self.before, self]
        past = Past([each.past_log() for each in worlds], self.log, self.partitions)
        stored = rows(past) if rows else MemoryRows(worlds, past)
        rebuilder = Rebuilder(past, stored, MODEL, self.horizon, lambda _rows: None)
        for number in range(self.partitions):
            weigh = rebuilder.weigh(number).snapshot(0)
            self.weigh[number] = WeighPartition(
                number, self.partitions, MODEL, self.horizon, [weigh]
            )
            score = rebuilder.score(number, once=True, exact_engagers=True).snapshot(0)
            self.score[number] = ScorePartition.restore([score], MODEL, once=True, emit_seconds=0)

    def totals(self, topics: Sequence[Topic] = SOURCE_TOPICS) -> dict[str, int]:
        """Outcome → records, of all sources that are partitions of ``topics``."""
        totals: dict[str, int] = defaultdict(int)
        for weigh in self.weigh:
            for topic in topics:
                for outcome, count in weigh.totals(topic).items():
                    totals[outcome] += count
        return dict(totals)


def content(world: World) -> dict[tuple[str, int], tuple[Any, ...]]:
    """(account, network) → windows of the cell, its newest hour that counts, its first hour.

    The windows are sums, sums by kind and engagers. A cell with nothing left is left out: it stays
    until its account leaves, and a rebuilt state does not have it in the first place.
    """
    found = {}
    for state in world.score:
        windows, cells, now = state._windows, state._windows.cells, state._windows.now
        for name, cell in cells_of(windows):
            if windows.arrays.cell_rows["pair"][cell] == END:
                continue
            found[name] = (
                (cells.weights[cell].tolist(), windows.counts(cell)[:, 0].tolist()),
                sums_by_kind(windows, cell),
                windows.counts(cell)[:, 1:].tolist(),
                max(int(cells.last[cell]), now - MODEL.longest_h - 1),
                max(int(cells.first[cell]), now - MODEL.horizons_h[-2]),
            )
    return found


def stored_rows(frame: Frame, log: int, partition: int, offset: int) -> list[StoredRow]:
    """The rows of a frame as they are stored."""
    names = ("at", "target", "network", "class", "weight", "amount", "undo", "engager", "id",
             "record", "undone_at", "whole_record")  # fmt: skip
    plain = {
        name: values.tolist() if isinstance(values, np.ndarray) else values
        for name, values in frame.columns.items()
    }
    source = frame.header.topic.value, frame.header.partition
    return [
        StoredRow(
            log,
            source,
            plain["offset"][i],
            plain["part"][i],
            plain["actor"][i],
            (partition, offset),
            plain["kind"][i],
            PastRow(*(plain[name][i] for name in names)),
        )
        for i in range(len(frame))
    ]


class MemoryRows:
    """Does to stored worlds what ``Stored`` asks ClickHouse to do."""

    def __init__(self, worlds: Sequence[World], past: Past) -> None:
        self._past = past
        self._rows = [row for world in worlds for row in world.rows]
        self._scores = [each for world in worlds for each in world.scores]
        self._ends = {each.log: each for each in past.logs}

    def alike_rows(self, source: Source, since: int) -> list[Block]:
        starts, cut = self._past.starts(source), self._past.cut(source)
        same = None if self._past.same is None else self._past.same.log
        rows = sorted(
            (row for row in self._rows if row.log in starts and row.source == source),
            key=lambda row: (row.log, row.offset, row.part),
        )
        kept = [
            (starts[row.log] + row.offset, *row.values)
            for row in rows
            if starts[row.log] + row.offset >= since and not (row.log == same and row.offset > cut)
        ]
        return _blocks(kept)

    def other_rows(self, source: Source, most: int) -> list[PastRow]:
        def age(row: StoredRow) -> tuple[int, ...]:
            ahead = self._ends[row.log].ends[row.source] - row.offset
            return -row.log, ahead, row.source[1], -row.part

        rows = [row for row in self._others() if self._source(row) == source]
        return [row.values for row in sorted(rows, key=age)[:most]][::-1]

    def newest_times(self) -> dict[Source, int]:
        newest: dict[Source, int] = {}
        for row in self._others():
            at = max(row.values.at, row.values.undone_at)
            newest[self._source(row)] = max(at, newest.get(self._source(row), 0))
        return newest

    def _others(self) -> list[StoredRow]:
        logs = {each.log for each in self._past.others}
        return [row for row in self._rows if row.log in logs]

    def _source(self, row: StoredRow) -> Source:
        return row.source[0], partition_of(row.actor, self._past.partitions)

    def _of(self, partition: int) -> list[StoredRow]:
        same, position = self._past.same, self._past.position(partition)
        return [
            row
            for row in self._rows
            if partition_of(row.values.target, self._past.partitions) == partition
            and not (same is not None and row.log == same.log and row.weighed[1] > position)
        ]

    def accounts(self, partition: int, hour: int) -> list[Block]:
        accounts: dict[str, list[StoredRow]] = defaultdict(list)
        for row in self._of(partition):
            accounts[row.values.target].append(row)
        found = []
        for account, rows in accounts.items():
            reached = [r.place for r in rows if r.values.at // HOUR <= hour or r.values.undo]
            received = any(
                row.kind != POST and (row.values.at // HOUR <= hour or row.values.undo)
                for row in rows
            )
            found.append((account, *max(reached, default=(0, -1)), received))
        return _blocks(found)

    def rows(self, partition: int, since: int) -> list[Block]:
        found = [
            (v.target, v.network, v.engager, v.at // HOUR, v.class_, row.kind, v.weight, v.undo)
            for row in self._of(partition)
            if (v := row.values).at // HOUR >= since
        ]
        return _blocks(found[::-1])

    def published(self, partition: int) -> list[Block]:
        newest: dict[str, tuple[int, int, int, StoredScore]] = {}
        for each in self._scores:
            update = each.update
            if partition_of(update.profile, self._past.partitions) == partition:
                rank = each.log, update.epoch, update.sequence, each
                if update.profile not in newest or newest[update.profile][:3] < rank[:3]:
                    newest[update.profile] = rank
        return _blocks([self._published(each) for *_, each in newest.values()])

    def _published(self, each: StoredScore) -> tuple[Any, ...]:
        update = each.update
        past = self._ends[each.log]
        lost = (
            past is not self._past.same and update.position >= past.next_offsets[update.partition]
        )
        sums = *update.weights, *update.interactions, *update.engagers
        said = update.model, update.level, update.score
        return update.profile, each.log, update.position, lost, *said, *sums


def _blocks(rows: list[tuple[Any, ...]], size: int = 7) -> list[Block]:
    return [tuple(zip(*rows[i : i + size], strict=True)) for i in range(0, len(rows), size)]
