"""One changelog partition in memory, owners that come, stand still, die and wake, and a clock."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import faust
from confluent_kafka import KafkaError, KafkaException

from streams.engine.checkpoint import Budget, Checkpointer
from streams.engine.inputs import Inputs
from streams.engine.statelog import StateLog
from tests.support.states import TOPIC, Counting, tps

PARTITION = 1
UNNOTICED = 24.0
"""Seconds for which an owner can go on without knowing that it was replaced."""


class Clock:
    """In place of the module ``time``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class SimulatedLog:
    """What the broker holds; also the admin client that deletes from it."""

    def __init__(self) -> None:
        self.records: dict[int, bytes] = {}
        self.end = 0
        self.refusal: int | None = None
        """Code of the error that deleting ends in."""

    def append(self, value: bytes) -> int:
        self.records[self.end] = value
        self.end += 1
        return self.end - 1

    def delete_records(self, before: list[Any]) -> dict[Any, Future[None]]:
        done: Future[None] = Future()
        if self.refusal is not None:
            done.set_exception(KafkaException(KafkaError(self.refusal)))
            return {None: done}
        for place in before:
            for offset in [o for o in self.records if o < place.offset]:
                del self.records[offset]
        done.set_result(None)
        return {None: done}


class Line:
    """An owner's connection: while it is held, what is sent waits for it."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log
        self._free = asyncio.Event()
        self._free.set()
        self._waiting: list[tuple[bytes, Callable[[int], None]]] = []

    def hold(self) -> None:
        self._free.clear()

    def free(self) -> None:
        self._free.set()
        for value, on_offset in self._waiting:
            on_offset(self._log.append(value))
        self._waiting.clear()

    def send(
        self, _topic: str, value: bytes, *, partition: int, on_offset: Callable[[int], None]
    ) -> None:
        assert partition == PARTITION
        self._waiting.append((value, on_offset))
        if self._free.is_set():
            self.free()

    async def acknowledged(self) -> None:
        await self._free.wait()


class SimulatedOwner:
    """A worker with one partition."""

    def __init__(self, log: SimulatedLog, folder: Path | None) -> None:
        self._broker = log
        self.line = Line(log)
        app = faust.App("simulated", broker="memory://", store="memory://")
        self.log: StateLog[Counting] = StateLog(
            app, cast("Any", self.line), TOPIC, 4, Counting, folder, UNNOTICED
        )
        self.checkpointer: Checkpointer[Counting] = Checkpointer(
            self.log, cast("Any", self.line), Inputs(frozenset()), cast("Any", log),
            lambda _partition, _state: None, interval=0.0, budget=Budget(math.inf),
            truncate_after=UNNOTICED,
        )  # fmt: skip
        self.log.on_recovered = self.checkpointer.recovered

    @property
    def state(self) -> Counting:
        return self.log.states[PARTITION]

    async def read(self) -> None:
        """The first half of a recovery: what the log holds now."""
        await self.log.on_rebalance(tps(PARTITION), set(), tps(PARTITION), 1)
        self.log.apply_changelog_batch(
            SimpleNamespace(
                message=SimpleNamespace(partition=PARTITION, offset=offset, value=value)
            )
            for offset, value in self._broker.records.items()
        )

    async def fence(self) -> None:
        """Its second half: build the state and say whose it is."""
        await self.log.on_recovery_completed(tps(PARTITION), set())

    async def checkpoint(self) -> None:
        """Keep the state, if it has changed, and delete what nobody needs."""
        self.log.released[PARTITION] = self.state
        await self.checkpointer.run_released()
        del self.log.released[PARTITION]
