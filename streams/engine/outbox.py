"""What a worker sends: an idempotent producer that knows when everything is acknowledged."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from config.logging import CLIENT_LOGGER
from schemas.topics import LARGEST_RECORD
from streams.engine.failstop import fail_stop

_POLL_SECONDS = 0.002
_MOST_OUTSTANDING = 20_000
_DELIVERY_TIMEOUT_MS = 120_000


class Outbox:
    """Sends records in order per partition; a record that cannot be delivered ends the process."""

    def __init__(self, connection: dict[str, Any], linger_ms: int = 5) -> None:
        """``connection``: librdkafka's options for reaching the broker.

        ``linger_ms``: how long a record may wait for others, to travel and be stored with them.
        """
        self._producer = Producer(
            {
                **connection,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": linger_ms,
                "compression.type": "zstd",
                "message.max.bytes": LARGEST_RECORD,
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                "queue.buffering.max.kbytes": 256 * 1024,
            },
            logger=logging.getLogger(CLIENT_LOGGER),
        )
        self._era = 0
        self._outstanding: Counter[int] = Counter()

    def send(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None = None,
        partition: int = -1,
        on_offset: Callable[[int], None] | None = None,
    ) -> None:
        """Queue one record; ``on_offset`` is told its offset once it is acknowledged."""
        era = self._era

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                fail_stop(f"cannot deliver to {topic} partition {partition} ({error.str()})")
            self._outstanding[era] -= 1
            if on_offset is not None:
                on_offset(message.offset() or 0)

        while True:
            try:
                self._producer.produce(topic, value, key, partition, on_delivery=delivered)
                break
            except BufferError:
                self._producer.poll(0.01)
        self._outstanding[era] += 1

    def poll(self) -> None:
        """Let acknowledgements come in."""
        self._producer.poll(0)

    async def room(self) -> None:
        """Wait until few enough records are on their way (back-pressure)."""
        self.poll()
        while self._outstanding.total() > _MOST_OUTSTANDING:
            await asyncio.sleep(_POLL_SECONDS)
            self.poll()

    async def acknowledged(self) -> None:
        """Wait until everything sent before this call is acknowledged by the broker."""
        ended, self._era = self._era, self._era + 1
        self.poll()
        while any(self._outstanding[era] for era in list(self._outstanding) if era <= ended):
            await asyncio.sleep(_POLL_SECONDS)
            self.poll()
        for era in [era for era in self._outstanding if era <= ended]:
            del self._outstanding[era]

    def close(self, seconds: float = 10.0) -> None:
        """Send what is queued, waiting at most ``seconds``."""
        end = time.monotonic() + seconds
        while self._producer.flush(0.2) and time.monotonic() < end:
            pass
