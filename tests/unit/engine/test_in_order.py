"""Which fetched batches are taken: nothing is passed over that a seek back may bring."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.core.records import Record, RecordColumns
from streams.engine.inputs import FetchedBatch, Inputs
from streams.engine.worker import WorkerApp

TP_ = TP("interactions.like", 0)


@pytest.mark.parametrize(
    ("first", "offsets", "log_begins", "taken", "sought", "asked"),
    [
        (5, [5, 6], 0, True, False, False),
        (3, [3, 6], 0, True, False, False),
        (5, [7], 0, True, False, True),  # a marker or an aborted record lies before
        (5, [], 0, True, False, True),
        (5, [7], 7, True, False, True),  # accepted as lost
        (7, [7], 0, False, True, True),  # fetched before the seek, whatever its label says
        (7, [7], 7, True, False, True),
    ],
)
def test_a_batch_after_a_seek(
    first: int, offsets: list[int], log_begins: int, taken: bool, sought: bool, asked: bool
) -> None:
    seeks: list[Mapping[TP, int]] = []
    asks: list[int] = []

    async def seek_to_state(tps: Mapping[TP, int]) -> None:
        seeks.append(tps)

    async def lost_before(_tp: TP, wanted: int) -> bool:
        asks.append(wanted)
        return log_begins > wanted

    inputs = Inputs(frozenset())
    app: Any = SimpleNamespace(inputs=inputs, consumer=SimpleNamespace(seek_to_state=seek_to_state))
    app._lost_before = lost_before
    records = RecordColumns.of([Record(offset, 0, None, b"{}") for offset in offsets])
    inputs.gap(FetchedBatch(TP_, 7, 8, records, 0), 5)
    batch = FetchedBatch(TP_, first, 8, records, seeks=1)
    assert asyncio.run(WorkerApp.in_order(app, batch, 5)) is taken
    assert (bool(seeks), bool(asks)) == (sought, asked)
