"""What a worker sends: an idempotent producer that knows when everything is acknowledged."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from config.logging import CLIENT_LOGGER
from schemas.topics import LARGEST_RECORD
from streams.engine.failstop import fail_stop

_POLL_SECONDS = 0.002
_MOST_OUTSTANDING = 20_000
_QUICK_MS = 10
"""Up to this linger the CPU counts more than bytes: lz4 takes a third less of it than zstd."""
_MOST_KILOBYTES = 64 * 1024
_DELIVERY_TIMEOUT_MS = 120_000


_Delivered = Callable[[KafkaError | None, Message], None]


class _Era:
    """What is sent between two waits for acknowledgements.

    ``delivered`` is made once and shared by its records: a closure for each would cost more than
    to send it.
    """

    def __init__(self) -> None:
        self.outstanding = 0
        self.delivered: _Delivered = self._note

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            place = f"{message.topic()} partition {message.partition()}"
            fail_stop(f"cannot deliver to {place} ({error.str()})")
        self.outstanding -= 1

    def stored(
        self, on_offset: Callable[[int], None], error: KafkaError | None, message: Message
    ) -> None:
        """As ``delivered``, and tell the record's offset."""
        self._note(error, message)
        on_offset(message.offset() or 0)


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
                "compression.type": "lz4" if linger_ms <= _QUICK_MS else "zstd",
                "message.max.bytes": LARGEST_RECORD,
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
                "queue.buffering.max.kbytes": _MOST_KILOBYTES,
            },
            logger=logging.getLogger(CLIENT_LOGGER),
        )
        self._era = _Era()
        self._ended: list[_Era] = []

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
        delivered = era.delivered if on_offset is None else partial(era.stored, on_offset)
        self._produce(topic, value, key, partition, delivered)
        era.outstanding += 1

    def send_many(
        self, topic: str, partition: int, values: Iterable[bytes], keys: Iterable[bytes]
    ) -> None:
        """Queue the records of one partition whose offsets nobody needs to know."""
        era, delivered = self._era, self._era.delivered
        for value, key in zip(values, keys, strict=True):
            self._produce(topic, value, key, partition, delivered)
            era.outstanding += 1

    def _produce(
        self, topic: str, value: bytes, key: bytes | None, partition: int, delivered: _Delivered
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition, delivered)
            except BufferError:
                self._producer.poll(0.01)
            else:
                return

    def poll(self) -> None:
        """Let acknowledgements come in."""
        self._producer.poll(0)

    async def room(self) -> None:
        """Wait until few enough records are on their way (back-pressure)."""
        self.poll()
        while self._outstanding() > _MOST_OUTSTANDING:
            await asyncio.sleep(_POLL_SECONDS)
            self.poll()

    async def acknowledged(self) -> None:
        """Wait until everything sent before this call is acknowledged by the broker."""
        self._ended.append(self._era)
        ended, self._era = list(self._ended), _Era()
        self.poll()
        while any(era.outstanding for era in ended):
            await asyncio.sleep(_POLL_SECONDS)
            self.poll()
        self._ended = [era for era in self._ended if era.outstanding]

    def _outstanding(self) -> int:
        return self._era.outstanding + sum(era.outstanding for era in self._ended)

    def close(self, seconds: float = 10.0) -> None:
        """Send what is queued, waiting at most ``seconds``."""
        end = time.monotonic() + seconds
        while self._producer.flush(0.2) and time.monotonic() < end:
            pass
