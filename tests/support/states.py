"""The smallest states, and a changelog of them in memory."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cramjam
import faust
import msgspec
from faust.types import TP

from schemas.topics import Topic
from streams.engine.changelog import Owner, checkpoint_records, fence
from streams.engine.statelog import StateLog

TOPIC = Topic.SCORE_CHANGELOG


class Counting:
    """A state that is one number."""

    def __init__(self, partition: int, snapshot: dict[str, Any] | None) -> None:
        self.partition = partition
        self.epoch = 0
        self.number = snapshot["number"] if snapshot else 0

    def positions(self) -> dict[str, int]:
        return {Topic.WEIGHED.value: self.number}

    def version(self) -> object:
        return self.number

    def snapshot(self) -> dict[str, Any]:
        return {"number": self.number}


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
    body = bytes(cramjam.zstd.compress(msgspec.msgpack.encode({"number": number}), 1))
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
