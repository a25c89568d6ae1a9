"""Fetches become columns, raw or record by record, whoever published in whatever way."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP
from kafka import KafkaProducer

from schemas.topics import Topic
from streams.core.records import Record
from streams.engine.inputs import FetchedBatch
from streams.engine.transport import batches, raw_topics, versions_differ
from tests.support.stack import create_topics

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
HEADERS = (("id", b"x"), ("id", b"\x00\xff"), ("empty", b""))


@dataclass(frozen=True)
class Fetching:
    """A topic of one partition, and how it is read."""

    broker: str
    topic: str
    raw: bool

    def read(self, position: int, last: int) -> list[FetchedBatch]:
        """The batches from ``position`` on until offset ``last`` is covered."""
        return asyncio.run(self._read(position, last))

    async def _read(self, position: int, last: int) -> list[FetchedBatch]:
        here = TopicPartition(self.topic, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker, isolation_level="read_committed", fetch_max_wait_ms=100
        )
        await consumer.start()
        try:
            consumer.assign([here])
            consumer.seek(here, position)
            found: list[FetchedBatch] = []
            while not found or found[-1].last < last:
                fetched = await asyncio.wait_for(consumer.getmany(timeout_ms=500), 10)
                found += batches(TP(*here), fetched.get(here, []), 0)
            return found
        finally:
            await consumer.stop()


@pytest.fixture(params=["raw", "plain"])
def fetching(broker: str, request: pytest.FixtureRequest) -> Iterator[Fetching]:
    """A fresh topic with the settings of the interaction topics."""
    topic = f"f-{uuid.uuid4().hex[:12]}"
    create_topics(broker, {topic: 1}, Topic.LIKE.settings.config())
    if request.param == "raw":
        raw_topics.add(topic)
    yield Fetching(broker, topic, request.param == "raw")
    raw_topics.discard(topic)


def some(count: int, start: int = 0) -> list[Record]:
    """Records with and without key, value and headers."""
    return [
        Record(
            number,
            1_700_000_000_000 + number,
            None if number % 5 == 1 else b"k%d" % number,
            None if number % 10 == 2 else b"value %d " % number * (number % 30),
            HEADERS if number % 11 == 3 else (),
        )
        for number in range(start, start + count)
    ]


def publish(producer: confluent_kafka.Producer, topic: str, records: list[Record]) -> None:
    for _, timestamp, key, value, headers in records:
        producer.produce(topic, value, key, 0, timestamp=timestamp, headers=list(headers))


def by_confluent(broker: str, topic: str, codec: str, records: list[Record]) -> None:
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker, "compression.type": codec, "batch.num.messages": 100}
    )
    publish(producer, topic, records)
    assert producer.flush(20) == 0


def by_kafka_python(broker: str, topic: str, codec: str, records: list[Record]) -> None:
    compression = None if codec == "none" else codec
    options: dict[str, Any] = {"compression_type": compression, "batch_size": 4000, "acks": "all"}
    with closing(KafkaProducer(bootstrap_servers=broker, linger_ms=20, **options)) as producer:
        for _, timestamp, key, value, headers in records:
            producer.send(topic, value, key, list(headers), 0, timestamp)
        producer.flush()


def contents(found: list[FetchedBatch]) -> list[Record]:
    return [record for batch in found for record in batch.records]


def check_coverage(fetching: Fetching, found: list[FetchedBatch], position: int) -> None:
    """Raw batches begin where the ones before them ended."""
    assert all(batch.exact is fetching.raw for batch in found)
    if fetching.raw:
        assert [b.first for b in found] == [position, *(b.last + 1 for b in found[:-1])]


def test_raw_fetches_are_read_with_these_versions_of_the_libraries() -> None:
    assert versions_differ() == ""


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("publish_by", [by_confluent, by_kafka_python])
def test_every_codec_from_the_middle_of_a_batch_on(
    fetching: Fetching, codec: str, publish_by: Any
) -> None:
    records = some(600)
    publish_by(fetching.broker, fetching.topic, codec, records)
    for position in (0, 17):
        found = fetching.read(position, 599)
        check_coverage(fetching, found, position)
        assert contents(found) == records[position:]


def transactional(broker: str) -> confluent_kafka.Producer:
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker, "transactional.id": uuid.uuid4().hex, "linger.ms": 0}
    )
    producer.init_transactions(30)
    return producer


def test_only_what_was_committed_is_read(fetching: Fetching, request: Any) -> None:
    if "embedded" in request.node.callspec.id:
        pytest.skip("transactions are Apache Kafka's")
    one, two = transactional(fetching.broker), transactional(fetching.broker)
    wanted: list[Record] = []
    offset = 0
    for round_ in range(3):
        # 4 records of each, interleaved, then two markers; the first producer aborts at times.
        for producer in (one, two):
            producer.begin_transaction()
        for step in range(4):
            producer, kept = (one, round_ != 1) if step % 2 else (two, True)
            records = some(2, offset)
            publish(producer, fetching.topic, records)
            producer.flush(10)
            wanted += records if kept else []
            offset += 2
        two.commit_transaction(30)
        if round_ == 1:
            one.abort_transaction(30)
        else:
            one.commit_transaction(30)
        offset += 2
    by_confluent(fetching.broker, fetching.topic, "zstd", some(5, offset))
    found = fetching.read(0, offset + 4)
    check_coverage(fetching, found, 0)
    assert contents(found) == wanted + some(5, offset)
    if fetching.raw:
        [last] = fetching.read(offset - 1, offset - 1)[:1]
        assert last.first == offset - 1
