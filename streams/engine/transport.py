"""Faust's transport, changed in five ways, all in this file because they touch its inside.

1. One message per fetched list of records, for the topics named in ``Inputs.batched``.
2. The group's offsets move only as ``Inputs.durable`` says; Faust's book-keeping of acknowledged
   messages is switched off, because it commits past messages that were never applied.
3. Where to read on is what the state says (``Inputs.wanted``), not the group's committed offset:
   seeking to committed offsets does nothing for a partition that has none, so records fetched and
   dropped while the flow was stopped would be lost.

4. A fetch waits for records at most a tenth of a second at the broker.
5. Each answer of a broker is noted (``Inputs.heard_at``), for those who ask whether there is one.

Written against faust-streaming 0.15.3 with aiokafka 0.14.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka.errors import IllegalStateError
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from streams.core.records import Record
from streams.engine.failstop import fail_stop
from streams.engine.inputs import FetchedBatch, Inputs

log = logging.getLogger("renown.transport")

SCHEME = "renown"
_FETCH_WAIT_MS = 100
drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


class _NoReadOffsets(dict[TP, int | None]):
    """Disarms Faust's own filter, which would drop what is read again after a seek back."""

    def __missing__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        return None

    def update(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with a shorter wait of fetches, which notes each answer."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes 1.5 s. The embedded broker looks for new records after half of that time.
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        inputs: Inputs = self.app.inputs
        send = consumer._client.send

        async def send_and_note(*args: Any, **options: Any) -> Any:
            answer = await send(*args, **options)
            inputs.heard_at = time.monotonic()
            return answer

        consumer._client.send = send_and_note
        return consumer


class Consumer(driver.Consumer):
    """A consumer that hands over batches and obeys ``app.inputs``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self.inputs: Inputs = self.app.inputs

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 (Faust's name)
        fetched, active = await super()._wait_next_records(timeout)
        if fetched:
            for tp, records in fetched.items():
                if records and tp.topic in self.inputs.batched:
                    fetched[tp] = [self._batch(tp, records)]
        return fetched, active

    def _batch(self, tp: Any, records: list[Any]) -> FetchedBatch:
        return FetchedBatch(
            TP(tp.topic, tp.partition),
            [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records],
            self.inputs.seeks[tp],
        )

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, FetchedBatch):
            return super()._to_message(tp, record)
        last = record.records[-1]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000.0,
            timestamp_type=0,
            headers=(),
            key=None,
            value=record,
            checksum=None,
            serialized_key_size=None,
            serialized_value_size=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def ack(self, message: Message) -> bool:
        """Forget the message: what is applied is the state's business."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        return None

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        assigned = self.assignment()
        return iter([tp for tp in self.inputs.durable if tp in assigned])

    def _new_offset(self, tp: TP) -> int | None:
        return self.inputs.durable.get(tp)

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, then to where the state wants to read on."""
        await super().perform_seek()
        await self.seek_to_state()

    async def seek_to_state(self, tps: Mapping[TP, int] | None = None) -> None:
        """Seek ``tps`` (default: all assigned inputs) to the next offset the state wants."""
        assigned = self.assignment()
        if tps is None:
            wanted = {tp: self.inputs.wanted(tp) for tp in assigned}
            tps = {tp: offset for tp, offset in wanted.items() if offset is not None}
        positions = {tp: offset for tp, offset in tps.items() if tp in assigned}
        if not positions:
            return
        try:
            await self.seek_wait(positions)
        except IllegalStateError as error:
            # A rebalance took them in the meantime; whoever gets them seeks after it.
            log.debug("no seek: %s", error)
        else:
            self.inputs.seeks.update(positions.keys())

    def resume_flow(self) -> None:
        """Resume, and read again what was delivered to queues that Faust has just cleared."""
        super().resume_flow()
        self.add_future(self._seek_or_stop())

    async def _seek_or_stop(self) -> None:
        try:
            await self.seek_to_state()
        except Exception as error:
            fail_stop("seeking to the state's positions failed", error)

    async def wait_empty(self) -> None:
        """Before partitions are given up: checkpoint them and commit."""
        await self.inputs.release()
        await self.commit_and_end_transactions()
        self.inputs.forget()


class Transport(driver.Transport):
    """The transport behind broker addresses of the scheme ``renown``."""

    Consumer = Consumer
