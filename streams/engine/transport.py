"""Faust's transport, changed in nine ways, all in this file because they touch its inside.

1. One message per fetched list of records, for the topics named in ``Inputs.batched``: aiokafka
   hands over the bytes of a fetch, and ``raw_batches`` finds the records in them. With other
   versions than those below, or the setting ``plain_fetch``, aiokafka makes its records and they
   are put into columns: the same batches, slower.
2. The group's offsets move only as ``Inputs.durable`` says; Faust's book-keeping of acknowledged
   messages is switched off, because it commits past messages that were never applied.
3. Where to read on is what the state says (``Inputs.wanted``), not the group's committed offset:
   seeking to committed offsets does nothing for a partition that has none, so records fetched and
   dropped while the flow was stopped would be lost.
4. A fetch waits for records at most a tenth of a second at the broker.
5. Each answer of a broker is noted (``Inputs.heard_at``), for those who ask whether there is one.
6. What an aborted transaction wrote is not read, and the end of a partition is where an open
   transaction begins.
7. Answers of many MB are read without being copied again and again (``reader``), under the same
   condition as 1.
8. Under the same condition: a fetch that becomes large is handed over bit by bit, and what aiokafka
   uncompresses itself is limited. Too large a batch is a dead letter where it is read raw; here it
   stops the worker before it fills the memory.
9. After an answer of a broker it takes ``Inputs.pause`` until it is asked for more, and up to 0.1 s
   after large answers: what arrives one by one is fetched and dealt with together. Each batch costs
   much the same, however small, here and at the broker.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from aiokafka import conn
from aiokafka.consumer import fetcher
from aiokafka.errors import IllegalStateError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from streams.core.records import Record, RecordColumns
from streams.engine.failstop import fail_stop
from streams.engine.inputs import FetchedBatch, Inputs
from streams.engine.raw_batches import LARGEST_PIECE, Fetched, Unusual, read
from streams.engine.raw_codecs import TooLarge, decompressed
from streams.engine.reader import ChunkReader

log = logging.getLogger("renown.transport")

SCHEME = "renown"
_FETCH_WAIT_MS: Final = 100
_PAUSE_SECONDS_A_BYTE: Final = 80e-9
_LONGEST_PAUSE_SECONDS: Final = 0.1
_LARGEST_ANSWER: Final = 64 << 20
"""Bytes of a fetch of all partitions together."""
_WRITTEN_AGAINST: Final = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}
drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"

raw_topics: set[str] = set()
"""Topics of which this process's consumers hand over ``Fetched`` in place of records."""


def versions_differ() -> str:
    """Which libraries are not those that the reading of raw fetches was written against."""
    found = {name: version(name) for name in _WRITTEN_AGAINST}
    return ", ".join(
        f"{name} {found[name]} (not {wanted})"
        for name, wanted in _WRITTEN_AGAINST.items()
        if found[name] != wanted
    )


class _MemoryRecords:
    """aiokafka's reader of a response, which keeps the response's bytes."""

    def __init__(self, data: bytes, _reader: Any = fetcher.MemoryRecords) -> None:
        reader = _reader(data)
        self.data = data
        self.has_next, self.next_batch = reader.has_next, reader.next_batch
        self.size_in_bytes = reader.size_in_bytes


class _PartitionRecords(fetcher.PartitionRecords):
    """aiokafka's iterator of a response's records: those of ``raw_topics`` come as ``Fetched``."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from self._unpacked()
        except TooLarge as error:
            fail_stop(
                f"{self._tp.topic}, partition {self._tp.partition}, read from offset"
                f" {self.next_fetch_offset}: a batch of {error}. Without RENOWN_PLAIN_FETCH it"
                " becomes a dead letter; kafka-delete-records removes it with all that lies before"
            )

    def _unpacked(self) -> Iterator[Any]:
        if self._tp.topic not in raw_topics:
            yield from super()._unpack_records()
            return
        committed = self._isolation_level == fetcher.READ_COMMITTED
        aborted = self._aborted_transactions if committed else ()
        try:
            for fetched in read(self._records.data, self.next_fetch_offset, aborted):
                self.next_fetch_offset = fetched.last + 1
                yield fetched
        except Unusual as reason:
            log.info("%s is read record by record: %s", self._tp, reason)
            first, records = self.next_fetch_offset, list(super()._unpack_records())
            yield Fetched(first, self.next_fetch_offset - 1, _columns(records))


class _FetchResult(fetcher.FetchResult):
    """aiokafka's hold on a fetch, which hands over pieces up to about LARGEST_PIECE at a time."""

    def getall(self, max_records: int | None = None) -> list[Any]:
        if self._topic_partition.topic not in raw_topics:
            return super().getall(max_records)  # type: ignore[no-any-return]
        found: list[Fetched] = []
        size = 0
        while size < LARGEST_PIECE and len(found) != max_records and (next_ := super().getall(1)):
            found += next_
            size += len(next_[0].records.data)
        return found


