"""Batches of sources that wait stay in order, and their partitions are not read on."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP

from streams.core.records import RecordColumns
from streams.engine.inputs import FetchedBatch
from streams.engine.set_aside import SetAside

A, B = TP("interactions.like", 0), TP("interactions.mention", 0)


class Consumer:
    """Knows what is paused."""

    def __init__(self) -> None:
        self.paused: set[TP] = set()
        self.pause_partitions = self.paused.update
        self.resume_partitions = self.paused.difference_update

    def assignment(self) -> set[TP]:
        return {A, B}


def batch(tp: TP, first: int) -> FetchedBatch:
    return FetchedBatch(tp, first, first, RecordColumns.of([]), 0)


def test_a_source_goes_on_in_order_once_it_need_not_wait() -> None:
    consumer = Consumer()
    aside = SetAside(cast("Any", SimpleNamespace(consumer=consumer)))
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
