"""Checkpoints: the order of steps that makes a restart invisible.

1. Rows are applied in offset order; the state remembers the last applied offset of every source.
2. What still has to be derived from the state is sent, then the state is copied (``snapshot``),
   both without letting anything else happen in between.
3. Everything derived from the snapshot (frames, scores, dead letters) is acknowledged.
4. The parts of the checkpoint are acknowledged, then one marker with the positions is.
5. Only then may the group's offsets move to these positions.
6. The changelog before the oldest checkpoint still needed is deleted.

After a crash between any two steps the newest marker's state is restored, its inputs are read from
its positions, and what is derived again is equal to what was sent before.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic

import cramjam
import msgspec
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from faust.types import TP

from streams.engine.changelog import checkpoint_records
from streams.engine.inputs import Inputs
from streams.engine.outbox import Outbox
from streams.engine.statelog import S, StateLog

log = logging.getLogger("renown.checkpoint")

_IDLE_SECONDS = 0.3
"""A partition whose inputs rest this long is checkpointed without waiting for its turn."""
_SHARE_OF_TIME = 0.1
"""A checkpoint may take at most about this share of a partition's time."""
_KEPT = 2


@dataclass(slots=True)
class _Progress:
    """What is known of one partition's checkpoints. Times are monotonic seconds."""

    positions: dict[str, int] = field(default_factory=dict)
    number: int = 0
    taken_at: float = 0.0
    took: float = 0.0
    seen: dict[str, int] = field(default_factory=dict)
    moved_at: float = 0.0
    starts: list[tuple[float, int]] = field(default_factory=list)


class Checkpointer(Generic[S]):
    """Takes the checkpoints of one stage."""

    def __init__(
        self,
        states: StateLog[S],
        outbox: Outbox,
        inputs: Inputs,
        admin: AdminClient,
        derive: Callable[[int, S], None],
        *,
        interval: float,
        truncate_after: float | None = None,
    ) -> None:
        """``derive(partition, state)`` sends what the state still owes (step 2).

        ``truncate_after``: age in seconds from which checkpoints may be deleted once newer ones
        are there; None keeps them all. It must be longer than an owner can go on unnoticed after
        it lost its partitions, or such a one could delete its successor's checkpoint.
        """
        self._log, self._outbox, self._inputs, self._admin = states, outbox, inputs, admin
        self._derive = derive
        self._interval = interval
        self._progress: dict[int, _Progress] = {}
        self._lock = asyncio.Lock()
        self._truncate_after = truncate_after

    async def run_due(self) -> None:
        """Checkpoint the partitions whose time has come."""
        for partition in list(self._log.states):
            if self._due(partition):
                async with self._lock:
                    await self._checkpoint(partition)

    async def run_all(self) -> None:
        """Checkpoint every partition that moved (before it is given up)."""
        async with self._lock:
            for partition in list(self._log.states):
                await self._checkpoint(partition)

    def _due(self, partition: int) -> bool:
        state = self._log.states.get(partition)
        if state is None:
            return False
        now, positions = time.monotonic(), state.positions()
        progress = self._progress.setdefault(partition, _Progress(taken_at=now))
        if positions != progress.seen:
            progress.seen, progress.moved_at = positions, now
        if positions == progress.positions:
            return False
        wait = max(self._interval, progress.took / _SHARE_OF_TIME)
        return now - progress.taken_at >= wait or now - progress.moved_at >= _IDLE_SECONDS

    async def _checkpoint(self, partition: int) -> None:
        state = self._log.states.get(partition)
        progress = self._progress.setdefault(partition, _Progress())
        if state is None or state.positions() == progress.positions:
            return
        began = time.monotonic()
        self._derive(partition, state)
        positions, snapshot = state.positions(), state.snapshot()
        body = await asyncio.to_thread(_encode, snapshot)
        owner = self._log.owners[partition]
        parts, marker = checkpoint_records(owner, progress.number, body)
        offsets: list[int] = []
        for part in parts:
            self._log.append(partition, part, offsets.append)
        await self._outbox.acknowledged()
        if not self._owned(partition, state):
            return
        self._log.append(partition, marker)
        await self._outbox.acknowledged()
        if not self._owned(partition, state):
            return
        for topic, offset in positions.items():
            if offset > 0:
                self._inputs.durable[TP(topic, partition)] = offset
        progress.positions = positions
        progress.number += 1
        progress.taken_at = time.monotonic()
        progress.took = progress.taken_at - began
        progress.starts.append((progress.taken_at, min(offsets)))
        await self._truncate(partition, progress)
        log.debug("checkpoint of %s %d: %d bytes", self._log.topic.value, partition, len(body))

    def _owned(self, partition: int, state: S) -> bool:
        return self._log.states.get(partition) is state

    async def _truncate(self, partition: int, progress: _Progress) -> None:
        if self._truncate_after is None:
            return
        oldest_kept = time.monotonic() - self._truncate_after
        old = [at <= oldest_kept for at, _offset in progress.starts[: 1 - _KEPT]]
        if sum(old) < 2:
            return
        progress.starts = progress.starts[sum(old) - 1 :]
        before = TopicPartition(self._log.topic.value, partition, progress.starts[0][1])
        try:
            await asyncio.to_thread(_wait_all, self._admin.delete_records([before]).values())
        except KafkaException as error:
            # The log grows until its broker's disk does; recovery reads more. Nothing is wrong.
            self._truncate_after = None
            log.warning("changelog %s cannot be truncated here: %s", before.topic, error)


def _wait_all(futures: Iterable[Any]) -> None:
    for future in futures:
        future.result()


def _encode(snapshot: dict[str, Any]) -> bytes:
    return bytes(cramjam.zstd.compress(msgspec.msgpack.encode(snapshot), 1))
