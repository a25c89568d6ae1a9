"""When a run that ends has ended: all that was published is applied, emitted and stored."""

import logging
import time
from collections.abc import Callable, Iterable

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from config.broker import kafka_python_options, log_ends
from config.errors import RenownError
from config.settings import Settings
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.app import SCORE_GROUP
from streams.sink import SINK_GROUP, SINK_TOPICS

log = logging.getLogger("renown.run")

_LOOK_SECONDS = 0.25
_NO_PROGRESS_SECONDS = 180.0

Offsets = dict[TopicPartition, int]


class Completion:
    """Compares the groups' committed offsets with the ends of their topics.

    Workers commit an offset only after everything that follows from it is acknowledged and the
    state is checkpointed. So: if the score group stands at the ends of its inputs, then ``scores``
    and ``weighed`` are complete, and if after that the sink group stands at the ends of what it
    reads, everything is stored.
    """

    def __init__(self, settings: Settings) -> None:
        options = kafka_python_options(settings)
        self._admin = KafkaAdminClient(**options)
        self._consumer = KafkaConsumer(
            **options,
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
            # In a session a broker leaves out what did not change, the high watermark included.
            enable_incremental_fetch_sessions=False,
        )
        self._inputs = _partitions((*INTERACTION_TOPICS, Topic.WEIGHED), settings.partitions)
        self._outputs = _partitions(SINK_TOPICS, settings.partitions)

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()
        self._consumer.close()

    def remaining(self) -> tuple[int, int]:
        """Records still to be scored, and records still to be stored."""
        scored = self._committed(SCORE_GROUP)
        ends = log_ends(self._consumer, {*self._inputs, *self._outputs})
        to_score = _behind(scored, ends, self._inputs)
        stored = self._committed(SINK_GROUP)
        return to_score, _behind(stored, ends, self._outputs)

    def wait(
        self, playing: Callable[[], bool], meanwhile: Callable[[tuple[int, int]], None]
    ) -> None:
        """Return when nothing is played any more and nothing remains.

        ``meanwhile`` is told what remains, again and again, and may raise.

        Raises:
            RenownError: nothing moved for three minutes after the last record was played.
        """
        before, moved = (-1, -1), time.monotonic()
        while True:
            # Asked first: what was played before this moment is in the ends read after it.
            still = playing()
            now = self.remaining()
            meanwhile(now)
            if now == (0, 0) and not still:
                return
            if still or now != before:
                before, moved = now, time.monotonic()
            elif time.monotonic() - moved > _NO_PROGRESS_SECONDS:
                raise RenownError(
                    f"nothing moved for {_NO_PROGRESS_SECONDS:.0f} s with {now[0]} records to "
                    f"score and {now[1]} to store: see the workers' logs in the data folder"
                )
            time.sleep(_LOOK_SECONDS)

    def _committed(self, group: str) -> Offsets:
        try:
            found = self._admin.list_group_offsets([group])[group]
        except KafkaError as error:
            # The coordinator is not there yet, or is moving. Nothing known counts as nothing done.
            log.debug("no committed offsets of %s: %r", group, error)
            return {}
        return {tp: entry.offset for tp, entry in found.items()}


def _partitions(topics: Iterable[Topic], count: int) -> list[TopicPartition]:
    return [TopicPartition(topic.value, p) for topic in topics for p in range(count)]


def _behind(committed: Offsets, ends: Offsets, partitions: list[TopicPartition]) -> int:
    return sum(max(0, ends[tp] - max(0, committed.get(tp, 0))) for tp in partitions)
