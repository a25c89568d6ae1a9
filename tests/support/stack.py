"""What tests do with brokers again and again."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.consumer.fetcher import ConsumerRecord

from renown.embedded.process import free_port

__all__ = ["create_topics", "free_port", "log_ends", "read_topic", "wait_until"]

_POLL_MS = 200
_FETCH_BYTES = 8 << 20


def wait_until(predicate: Callable[[], object], timeout: float, what: str) -> None:
    """Ask until ``predicate`` is true; fails after ``timeout`` seconds naming ``what``."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.05)


def create_topics(
    address: str, topics: Mapping[str, int], config: Mapping[str, str] | None = None
) -> None:
    """Create topics, name → number of partitions, and wait until they have their leaders."""
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        admin.create_topics(
            [NewTopic(name, count, 1, topic_configs=config or {}) for name, count in topics.items()]
        )

        def led() -> bool:
            found = admin.describe_topics(list(topics))
            return all(
                topic["error_code"] == 0
                and len(topic["partitions"]) == topics[topic["name"]]
                and all(part["leader_id"] >= 0 for part in topic["partitions"])
                for topic in found
            )

        wait_until(led, 15.0, f"leaders of {', '.join(topics)}")


def log_ends(address: str, topic: str, timeout: float = 15.0) -> dict[int, int]:
    """Partition → offset after its last record.

    ListOffsets gives only a lower bound on the embedded broker; what a fetch says is right.
    """
    with closing(_consumer(address)) as consumer:
        return _log_ends(consumer, _partitions(consumer, topic), timeout)


def read_topic(address: str, topic: str, timeout: float = 30.0) -> list[ConsumerRecord]:
    """All records that are there now, partition by partition in the order of their offsets."""
    with closing(_consumer(address)) as consumer:
        partitions = _partitions(consumer, topic)
        ends = _log_ends(consumer, partitions, timeout)
        consumer.seek_to_beginning(*partitions)
        records: list[ConsumerRecord] = []
        deadline = time.monotonic() + timeout
        while any(consumer.position(part) < ends[part.partition] for part in partitions):
            for batch in consumer.poll(_POLL_MS).values():
                records += batch
            if time.monotonic() > deadline:
                raise AssertionError(f"{topic} could not be read within {timeout:g} s")
        return sorted(records, key=lambda record: (record.partition, record.offset))


def _consumer(address: str) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=address,
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
        fetch_max_wait_ms=50,
    )


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise AssertionError(f"there is no topic {topic}")
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    return partitions


def _log_ends(
    consumer: KafkaConsumer, partitions: list[TopicPartition], timeout: float
) -> dict[int, int]:
    least = consumer.end_offsets(partitions)
    first = consumer.beginning_offsets(partitions)
    ends = {part: end for part, end in least.items() if end == first[part]}
    asked = [part for part in partitions if part not in ends]
    consumer.assign(asked)
    for part in asked:
        consumer.seek(part, least[part] - 1)
    deadline = time.monotonic() + timeout
    while asked and any(consumer.highwater(part) is None for part in asked):
        consumer.poll(_POLL_MS)
        if time.monotonic() > deadline:
            raise AssertionError(f"no end of the log within {timeout:g} s")
    ends |= {part: int(consumer.highwater(part) or 0) for part in asked}
    consumer.assign(partitions)
    return {part.partition: end for part, end in ends.items()}
