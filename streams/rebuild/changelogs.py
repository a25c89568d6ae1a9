"""The changelogs as a rebuild meets them: nobody may own them, and then whole states go in."""

import secrets
from typing import Any, Final, Self

import cramjam
import msgspec
from confluent_kafka import KafkaError as DeliveryError
from confluent_kafka import KafkaException, Message, Producer
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from config.broker import kafka_python_options, librdkafka_options, log_ends
from config.errors import RenownError, Unreachable
from config.settings import Settings
from schemas.topics import LARGEST_RECORD, Topic
from streams.engine.changelog import Owner, Recovered, checkpoint_records, fence, recover

CHANGELOGS: Final = (Topic.WEIGH_CHANGELOG, Topic.SCORE_CHANGELOG)
_IDLE: Final = frozenset({"Empty", "Dead", ""})
_SECONDS: Final = 60.0


class Changelogs:
    """Reads and writes the changelogs of all partitions; use it as a context.

    Every method raises ``Unreachable`` if the broker does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._where = settings.kafka
        self._markers: list[tuple[Topic, int, bytes]] = []
        self._failed: list[str] = []
        options = kafka_python_options(settings)
        try:
            self._admin = KafkaAdminClient(**options)
            self._consumer = KafkaConsumer(
                **options, enable_auto_commit=False, max_partition_fetch_bytes=LARGEST_RECORD
            )
        except KafkaError as error:
            raise self._away(error) from error
        self._producer = Producer(
            {
                **librdkafka_options(settings),
                "enable.idempotence": True,
                "acks": "all",
                "message.max.bytes": LARGEST_RECORD,
                "delivery.timeout.ms": int(_SECONDS * 1000),
            }
        )

    def __enter__(self) -> Self:
        """The changelogs themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._admin.close()
        self._consumer.close()
        self._producer.flush(0)

    def check_idle(self, groups: list[str]) -> None:
        """Raise ``RenownError`` if a worker of one of the groups runs."""
        try:
            known = {group["group_id"] for group in self._admin.list_groups()}
            found = self._admin.describe_groups([group for group in groups if group in known])
        except KafkaError as error:
            raise self._away(error) from error
        for name, group in found.items():
            if group.get("members") or group.get("group_state", "") not in _IDLE:
                raise RenownError(
                    f"workers of {name} run on {self._where}: stop them (and renown up) first, "
                    "then run renown rebuild"
                )

    def read(self, topic: Topic, partition: int) -> Recovered:
        """What a changelog says."""
        tp = TopicPartition(topic.value, partition)
        records: dict[int, bytes] = {}
        try:
            end = log_ends(self._consumer, [tp])[tp]
            start = self._consumer.beginning_offsets([tp])[tp]
            if start < end:
                self._consumer.assign([tp])
                self._consumer.seek(tp, start)
            while start + len(records) < end:
                if not (found := self._consumer.poll(timeout_ms=int(_SECONDS * 1000))):
                    raise Unreachable(f"{topic.value} {partition} cannot be read to its end")
                records.update((record.offset, record.value) for record in found[tp])
        except KafkaError as error:
            raise self._away(error) from error
        return recover(records)

    def beginnings(self, topic: Topic, partitions: int) -> dict[int, int]:
        """Partition → the first offset that ``topic`` still holds."""
        tps = [TopicPartition(topic.value, partition) for partition in range(partitions)]
        try:
            return {tp.partition: at for tp, at in self._consumer.beginning_offsets(tps).items()}
        except KafkaError as error:
            raise self._away(error) from error

    def write(
        self, topic: Topic, partition: int, snapshot: dict[str, Any], found: Recovered, epoch: int
    ) -> int:
        """Write a state as its next owner would, but for the marker; returns its size in bytes.

        ``found``: what the changelog held until now. It counts only after ``commit``.
        """
        owner = Owner(secrets.token_bytes(16), max(epoch, found.epoch + 1))
        body = pack_state(snapshot)
        parts, marker = checkpoint_records(owner, 0, body)
        for record in (fence(owner, found.last_offset), *parts):
            self._send(topic, partition, record)
        self._flush()
        self._markers.append((topic, partition, marker))
        return len(body)

    def commit(self) -> None:
        """Make everything count that was written."""
        for topic, partition, marker in self._markers:
            self._send(topic, partition, marker)
        self._flush()
        self._markers.clear()

    def _send(self, topic: Topic, partition: int, record: bytes) -> None:
        while True:
            try:
                self._producer.produce(
                    topic.value, record, partition=partition, on_delivery=self._delivered
                )
                return
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise self._away(error) from error

    def _delivered(self, error: DeliveryError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error.str())

    def _flush(self) -> None:
        if self._producer.flush(_SECONDS) or self._failed:
            raise self._away(self._failed[0] if self._failed else "no acknowledgement")

    def _away(self, error: object) -> Unreachable:
        return Unreachable(
            f"Kafka at {self._where} does not answer ({error}): start it or correct RENOWN_KAFKA, "
            "then run renown rebuild again"
        )


def pack_state(snapshot: dict[str, Any]) -> bytes:
    """A snapshot as the body of a checkpoint."""
    return bytes(cramjam.zstd.compress(msgspec.msgpack.encode(snapshot), 1))


def unpack_state(body: bytes) -> dict[str, Any]:
    """The inverse of ``pack_state``."""
    snapshot: dict[str, Any] = msgspec.msgpack.decode(bytes(cramjam.zstd.decompress(body)))
    return snapshot