def batches(tp: TP, found: list[Any], seeks: int) -> list[FetchedBatch]:
    """What aiokafka handed over for a partition, raw or not, as batches."""
    if found and not isinstance(found[0], Fetched):
        first, last = found[0].offset, found[-1].offset
        return [FetchedBatch(tp, first, last, _columns(found), seeks, exact=False)]
    return [FetchedBatch(tp, part.first, part.last, part.records, seeks) for part in found]


def _columns(records: list[Any]) -> RecordColumns:
    return RecordColumns.of(
        [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]
    )


class _Protocol(conn.AIOKafkaProtocol):
    """aiokafka's protocol of a connection, with a quicker reader."""

    def __init__(self, closed: Any, reader: asyncio.StreamReader, **options: Any) -> None:
        ChunkReader.become(reader)
        super().__init__(closed, reader, **options)


_DECODERS: Final = {"gzip_decode": 1, "snappy_decode": 2, "lz4_decode": 3, "zstd_decode": 4}


def _limit_decompression() -> None:
    """Let aiokafka uncompress what it reads itself with the limit of ``raw_codecs``."""
    for batch in DefaultRecordBatch, LegacyRecordBatch:
        library = sys.modules[batch.__module__]  # compiled, or plain Python where that is missing
        for name in _DECODERS.keys() & vars(library).keys():
            setattr(library, name, partial(decompressed, _DECODERS[name]))


if not versions_differ():
    _limit_decompression()
    fetcher.MemoryRecords, fetcher.PartitionRecords = _MemoryRecords, _PartitionRecords
    fetcher.FetchResult = _FetchResult
    conn.AIOKafkaProtocol = _Protocol


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
        consumer._fetch_max_bytes = _LARGEST_ANSWER
        consumer._isolation_level = "read_committed"
        inputs: Inputs = self.app.inputs
        send = consumer._client.send
        next_fetch: dict[int, float] = {}

        async def send_and_note(node: int, request: Any, **options: Any) -> Any:
            if not isinstance(request, FetchRequest):
                answer = await send(node, request, **options)
                inputs.heard_at = time.monotonic()
                return answer
            await asyncio.sleep(max(0.0, next_fetch.get(node, 0.0) - time.monotonic()))
            answer = await send(node, request, **options)
            inputs.heard_at = now = time.monotonic()
            next_fetch[node] = now + pause_after(answer, inputs.pause)
            return answer

        consumer._client.send = send_and_note
        return consumer

    def highwater(self, tp: TP) -> int | None:
        """The offset after the last record that can be read now; None: not known."""
        consumer = self._ensure_consumer()
        end, stable = consumer.highwater(tp), consumer.last_stable_offset(tp)
        known = [offset for offset in (end, stable) if offset is not None and offset >= 0]
        return min(known, default=None)


def pause_after(answer: Any, least: float) -> float:
    """Seconds to wait after a broker's answer to a fetch, before the next one is asked for."""
    size = sum(len(part[-1] or b"") for _, parts in answer.topics for part in parts)
    return min(least + size * _PAUSE_SECONDS_A_BYTE, _LONGEST_PAUSE_SECONDS)


class Consumer(driver.Consumer):
    """A consumer that hands over batches and obeys ``app.inputs``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self.inputs: Inputs = self.app.inputs
        if self.app.settings.plain_fetch:
            log.info("records are read one by one, as RENOWN_PLAIN_FETCH says")
        elif differ := versions_differ():
            log.warning("records are read one by one, which is slow: %s", differ)
        else:
            raw_topics.update(self.inputs.batched)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 (Faust's name)
        fetched, active = await super()._wait_next_records(timeout)
        for tp, found in (fetched or {}).items():
            if tp.topic in self.inputs.batched:
                seeks = self.inputs.seeks[tp]
                fetched[tp] = batches(TP(tp.topic, tp.partition), found, seeks)
        return fetched, active

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, FetchedBatch):
            return super()._to_message(tp, record)
        stamps = record.records.timestamps
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=record.last,
            timestamp=stamps[-1] / 1000.0 if len(stamps) else 0.0,
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
