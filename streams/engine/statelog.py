"""The states of one stage's partitions, kept in a changelog that Faust's table recovery reads.

A ``faust.tables.base.Collection``, so that Faust assigns the changelog's partitions together with
the inputs, feeds them through ``apply_changelog_batch`` and holds the streams until
``on_recovery_completed`` has built the states.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import faust
from faust.tables.base import Collection
from faust.types import TP

from config.errors import WrongUse
from schemas.topics import Topic
from streams.engine.changelog import ChangelogError, Kept, Owner, Recovered, fence, recover
from streams.engine.checkpoint_files import CheckpointFiles
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.outbox import Outbox
from streams.engine.snapshots import unpack
from streams.engine.turns import Turns

log = logging.getLogger("renown.state")

_SAY_EVERY = 5.0
"""Seconds between two lines about a recovery that takes long."""


class PartitionState(Protocol):
    """What a stage keeps for one partition."""

    epoch: int

    def snapshot(self, number: int) -> dict[str, Any]:
        """What must be kept, for msgpack, given that all snapshots from ``oldest_needed`` on are.

        It shares nothing with the state. ``number`` ascends by 1; the first one of a fresh or
        restored state goes on after the last one that was kept.
        """

    def oldest_needed(self) -> int:
        """Number of the oldest snapshot that a restore of the last one needs."""

    def positions(self) -> dict[str, int]:
        """Input topic → next offset that this state wants of its partition."""

    def version(self) -> object:
        """Differs from an earlier one if the state has changed in a way that must be kept."""


S = TypeVar("S", bound=PartitionState)


class StateLog(Collection, Generic[S]):
    """Partition → state, for one stage.

    ``sizes``: partition → bytes of each checkpoint that it needs, compressed; ``sent_bytes``: sent
    to the changelog so far; ``recovery_seconds``: what the last recovery took. ``turns``: whoever
    changes a state in a thread does it in a turn; copies are made in turns too.
    """

    _changelog_compacting = False
    _changelog_deleting = False

    def __init__(
        self,
        app: faust.App,
        outbox: Outbox,
        topic: Topic,
        partitions: int,
        build: Callable[[int, list[dict[str, Any]]], S],
        folder: Path | None = None,
        kept_seconds: float = 0.0,
    ) -> None:
        """``build(partition, snapshots)`` makes a state.

        ``snapshots``: consecutive, the newest last, the first at or before the oldest needed; none
        for an empty state.
        ``folder``: where checkpoints are stored in place of the changelog. ``kept_seconds``: for
        how long files that nobody needs stay there; longer than an owner can go on unnoticed.
        """
        super().__init__(
            app,
            name=topic.value,
            changelog_topic=app.topic(
                topic.value,
                acks=False,
                internal=True,
                allow_empty=True,
                partitions=partitions,
                value_serializer="raw",
                key_serializer="raw",
            ),
        )
        self.topic = topic
        self.partitions = partitions
        self.states: dict[int, S] = {}
        self.owners: dict[int, Owner] = {}
        self.sizes: dict[int, list[int]] = {}
        self.sent_bytes = 0
        self.recovery_seconds = 0.0
        self.files = CheckpointFiles(folder, topic.value, kept_seconds)
        self._outbox = outbox
        self._build = build
        self.released: dict[int, S] = {}
        self.turns = Turns()
        self.on_recovered: Callable[[int, S, Recovered], None] = lambda _partition, _state, _r: None
        self._generation: int | None = None
        self._reads: dict[int, dict[int, bytes]] = {}
        self._reads_since = self._said_at = 0.0
        self._read_bytes = 0
        self._building = asyncio.Semaphore(os.cpu_count() or 1)
        self._last_offset: dict[int, int] = {}
        app.tables.add(self)

    # What Faust asks of a table and a state of arrays does not have.
    def _has_key(self, key: Any) -> bool:
        return False

    _get_key = _set_key = _del_key = _has_key
    as_ansitable = hopping = tumbling = using_window = _has_key

    def reset_state(self) -> None:
        """Faust's own tables forget here; these states are dropped in ``on_rebalance``."""

    def persisted_offset(self, tp: TP) -> int | None:
        """The changelog offset up to which memory is current (-1: nothing)."""
        held = tp.partition in self.states or tp.partition in self.released
        return self._last_offset.get(tp.partition, -1) if held else -1

    def wanted(self, tp: TP) -> int | None:
        """Next offset of an input that its state wants; None if it is not this stage's."""
        state = self.states.get(tp.partition)
        return None if state is None else state.positions().get(tp.topic)

    def holds(self, partition: int, state: S) -> bool:
        """Whether ``state`` is still this worker's, active or about to be given up."""
        return self.states.get(partition) is state or self.released.get(partition) is state

    def unready(self) -> str:
        """Why states are missing, or nothing; may be asked in any thread."""
        if self._reads:
            return f"{len(self._reads)} partitions of {self.topic.value} are being recovered"
        return "" if self.states else "no partitions are assigned"

    def progress(self) -> object:
        """Differs from before where a recovery has come further."""
        return self._read_bytes, len(self._reads)

    def release(self) -> None:
        """Stop applying and publishing: the partitions are about to be given up."""
        self.released.update(self.states)
        self.states.clear()

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],
        generation_id: int = 0,
    ) -> None:
        """Keep the states that nobody can have owned in between; prepare to read the others."""
        self.release()
        mine = {tp.partition for tp in assigned if tp.topic == self.topic.value}
        unbroken = self._generation is not None and generation_id == self._generation + 1
        self._generation = generation_id
        kept = {p: s for p, s in self.released.items() if unbroken and p in mine}
        self.released.clear()
        self.states.update(kept)
        self._reads = {partition: {} for partition in mine - kept.keys()}
        self._reads_since = self._said_at = time.monotonic()
        self._read_bytes = 0

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take records in; they are read as a whole once recovery is complete."""
        for event in batch:
            records = self._reads.get(event.message.partition)
            if records is not None:
                records[event.message.offset] = event.message.value
                self._read_bytes += len(event.message.value)
        if self._reads:
            self._say_progress("read")

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Build the states that were read and fence off whoever owned them before."""
        try:
            reads, reads_anything = self._reads, bool(self._reads)
            await asyncio.gather(*(self._recover(partition, reads) for partition in sorted(reads)))
            if reads_anything and not reads:
                self.recovery_seconds = time.monotonic() - self._reads_since
                reach(Point.RECOVERY_RESUMED)
        except WrongUse as error:
            fail_stop(str(error), code=error.exit_code)
        except ChangelogError as error:
            fail_stop(f"changelog {self.topic.value} is damaged: {error}")
        except Exception as error:  # Faust ignores what is raised here
            fail_stop(f"recovery of {self.topic.value} failed", error)

    async def _recover(self, partition: int, reads: dict[int, dict[int, bytes]]) -> None:
        async with self._building:
            if reads is not self._reads:
                return
            recovered = recover(reads[partition])
            reach(Point.RECOVERY_READ)
            state = await asyncio.to_thread(self._restore, partition, recovered.checkpoints)
        if reads is not self._reads:
            return  # rebalanced again meanwhile: a fence now could lock out the new owner
        reach(Point.RECOVERY_BUILT)
        owner = Owner(secrets.token_bytes(16), recovered.epoch + 1)
        state.epoch = owner.epoch
        self.on_recovered(partition, state, recovered)
        self.owners[partition] = owner
        self.append(partition, fence(owner, recovered.last_offset))
        reach(Point.RECOVERY_FENCE_SENT)
        await self._outbox.acknowledged()
        reach(Point.RECOVERY_FENCE_ACKED)
        if reads is not self._reads:
            return
        self.states[partition] = state
        del reads[partition]
        self._say_progress(f"{len(reads)} partitions to go after")
        log.info(
            "recovered %s partition %d: epoch %d, positions %s",
            self.topic.value, partition, owner.epoch, state.positions(),
        )  # fmt: skip

    def _restore(self, partition: int, checkpoints: tuple[Kept, ...]) -> S:
        snapshots, sizes = [], []
        for kept in checkpoints:
            packed = self.files.get(kept.body)
            sizes.append(len(packed))
            snapshot = unpack(packed, kept.version)
            self._check_partitions(partition, snapshot.partitions)
            snapshots.append(snapshot.state)
        self.sizes[partition] = sizes
        return self._build(partition, snapshots)

    def _check_partitions(self, partition: int, were: int | None) -> None:
        """What lies in which partition depends on their number."""
        if were in (None, self.partitions):
            return
        raise WrongUse(
            f"the state of {self.topic.value} partition {partition} is of {were} partitions, "
            f"RENOWN_PARTITIONS says {self.partitions}: set RENOWN_PARTITIONS={were} and give the "
            f"topics {were} partitions; or, to have {self.partitions}, delete the topics and run "
            "renown rebuild (its --help lists the steps)"
        )

    def _say_progress(self, what: str) -> None:
        """A line now and then while a recovery takes long."""
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY:
            self._said_at = now
            log.warning(
                "recovering %s: %s %.0f MB, %.0f s so far",
                self.topic.value, what, self._read_bytes / 1e6, now - self._reads_since,
            )  # fmt: skip

    def append(
        self, partition: int, record: bytes, on_offset: Callable[[int], None] | None = None
    ) -> None:
        """Send one record to the changelog."""

        def stored(offset: int) -> None:
            self._last_offset[partition] = max(self._last_offset.get(partition, -1), offset)
            if on_offset is not None:
                on_offset(offset)

        self.sent_bytes += len(record)
        self._outbox.send(self.topic.value, record, partition=partition, on_offset=stored)
