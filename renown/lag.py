"""How far consumer groups are behind the ends of their topics, seen from outside."""

import logging
import time
from collections.abc import Iterable
from typing import Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from config.broker import high_watermarks, kafka_python_options, log_ends
from config.errors import Unreachable
from config.settings import Settings
from schemas.topics import Topic
from streams.groups import SCORE_GROUP, SCORE_TOPICS, SINK_GROUP, SINK_TOPICS

log = logging.getLogger("renown.lag")

GROUPS: Final[dict[str, tuple[Topic, ...]]] = {SCORE_GROUP: SCORE_TOPICS, SINK_GROUP: SINK_TOPICS}

Offsets = dict[TopicPartition, int]

_READ_SECONDS: Final = 2.0


class GroupOffsets:
    """The offsets that groups have committed, and the ends of the topics; use it as a context.

    A worker commits what is checkpointed (score) or stored (sink), so what it has applied since
    still counts as behind. Raises ``Unreachable`` where no broker answers.
    """

    def __init__(self, settings: Settings) -> None:
        options = kafka_python_options(settings)
        self._where = settings.kafka
        self._partitions = settings.partitions
        try:
            self._admin = KafkaAdminClient(**options)
            self._consumer = KafkaConsumer(
                **options,
                enable_auto_commit=False,
                fetch_max_wait_ms=20,
                # In a session a broker leaves out what did not change, the high watermark included.
                enable_incremental_fetch_sessions=False,
            )
        except KafkaError as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def committed(self, group: str) -> Offsets:
        """Next offset of each partition that ``group`` has committed."""
        try:
            found = self._admin.list_group_offsets([group])[group]
        except KafkaError as error:
            # The coordinator is not there yet, or is moving. Nothing known counts as nothing done.
            log.debug("no committed offsets of %s: %r", group, error)
            return {}
        return {tp: entry.offset for tp, entry in found.items()}

    def ends(self, topics: Iterable[Topic]) -> Offsets:
        """The next offset to be written of each partition of ``topics``."""
        try:
            return log_ends(self._consumer, set(self.partitions(topics)))
        except KafkaError as error:
            raise self._away(error) from error

    def missing_from(self, ends: Offsets) -> Offsets:
        """Of the records at or after ``ends`` (above 0), how many cannot be read, where any.

        Raises ``Unreachable`` after 15 s without an answer.
        """
        marks = high_watermarks(self._consumer, ends)
        grown = {tp: mark for tp, mark in marks.items() if mark > ends[tp]}
        if not grown:
            return {}
        for tp in grown:
            self._consumer.seek(tp, ends[tp])
        first: Offsets = {}
        deadline = time.monotonic() + _READ_SECONDS
        while first.keys() < grown.keys() and time.monotonic() < deadline:
            for tp, records in self._consumer.poll(timeout_ms=50).items():
                first.setdefault(tp, records[0].offset)
        missing = {tp: first.get(tp, mark) - ends[tp] for tp, mark in grown.items()}
        return {tp: count for tp, count in missing.items() if count}

    def partitions(self, topics: Iterable[Topic]) -> list[TopicPartition]:
        """All partitions of ``topics``."""
        return [
            TopicPartition(topic.value, number)
            for topic in topics
            for number in range(self._partitions)
        ]

    def lag(self) -> dict[tuple[str, Topic], int]:
        """(group, topic) → records behind, for every group of ours and topic that it reads."""
        committed = {group: self.committed(group) for group in GROUPS}
        ends = self.ends({topic for topics in GROUPS.values() for topic in topics})
        return {
            (group, topic): behind(committed[group], ends, self.partitions([topic]))
            for group, topics in GROUPS.items()
            for topic in topics
        }

    def _away(self, error: KafkaError) -> Unreachable:
        return Unreachable(
            f"Kafka at {self._where} does not answer ({error!r}): start it or correct RENOWN_KAFKA"
        )


def behind(committed: Offsets, ends: Offsets, partitions: Iterable[TopicPartition]) -> int:
    """Records of ``partitions`` between what is committed and the end."""
    return sum(max(0, ends[tp] - max(0, committed.get(tp, 0))) for tp in partitions)
