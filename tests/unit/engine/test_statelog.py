"""States move between workers: who keeps them, who recovers them, who must not fence."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cramjam
import faust
import msgspec
import pytest
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


@pytest.fixture
def app() -> faust.App:
    return faust.App("test-statelog", broker="memory://", store="memory://")


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


def test_a_recovered_state_is_the_newest_checkpoint_under_a_new_epoch(app: faust.App) -> None:
    async def scenario() -> None:
        outbox = GatedOutbox()
        log = log_of(app, outbox)
        found: list[tuple[int, bool]] = []
        log.on_recovered = lambda partition, _state, known: found.append((partition, known))
        await recovered(log, {1: 42}, generation=1)
        assert log.states[1].number == 42
        assert log.states[1].epoch == 8
        assert found == [(1, True)]
        assert log.wanted(TP(Topic.WEIGHED.value, 1)) == 42
        assert log.wanted(TP(Topic.WEIGHED.value, 2)) is None
        assert len(outbox.sent) == 1, "its fence"

    asyncio.run(scenario())


def test_memory_is_kept_only_if_nobody_can_have_owned_it_in_between(app: faust.App) -> None:
    async def scenario() -> None:
        log = log_of(app, GatedOutbox())
        await recovered(log, {1: 42, 2: 5}, generation=1)
        kept = log.states[1]
        log.release()
        assert log.states == {}
        await log.on_rebalance(tps(1), tps(2), set(), 2)
        assert log.states == {1: kept}, "the next generation: kept, without reading"
        assert log.persisted_offset(TP(TOPIC.value, 1)) != -1
        await log.on_rebalance(tps(1), set(), set(), 5)
        assert log.states == {}, "generations were missed: somebody else may have owned it"
        assert log.persisted_offset(TP(TOPIC.value, 1)) == -1

    asyncio.run(scenario())


def test_a_recovery_that_is_overtaken_by_a_rebalance_gives_no_state(app: faust.App) -> None:
    async def scenario() -> None:
        outbox = GatedOutbox()
        log = log_of(app, outbox)
        outbox.gate.clear()
        await log.on_rebalance(tps(1), set(), tps(1), 1)
        feed(log, 1, 42)
        recovery = asyncio.create_task(log.on_recovery_completed(tps(1), set()))
        while not outbox.sent:  # noqa: ASYNC110 (the fake has no event for it)
            await asyncio.sleep(0.01)
        await log.on_rebalance(tps(2), tps(1), tps(2), 2)
        outbox.gate.set()
        await recovery
        assert log.states == {}

    asyncio.run(scenario())
