"""The last records of topics, read from outside any group."""

import time
from collections.abc import Mapping
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from config.broker import kafka_python_options, log_ends
from config.errors import Unreachable
from config.settings import Settings
from schemas.frames import decode_frame
from schemas.topics import Topic

_PATIENCE_SECONDS: Final = 5.0
_FETCH_BYTES: Final = 8 * 1024 * 1024
"""Larger than any record, so that each fetch brings at least one."""


class TopicTails:
    """Reads the ends of topics; use it as a context.

    Raises ``Unreachable`` if no broker answers.
    """

    def __init__(self, settings: Settings) -> None:
        self._where = settings.kafka
        self._partitions = settings.partitions
        try:
            self._consumer = KafkaConsumer(
                **kafka_python_options(settings),
                enable_auto_commit=False,
                fetch_max_wait_ms=20,
                max_partition_fetch_bytes=_FETCH_BYTES,
                enable_incremental_fetch_sessions=False,
            )
        except KafkaError as error:
            raise self._away(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def ends(self, topic: Topic) -> dict[TopicPartition, int]:
        """The next offset to be written of each partition of ``topic``."""
        partitions = [TopicPartition(topic.value, number) for number in range(self._partitions)]
        try:
            return log_ends(self._consumer, partitions)
        except KafkaError as error:
            raise self._away(error) from error

    def read(self, ends: Mapping[TopicPartition, int], count: int) -> list[Any]:
        """The last ``count`` records of each partition whose end is in ``ends``, or fewer.

        Records that a compaction has taken away are not made up for; a partition that gives
        nothing for five seconds is passed over.
        """
        waited_for = {tp: end for tp, end in ends.items() if end}
        records: list[Any] = []
        try:
            self._consumer.unsubscribe()
            self._consumer.assign(sorted(waited_for))
            for tp, end in waited_for.items():
                self._consumer.seek(tp, max(0, end - count))
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while waited_for and time.monotonic() < deadline:
                for tp, batch in self._consumer.poll(timeout_ms=50).items():
                    records += [record for record in batch if record.offset < ends[tp]]
                for tp in list(waited_for):
                    if self._consumer.position(tp) >= waited_for[tp]:
                        del waited_for[tp]
        except KafkaError as error:
            raise self._away(error) from error
        return records

    def _away(self, error: KafkaError) -> Unreachable:
        return Unreachable(
            f"Kafka at {self._where} does not answer ({error!r}): start it or correct RENOWN_KAFKA"
        )


def newest_clock(tails: TopicTails, ends: Mapping[TopicPartition, int]) -> int:
    """The highest event time in ms that the last frames of ``weighed`` tell; 0 without frames."""
    clock = 0
    for record in tails.read(ends, 1):
        try:
            clock = max(clock, decode_frame(record.value or b"").header.clock)
        except ValueError:
            continue  # not of this version: its readers tell
    return clock
