"""What the project needs of a broker: the embedded one and Apache Kafka must both keep it."""

import asyncio
import uuid
from contextlib import closing
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import TopicAlreadyExistsError

from schemas.topics import LARGEST_RECORD, Topic
from tests.support.stack import create_topics, log_ends, read_topic

PARTITIONS = 3
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture
def topic(broker: str) -> str:
    """A fresh topic of ``PARTITIONS`` partitions, with the settings of the interaction topics."""
    name = f"t-{uuid.uuid4().hex[:12]}"
    create_topics(broker, {name: PARTITIONS}, Topic.LIKE.settings.config())
    return name


def produce(broker: str, topic: str, count: int, **options: Any) -> None:
    """Records "0", "1", … over the partitions in turn, acknowledged by the broker."""
    options = {"acks": "all", "enable_idempotence": True, "linger_ms": 20} | options
    with closing(KafkaProducer(bootstrap_servers=broker, **options)) as producer:
        sent = [
            producer.send(topic, value=b"%d" % number, partition=number % PARTITIONS)
            for number in range(count)
        ]
        producer.flush()
        for future in sent:
            future.get(10)


def test_records_come_back_in_order_with_all_they_carry(broker: str, topic: str) -> None:
    headers = [("id", b"x"), ("id", b"\x00\xff"), ("empty", b"")]
    with closing(KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=20)) as producer:
        for number in range(3000):
            producer.send(
                topic,
                key=None if number % 7 == 1 else b"k%d" % number,
                value=None if number % 7 == 0 else b"v%d" % number,
                headers=headers,
                partition=number % PARTITIONS,
                timestamp_ms=1_341_100_800_000 + number,
            )
        producer.flush()
    records = read_topic(broker, topic)
    assert len(records) == 3000
    for index, record in enumerate(records):
        partition, offset = divmod(index, 1000)
        number = offset * PARTITIONS + partition
        assert (record.partition, record.offset) == (partition, offset)
        assert record.key == (None if number % 7 == 1 else b"k%d" % number)
        assert record.value == (None if number % 7 == 0 else b"v%d" % number)
        assert list(record.headers) == headers
        assert (record.timestamp_type, record.timestamp) == (0, 1_341_100_800_000 + number)


@pytest.mark.parametrize("idempotent", [False, True])
def test_kafka_python_delivers_each_record_once(broker: str, topic: str, idempotent: bool) -> None:
    for codec in (None, "gzip"):
        produce(broker, topic, 600, enable_idempotence=idempotent, compression_type=codec)
    assert log_ends(broker, topic) == dict.fromkeys(range(PARTITIONS), 400)
    assert len(read_topic(broker, topic)) == 1200


@pytest.mark.parametrize("codec", CODECS)
def test_librdkafka_delivers_each_record_once_in_every_codec(
    broker: str, topic: str, codec: str
) -> None:
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": broker,
            "enable.idempotence": True,
            "compression.type": codec,
            "linger.ms": 20,
        }
    )
    for number in range(1500):
        producer.produce(topic, value=b"value %d" % number, partition=number % PARTITIONS)
    assert producer.flush(15) == 0
    values = asyncio.run(_read_all(broker, topic, 1500))
    for partition in range(PARTITIONS):
        expected = [b"value %d" % number for number in range(partition, 1500, PARTITIONS)]
        assert values[partition] == expected


async def _read_all(broker: str, topic: str, count: int) -> dict[int, list[bytes]]:
    values: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}
    async with AIOKafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False) as consumer:
        parts = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        consumer.assign(parts)
        for part in parts:
            consumer.seek(part, 0)
        async with asyncio.timeout(20):
            while sum(map(len, values.values())) < count:
                for part, records in (await consumer.getmany(timeout_ms=200)).items():
                    values[part.partition] += [record.value for record in records]
    return values


@pytest.mark.parametrize("offset", [0, 1, 137, 332])
def test_reading_starts_at_any_offset_even_within_a_batch(
    broker: str, topic: str, offset: int
) -> None:
    produce(broker, topic, 999, linger_ms=200)

    async def first() -> int:
        async with AIOKafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False) as consumer:
            part = TopicPartition(topic, 1)
            consumer.assign([part])
            consumer.seek(part, offset)
            async with asyncio.timeout(20):
                return int((await consumer.getone()).offset)

    assert asyncio.run(first()) == offset


def test_a_fetch_tells_where_the_log_ends(broker: str, topic: str) -> None:
    assert log_ends(broker, topic) == dict.fromkeys(range(PARTITIONS), 0)
    total = 0
    for count in (1, 3, 300, 4000):
        produce(broker, topic, count * PARTITIONS)
        total += count
        assert log_ends(broker, topic) == dict.fromkeys(range(PARTITIONS), total)


@pytest.mark.parametrize("size", [2_000_000, LARGEST_RECORD - 1024])
def test_large_records_pass(broker: str, topic: str, size: int) -> None:
    body = bytes(range(256)) * (size // 256)
    with closing(
        KafkaProducer(
            bootstrap_servers=broker,
            acks="all",
            enable_idempotence=True,
            max_request_size=2 * LARGEST_RECORD,
        )
    ) as producer:
        producer.send(topic, value=body, partition=0).get(15)
        producer.send(topic, value=b"after", partition=0).get(15)
    assert [record.value for record in read_topic(broker, topic)] == [body, b"after"]


def test_a_topic_is_made_once_and_cluster_and_topics_have_an_identity(
    broker: str, topic: str
) -> None:
    with pytest.raises(TopicAlreadyExistsError):
        create_topics(broker, {topic: PARTITIONS})
    with closing(KafkaAdminClient(bootstrap_servers=broker)) as admin:
        assert admin.describe_cluster()["cluster_id"]
        (found,) = admin.describe_topics([topic])
        assert found["topic_id"]
        assert topic in admin.list_topics()
