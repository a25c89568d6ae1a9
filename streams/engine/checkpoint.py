"""Checkpoints: the order of steps that makes a restart invisible.

1. Rows are applied in offset order; the state remembers the last applied offset of every source.
2. What still has to be derived from the state is sent, then what changed is copied (``snapshot``),
   both without letting anything else happen in between. It is packed beside the event loop.
3. Everything derived from the snapshot (frames, scores, dead letters) is acknowledged.
4. The parts of the checkpoint are acknowledged, then its marker is. (Where checkpoints are kept in
   files, the file is complete and on the disk before the part that names it is sent.)
5. Only then may the group's offsets move to these positions.
6. The changelog before the oldest checkpoint still needed is deleted, once its marker is so old
   that an owner who was replaced meanwhile would know.

After a crash between any two steps the newest marker's state is restored, its inputs are read from
its positions, and what is derived again is equal to what was sent before. ``crash_points.py`` names
the places between the steps; recovery is in ``statelog.py``, what a log says in ``changelog.py``.

Deletion is safe: a marker older than the longest time for which an owner can go on unnoticed was
written while its owner still owned the partition. So its successor recovered that checkpoint or a
later one, and what a checkpoint needs never goes back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from faust.types import TP

from streams.engine.changelog import Recovered, checkpoint_records
from streams.engine.crash_points import Point, reach
from streams.engine.inputs import Inputs
from streams.engine.outbox import Outbox
from streams.engine.snapshots import pack
from streams.engine.statelog import S, StateLog

log = logging.getLogger("renown.checkpoint")

_IDLE_SECONDS = 0.3
"""In a run that ends, a state that rests this long is checkpointed without waiting its turn."""
_LONGEST_WAIT = 60.0
"""Beyond it a crash would cost too much reading, whatever checkpoints cost."""
_NEVER_ALLOWED = frozenset(
    {
        KafkaError._UNSUPPORTED_FEATURE,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError.INVALID_REQUEST,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
"""What a broker says that cannot or must not delete records, now or later."""
_MOST_UNDER_WAY = 64
"""Parts that may be sent at once, some 60 MB."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """A checkpoint of ``size`` bytes, whose marker is durable since ``at``.

    Its parts begin at offset ``start``.
    """

    at: float
    size: int
    number: int
    oldest: int
    start: int


class Budget:
    """All checkpoints of a worker together take at most about a ``share`` of its time.

    The larger the states, the longer from one checkpoint to the next: a crash then costs the
    reading of more rows, up to a minute's, and running costs always the same share.
    """

    def __init__(self, share: float = 0.1) -> None:
        self._share = share
        self._took: dict[object, float] = {}

    def took(self, key: object, seconds: float) -> None:
        """The newest checkpoint of the state ``key`` took so long."""
        self._took[key] = seconds

    def forget(self, key: object) -> None:
        """The state is no longer here."""
        self._took.pop(key, None)

    def wait(self) -> float:
        """Seconds from one checkpoint of a state to the next, at least; never over a minute."""
        return min(sum(self._took.values()) / self._share, _LONGEST_WAIT)


@dataclass(slots=True)
class _Progress:
    """What is known of one partition's checkpoints. Times are monotonic seconds.

    ``changed_at``: since when the newest checkpoint has not held everything. ``stored``: the
    checkpoints that the log still holds, by number.
    """

    positions: dict[str, int] = field(default_factory=dict)
    version: object = None
    number: int = 0
    taken_at: float = 0.0
    seen: object = None
    moved_at: float = 0.0
    changed_at: float | None = None
    stored: list[_Stored] = field(default_factory=list)


class Checkpointer(Generic[S]):
    """Takes the checkpoints of the states in ``log``, those of one stage."""

    def __init__(
        self,
        states: StateLog[S],
        outbox: Outbox,
        inputs: Inputs,
        admin: AdminClient,
        derive: Callable[[int, S], None],
        *,
        interval: float,
        budget: Budget,
        aside: bool = False,
        at_rest: bool = False,
        truncate_after: float | None = None,
        on_taken: Callable[[float], None] = lambda _seconds: None,
        asked: Callable[[], bool] = lambda: False,
        urgent: Callable[[S], bool] = lambda _state: False,
        on_kept: Callable[[S, Any], None] = lambda _state, _version: None,
    ) -> None:
        """``derive(partition, state)`` sends what the state still owes (step 2).

        ``aside``: the states change only in turns (``log.turns``), so they can be copied in a
        thread. ``at_rest``: also whenever the inputs rest. ``truncate_after``: age in seconds from
        which checkpoints may be deleted once newer ones are there; None keeps them all. It must be
        longer than an owner can go on unnoticed after it lost its partitions, or such a one could
        delete its successor's checkpoint. ``on_taken`` is told how long each checkpoint took.
        ``asked``: whether somebody waits for checkpoints; then whatever has changed is due.
        ``urgent(state)``: whether a state waits for its own.
        ``on_kept(state, version)``: what the state was at that version is durable.
        """
        self.log, self._outbox, self._inputs, self._admin = states, outbox, inputs, admin
        self._derive = derive
        self._interval, self._budget = interval, budget
        self._aside, self._at_rest = aside, at_rest
        self._progress: dict[int, _Progress] = {}
        self._lock = asyncio.Lock()
        self._truncate_after = truncate_after
        self._on_taken = on_taken
        self._asked = asked
        self._urgent, self._on_kept = urgent, on_kept

    def age(self) -> float:
        """Seconds that the oldest change of a held partition has waited; in any thread."""
        held = {*self.log.states, *self.log.released}
        waiting = [p.changed_at for number, p in list(self._progress.items()) if number in held]
        now = time.monotonic()
        return max((now - since for since in waiting if since is not None), default=0.0)

    async def run_due(self) -> None:
        """Checkpoint the partitions whose time has come."""
        for partition, state in list(self.log.states.items()):
            if self._due(partition, state):
                async with self._lock:
                    await self._checkpoint(partition, state)

    async def run_released(self) -> None:
        """Checkpoint every partition that is being given up and has changed."""
        async with self._lock:
            for partition, state in list(self.log.released.items()):
                await self._checkpoint(partition, state)
                self._budget.forget((self.log.topic, partition))

    def recovered(self, partition: int, state: S, found: Recovered) -> None:
        """Start anew for a partition just recovered from ``found``."""
        now = time.monotonic()
        progress = _Progress(taken_at=now, number=found.next_number)
        held = found.checkpoints
        if held:
            progress.version, progress.positions = state.version(), state.positions()
            sizes = self.log.sizes[partition]
            progress.stored = [
                _Stored(now, size, kept.number, kept.oldest, kept.start)
                for kept, size in zip(held, sizes, strict=True)
            ]
        self.log.files.recovered(partition, ((kept.number, kept.body) for kept in held))
        self._progress[partition] = progress
        self._announce(partition, progress)

    def _due(self, partition: int, state: S) -> bool:
        now, version = time.monotonic(), state.version()
        progress = self._progress[partition]
        if version != progress.seen:
            progress.seen, progress.moved_at = version, now
        if version == progress.version:
            self._announce(partition, progress)
            progress.changed_at = None
            return False
        if progress.changed_at is None:
            progress.changed_at = now
        wait = max(self._interval, self._budget.wait())
        rests = self._at_rest and now - progress.moved_at >= _IDLE_SECONDS
        return rests or now - progress.taken_at >= wait or self._asked() or self._urgent(state)

    async def _checkpoint(self, partition: int, state: S) -> None:
        progress = self._progress[partition]
        if state.version() == progress.version or not self.log.holds(partition, state):
            return
        began = time.monotonic()
        number = progress.number
        copy = partial(self._copy, partition, state, number)
        version, positions, snapshot, oldest = await self.log.turns.take(partition, copy)
        owner = self.log.owners[partition]
        body = await asyncio.to_thread(pack, snapshot, positions, self.log.partitions)
        held = await asyncio.to_thread(self.log.files.put, partition, owner, number, body)
        await self._outbox.acknowledged()
        reach(Point.DERIVED_ACKED)
        parts, marker = checkpoint_records(owner, number, held, oldest)
        start = await self._send_parts(partition, parts)
        if not self.log.holds(partition, state):
            return
        self.log.append(partition, marker)
        reach(Point.MARKER_SENT)
        await self._outbox.acknowledged()
        reach(Point.MARKER_ACKED)
        if not self.log.holds(partition, state):
            return
        self.log.files.stored(partition, oldest)
        self._on_kept(state, version)
        progress.version, progress.positions = version, positions
        self._announce(partition, progress)
        reach(Point.OFFSETS_ANNOUNCED)
        progress.number += 1
        progress.taken_at = time.monotonic()
        took = progress.taken_at - began
        self._budget.took((self.log.topic, partition), took)
        progress.changed_at = None if state.version() == version else began
        self._on_taken(took)
        stored = _Stored(progress.taken_at, len(body), number, oldest, start)
        progress.stored.append(stored)
        self.log.sizes[partition] = [s.size for s in progress.stored if s.number >= oldest]
        await self._truncate(partition, progress)
        log.debug("checkpoint of %s %d: %d bytes", self.log.topic.value, partition, len(body))

    async def _copy(
        self, partition: int, state: S, number: int
    ) -> tuple[object, dict[str, int], dict[str, Any], int]:
        """Step 2: version, positions, snapshot and the oldest one that it needs."""
        self._derive(partition, state)
        reach(Point.DERIVED_SENT)
        version, positions = state.version(), state.positions()
        copied = (
            await asyncio.to_thread(state.snapshot, number)
            if self._aside
            else (state.snapshot(number))
        )
        reach(Point.SNAPSHOT_TAKEN)
        return version, positions, copied, state.oldest_needed()

    async def _send_parts(self, partition: int, parts: list[bytes]) -> int:
        """Returns the offset of the first one when all are acknowledged."""
        offsets: list[int] = []
        for first in range(0, len(parts), _MOST_UNDER_WAY):
            if first:
                await self._outbox.acknowledged()  # a full queue would stop the event loop
            for part in parts[first : first + _MOST_UNDER_WAY]:
                self.log.append(partition, part, offsets.append)
        reach(Point.PARTS_SENT)
        await self._outbox.acknowledged()
        reach(Point.PARTS_ACKED)
        return min(offsets)

    def _announce(self, partition: int, progress: _Progress) -> None:
        """Let the group's offsets move to what is durable (step 5)."""
        for topic, offset in progress.positions.items():
            if offset > 0:
                self._inputs.durable[TP(topic, partition)] = offset

    async def _truncate(self, partition: int, progress: _Progress) -> None:
        if self._truncate_after is None:
            oldest = progress.stored[-1].oldest
            progress.stored = [each for each in progress.stored if each.number >= oldest]
            return
        since = time.monotonic() - self._truncate_after
        old = [stored for stored in progress.stored[:-1] if stored.at <= since]
        if not old or old[-1].oldest <= progress.stored[0].number:
            return
        progress.stored = [each for each in progress.stored if each.number >= old[-1].oldest]
        before = TopicPartition(self.log.topic.value, partition, progress.stored[0].start)
        try:
            await asyncio.to_thread(_wait_all, self._admin.delete_records([before]).values())
            reach(Point.TRUNCATED)
        except KafkaException as error:
            # The log grows and recovery reads more, but nothing is wrong. The next truncation takes
            # what is left over, unless this broker never allows any.
            if error.args[0].code() in _NEVER_ALLOWED:
                self._truncate_after = None
            log.warning("changelog %s cannot be truncated: %s", before.topic, error)


def _wait_all(futures: Iterable[Any]) -> None:
    for future in futures:
        future.result()
