"""The changelogs as a rebuild meets them: nobody may own them, and then whole states go in."""

import logging
import secrets
import time
from typing import Final, Self

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from config.broker import kafka_python_options, librdkafka_options, log_ends
from config.errors import RenownError, Unreachable
from config.logging import CLIENT_LOGGER
from config.settings import Settings
from schemas.topics import LARGEST_RECORD, Topic
from streams.engine.changelog import (
    ChangelogError,
    Owner,
    Recovered,
    checkpoint_records,
    fence,
    recover,
)
from streams.engine.checkpoint_files import CheckpointFiles
from streams.engine.snapshots import Snapshot, pack, unpack
from streams.engine.statelog import PartitionState

CHANGELOGS: Final = (Topic.WEIGH_CHANGELOG, Topic.SCORE_CHANGELOG)
_NAMES: Final = " and ".join(topic.value for topic in CHANGELOGS)
_IDLE: Final = (
    ConsumerGroupState.EMPTY,
    ConsumerGroupState.DEAD,
    ConsumerGroupState.UNKNOWN,
)
_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.2
_FETCH_BYTES: Final = 16 << 20


class Changelogs:
    """Reads and writes the changelogs of all partitions; use it as a context.

    Every method raises ``Unreachable`` if the broker does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._where = settings.kafka
        self._connection = librdkafka_options(settings)
        self._session_seconds = settings.session_seconds
        self._files = {t: CheckpointFiles(settings.checkpoint_dir, t.value) for t in CHANGELOGS}
        self._markers: list[tuple[Topic, int, bytes]] = []
        options = kafka_python_options(settings)
        try:
            self._consumer = KafkaConsumer(
                **options,
                enable_auto_commit=False,
                max_partition_fetch_bytes=_FETCH_BYTES,
                fetch_max_wait_ms=20,
                # In a session a broker leaves out what did not change, the high watermark included.
                enable_incremental_fetch_sessions=False,
            )
            self._producer = KafkaProducer(
                **options, acks="all", enable_idempotence=True, max_request_size=LARGEST_RECORD
            )
        except KafkaError as error:
            raise self._away(error) from error

    def __enter__(self) -> Self:
        """The changelogs themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._consumer.close()
        self._producer.close(0)

    def check_idle(self, groups: list[str]) -> None:
        """Raise ``RenownError`` if a worker of one of the groups runs.

        One that ended without a word is still known for as long as its session lasts.
        """
        # Of the clients only this one tells it of the embedded broker's groups too.
        admin = AdminClient(self._connection, logger=logging.getLogger(CLIENT_LOGGER))
        deadline = time.monotonic() + self._session_seconds + _GRACE_SECONDS
        while busy := self._busy(admin, groups):
            if time.monotonic() > deadline:
                raise RenownError(
                    f"workers of {busy[0]} run on {self._where}: stop them (and renown up) first, "
                    "then run renown rebuild"
                )
            time.sleep(_LOOK_SECONDS)

    def _busy(self, admin: AdminClient, groups: list[str]) -> list[str]:
        try:
            asked = admin.describe_consumer_groups(groups, request_timeout=_SECONDS)
            found = {name: future.result() for name, future in asked.items()}
        except KafkaException as error:
            raise self._away(error) from error
        return [name for name, g in found.items() if g.members or g.state not in _IDLE]

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
        try:
            return recover(records)
        except ChangelogError as error:
            raise RenownError(
                f"{topic.value} partition {partition} is damaged ({error}): delete the topics "
                f"{_NAMES} and run renown rebuild again"
            ) from error

    def snapshots(self, topic: Topic, partition: int, found: Recovered) -> list[Snapshot]:
        """The snapshots of a changelog's state; ``RenownError`` if one is damaged."""
        files = self._files[topic]
        try:
            return [unpack(files.get(kept.body), kept.version) for kept in found.checkpoints]
        except ChangelogError as error:
            raise RenownError(
                f"the state of {topic.value} partition {partition} cannot be read ({error}): "
                f"restore it, or delete the topics {_NAMES} and run renown rebuild again"
            ) from error

    def beginnings(self, topic: Topic, partitions: int) -> dict[int, int]:
        """Partition → the first offset that ``topic`` still holds."""
        tps = [TopicPartition(topic.value, partition) for partition in range(partitions)]
        try:
            return {tp.partition: at for tp, at in self._consumer.beginning_offsets(tps).items()}
        except KafkaError as error:
            raise self._away(error) from error

    def write(
        self,
        topic: Topic,
        partition: int,
        state: PartitionState,
        found: Recovered,
        epoch: int,
        partitions: int,
    ) -> int:
        """Write a state as its next owner would, but for the marker; returns its size in bytes.

        ``found``: what the changelog held until now. It counts only after ``commit``.
        """
        owner = Owner(secrets.token_bytes(16), max(epoch, found.epoch + 1))
        body = pack(state.snapshot(0), state.positions(), partitions)
        held = self._files[topic].put(partition, owner, 0, body)
        parts, marker = checkpoint_records(owner, 0, held)
        fenced = fence(owner, found.last_offset)
        self._send([(topic, partition, record) for record in (fenced, *parts)])
        self._markers.append((topic, partition, marker))
        return len(body)

    def commit(self) -> None:
        """Make everything count that was written."""
        self._send(self._markers)
        self._markers.clear()

    def _send(self, records: list[tuple[Topic, int, bytes]]) -> None:
        """Send records in order; returns when the broker has all of them."""
        try:
            sent = [
                self._producer.send(topic.value, record, partition=partition)
                for topic, partition, record in records
            ]
            for each in sent:
                each.get(_SECONDS)
        except KafkaError as error:
            raise self._away(error) from error

    def _away(self, error: object) -> Unreachable:
        return Unreachable(
            f"Kafka at {self._where} does not answer ({error}): start it or correct RENOWN_KAFKA, "
            "then run renown rebuild again"
        )
