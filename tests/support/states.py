"""The smallest states, and a changelog of them in memory."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import faust
from faust.types import TP

from schemas.topics import Topic
from streams.engine.changelog import Owner, checkpoint_records, fence
from streams.engine.snapshots import pack
from streams.engine.statelog import StateLog

TOPIC = Topic.SCORE_CHANGELOG


class Counting:
    """A state that is one number."""

    def __init__(self, partition: int, snapshots: list[dict[str, Any]]) -> None:
        self.partition = partition
        self.epoch = 0
        self.number = sum(snapshot["more"] for snapshot in snapshots)
        self._kept = self.number
        self.whole_every = 3
        self._oldest = -1

    def positions(self) -> dict[str, int]:
        return {Topic.WEIGHED.value: self.number}

    def version(self) -> object:
        return self.number

    def snapshot(self, number: int) -> dict[str, Any]:
        """Every third one is whole, the others say how much came since the one before."""
        whole = self._oldest < 0 or number - self._oldest == self.whole_every
        self._oldest = number if whole else self._oldest
        more, self._kept = self.number - (0 if whole else self._kept), self.number
        return {"more": more}

    def oldest_needed(self) -> int:
        return self._oldest


class GatedOutbox:
    """Keeps what is sent; acknowledges only while the gate is open."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def send(
        self,
        _topic: str,
        value: bytes,
        *,
        partition: int,
        on_offset: Callable[[int], None],
    ) -> None:
        self.sent.append((partition, value))
        on_offset(len(self.sent) - 1)

    async def acknowledged(self) -> None:
        await self.gate.wait()


def log_of(app: faust.App, outbox: GatedOutbox) -> StateLog[Counting]:
    return StateLog(app, outbox, TOPIC, 4, Counting)  # type: ignore[arg-type]


def tps(*partitions: int) -> set[TP]:
    return {TP(TOPIC.value, partition) for partition in partitions}


def feed(log: StateLog[Counting], partition: int, number: int) -> None:
    """A changelog with a checkpoint that holds ``number``."""
    body = pack({"more": number}, {Topic.WEIGHED.value: number}, 4)
    owner = Owner(b"o" * 16, 7)
    parts, marker = checkpoint_records(owner, 0, body)
    events = [
        SimpleNamespace(message=SimpleNamespace(partition=partition, offset=offset, value=value))
        for offset, value in enumerate([fence(owner, -1), *parts, marker])
    ]
    log.apply_changelog_batch(events)


async def recovered(log: StateLog[Counting], numbers: dict[int, int], generation: int) -> None:
    await log.on_rebalance(tps(*numbers), set(), tps(*numbers), generation)
    for partition, number in numbers.items():
        feed(log, partition, number)
    await log.on_recovery_completed(tps(*numbers), set())
