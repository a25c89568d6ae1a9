"""Batches of sources that wait stay in order, and their partitions are not read on."""

import asyncio
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.core.records import RecordColumns
from streams.engine.inputs import FetchedBatch, Inputs
from streams.engine.set_aside import SetAside

A, B = TP("interactions.like", 0), TP("interactions.mention", 0)


class Consumer:
    """Knows what is paused, and from where was read on, with what was paused at that moment."""

    def __init__(self) -> None:
        self.paused: set[TP] = set()
        self.sought: list[tuple[dict[TP, int], bool]] = []
        self.pause_partitions = self.paused.update
        self.resume_partitions = self.paused.difference_update

    def assignment(self) -> set[TP]:
        return {A, B}

    async def seek_to_state(self, positions: dict[TP, int]) -> None:
        self.sought.append((positions, positions.keys() <= self.paused))


def app_of(consumer: Consumer) -> Any:
    return SimpleNamespace(consumer=consumer, inputs=Inputs(frozenset(), wanted={A: 4, B: 8}.get))


def batch(tp: TP, first: int) -> FetchedBatch:
    return FetchedBatch(tp, first, first, RecordColumns.of([]), 0)


def test_a_source_goes_on_in_order_once_it_need_not_wait() -> None:
    consumer = Consumer()
    aside = SetAside(app_of(consumer))
    waiting, taken, stops = {A, B}, [], {2}

    async def take(given: FetchedBatch) -> None:
        taken.append(given.first)
        if given.first in stops:
            stops.remove(given.first)
            aside.put_back(given)
            waiting.add(A)  # it came to another day

    def go_on() -> list[int]:
        taken.clear()
        asyncio.run(aside.go_on(lambda tp: tp in waiting, take))
        return list(taken)

    assert not aside
    aside.put_back(batch(A, 1))
    aside.append(batch(A, 2))
    aside.append(batch(A, 3))
    aside.put_back(batch(B, 7))
    assert aside.holds(A)
    assert consumer.paused == {A, B}
    assert go_on() == []
    waiting.remove(A)
    assert go_on() == [1, 2]
    assert consumer.paused == {A, B}
    waiting.clear()
    assert go_on() == [2, 3, 7]
    assert not aside
    assert consumer.paused == set()


def test_what_was_dropped_while_a_source_waited_is_read_again() -> None:
    consumer = Consumer()
    aside, waiting = SetAside(app_of(consumer)), {A}
    aside.put_back(batch(A, 1))

    async def take(_: FetchedBatch) -> None:
        assert not consumer.sought

    asyncio.run(aside.go_on(lambda tp: tp in waiting, take))
    assert consumer.sought == []
    waiting.clear()
    asyncio.run(aside.go_on(lambda tp: tp in waiting, take))
    assert consumer.sought == [({A: 4}, True)]


def test_a_source_that_waits_again_meanwhile_stays_paused() -> None:
    class Seeking(Consumer):
        async def seek_to_state(self, positions: dict[TP, int]) -> None:
            aside.put_back(batch(A, positions[A]))  # it came to another day

    consumer = Seeking()
    aside = SetAside(app_of(consumer))
    aside.put_back(batch(A, 1))

    async def take(_: FetchedBatch) -> None:
        pass

    asyncio.run(aside.go_on(lambda _: False, take))
    assert aside.holds(A)
    assert consumer.paused == {A}
