"""The embedded broker forgets a partition's records, and nothing else."""

import uuid
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from config.broker import ensure_topics
from config.errors import Unreachable
from config.settings import load_settings
from renown.embedded.broker import EmbeddedBroker
from renown.embedded.forgetting import forget
from renown.embedded.process import free_port
from renown.lag import GroupOffsets
from renown.run.supervision import resident_bytes
from schemas.topics import Topic
from tests.support.stack import create_topics, wait_until


def publish(producer: KafkaProducer, topic: str, partition: int, values: list[bytes]) -> list[int]:
    sent = [producer.send(topic, value, partition=partition) for value in values]
    producer.flush()
    return [future.get(10).offset for future in sent]


def resident(broker: EmbeddedBroker) -> int:
    """Megabytes of memory that the broker holds."""
    held = resident_bytes(broker.pid or 0)
    assert held is not None
    return held // 2**20


def test_one_partition_is_forgotten_its_offsets_go_on_and_readers_stay() -> None:
    with EmbeddedBroker() as broker:
        topic = f"f-{uuid.uuid4().hex[:8]}"
        create_topics(broker.address, {topic: 2, f"{topic}0": 1})
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        with (
            closing(
                KafkaProducer(bootstrap_servers=broker.address, enable_idempotence=True)
            ) as producer,
            closing(
                KafkaConsumer(
                    bootstrap_servers=broker.address, group_id="g", enable_auto_commit=False
                )
            ) as reader,
        ):
            publish(producer, topic, 0, [b"old"] * 5)
            publish(producer, topic, 1, [b"other"])
            publish(producer, f"{topic}0", 0, [b"other topic"])
            reader.assign([first])
            reader.seek(first, 0)
            wait_until(
                lambda: reader.poll(100) and reader.position(first) == 5, 10, "the old records"
            )
            reader.commit()

            for _ in range(2):  # also where nothing is left to forget
                forget(broker.address, [(topic, 0)])

            assert publish(producer, topic, 0, [b"new"]) == [5]
            got = [r for _ in range(20) for rs in reader.poll(50).values() for r in rs]
            assert [(r.offset, r.value) for r in got] == [(5, b"new")]
            assert reader.committed(first) == 5
            reader.seek(first, 0)
            wait_until(
                lambda: reader.poll(100) and reader.position(first) == 6, 10, "the new record"
            )
            reader.assign([second])
            reader.seek(second, 0)
            wait_until(lambda: bool(reader.poll(100)), 10, "the records of another partition")
            rest = TopicPartition(f"{topic}0", 0)
            reader.assign([rest])
            reader.seek(rest, 0)
            wait_until(lambda: bool(reader.poll(100)), 10, "the records of another topic")


def test_what_a_stranger_lost_is_known() -> None:
    topic = Topic.LIKE.value
    with EmbeddedBroker() as broker:
        settings = load_settings(_env_file=None, kafka=broker.address)
        ensure_topics(settings)
        with (
            closing(KafkaProducer(bootstrap_servers=broker.address)) as producer,
            GroupOffsets(settings) as offsets,
        ):
            publish(producer, topic, 0, [b"read"] * 5)
            ends = {TopicPartition(topic, 0): 5}
            publish(producer, topic, 0, [b"too late"] * 2)
            forget(broker.address, [(topic, 0)])
            assert offsets.missing_from(ends) == {TopicPartition(topic, 0): 2}
            assert offsets.missing_from({TopicPartition(topic, 0): 7}) == {}
            publish(producer, topic, 0, [b"in time"])
            assert offsets.missing_from({TopicPartition(topic, 0): 7}) == {}
            assert offsets.missing_from(ends) == {TopicPartition(topic, 0): 2}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_comes_back() -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, {"filled": 1})
        with closing(KafkaProducer(bootstrap_servers=broker.address)) as producer:
            empty = resident(broker)
            publish(producer, "filled", 0, [bytes(500_000) for _ in range(80)])
            assert resident(broker) > empty + 35
            forget(broker.address, [("filled", 0)])
            wait_until(lambda: resident(broker) < empty + 15, 10, "memory to come back")


def test_without_a_broker_it_says_so() -> None:
    with pytest.raises(Unreachable, match="forgot nothing"):
        forget(f"127.0.0.1:{free_port()}", [("interactions.like", 0)])
