"""A sender that keeps to a schedule, in a process of its own, with batches encoded beforehand.

What is measured is who reads, not who sends: so each slot's records lie ready as record batches,
and sending them costs one request.
"""

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from aiokafka.conn import create_conn
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from bench.load import Event
from config.errors import RenownError
from schemas.topics import INTERACTION_TOPICS

SLOT_SECONDS: Final = 0.01
"""Events that are due within so long are sent together, at its end."""
_TIMEOUT_MS: Final = 30_000
_ALL: Final = -1
"""Acknowledged by all replicas."""

Batches = list[tuple[str, list[tuple[int, bytes]]]]
"""Topic → partition → record batch."""


class Sent(NamedTuple):
    """How late the latest slot was sent, in seconds."""

    largest_delay: float


class Slot(NamedTuple):
    """What is sent together at ``due`` (s since the begin)."""

    due: float
    batches: Batches


def slots_of(events: Sequence[Event], rate: float) -> list[Slot]:
    """Event i is due ``i / rate`` seconds after the begin, and waits for the end of its slot."""
    of_slot = max(1, round(rate * SLOT_SECONDS))
    return [
        Slot((first + of_slot) / rate, _batches(events[first : first + of_slot]))
        for first in range(0, len(events), of_slot)
    ]


def _batches(events: Sequence[Event]) -> Batches:
    timestamp = int(time.time() * 1000)
    found: dict[int, dict[int, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        found[event.kind][event.partition].append(event)
    return [
        (
            INTERACTION_TOPICS[kind].value,
            [(partition, _batch(of_one, timestamp)) for partition, of_one in partitions.items()],
        )
        for kind, partitions in found.items()
    ]


def _batch(events: Sequence[Event], timestamp: int) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for number, event in enumerate(events):
        builder.append(number, timestamp, event.key, event.value, [])
    return bytes(builder.build())


def send(kafka: str, slots: Sequence[Slot], begin: float, answer: "Connection[Any, Any]") -> None:
    """Send each slot when it is due; tell ``answer`` at the end."""
    gc.disable()
    answer.send(asyncio.run(_send(kafka, slots, begin)))


async def _send(kafka: str, slots: Sequence[Slot], begin: float) -> Sent:
    host, _, port = kafka.rpartition(":")
    connection = await create_conn(host, int(port), request_timeout_ms=_TIMEOUT_MS)
    delay, under_way = 0.0, set[asyncio.Task[None]]()
    for slot in slots:
        await asyncio.sleep(max(0.0, begin + slot.due - time.time()))
        request = ProduceRequest(
            required_acks=_ALL, timeout=_TIMEOUT_MS, topics=slot.batches, transactional_id=None
        )
        under_way.add(asyncio.create_task(_acknowledged(connection.send(request))))
        delay = max(delay, time.time() - begin - slot.due)
        for done in [task for task in under_way if task.done()]:
            under_way.discard(done)
            done.result()
    await asyncio.gather(*under_way)
    connection.close()
    return Sent(delay)


async def _acknowledged(answer: Any) -> None:
    for topic, partitions in (await answer).topics:
        for partition, error, *_ in partitions:
            if error:
                raise RenownError(f"{topic} {partition} refuses a batch with error {error}")
