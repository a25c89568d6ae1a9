"""A sender that keeps to a schedule, in a process of its own."""

import gc
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from confluent_kafka import Producer

from bench.load import Event
from schemas.topics import INTERACTION_TOPICS

_SLOT_SECONDS = 0.002
_FLUSH_SECONDS = 60


class Sent(NamedTuple):
    """How late the latest event was handed to the client, in seconds, and what was not taken."""

    largest_delay: float
    failed: int


def send(
    kafka: str, events: Sequence[Event], begin: float, rate: float, answer: "Connection[Any, Any]"
) -> None:
    """Send event i at ``begin + i / rate`` (s since 1970); tell ``answer`` at the end."""
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "linger.ms": 2,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
            "log_level": 0,
        }
    )
    topics = [topic.value for topic in INTERACTION_TOPICS]
    producer.list_topics(timeout=30)
    gc.disable()
    delay, number, total = 0.0, 0, len(events)
    while number < total:
        due = min(total, int((time.time() - begin) * rate) + 1)
        while number < due:
            event = events[number]
            producer.produce(topics[event.kind], event.value, event.key, event.partition)
            number += 1
            if number % 256 == 0:
                producer.poll(0)
                delay = max(delay, time.time() - begin - number / rate)
        producer.poll(0)
        delay = max(delay, time.time() - begin - number / rate)
        time.sleep(_SLOT_SECONDS)
    failed = producer.flush(_FLUSH_SECONDS)
    answer.send(Sent(delay, failed))
