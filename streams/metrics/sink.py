"""The metrics of the sink, and what a flush means for them."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from schemas.frames import Columns
from schemas.topics import Topic
from streams.metrics.common import DURATION, INSERT, SINK, UNREADABLE, WorkerMetrics
from streams.metrics.histogram import BatchHistogram
from streams.metrics.reading import Reading
from streams.sinks.tables import DEAD_LETTERS, INTERACTIONS, SCORES

STORED: Final = "stored"
"""Outcome of rows."""

_OF_TOPIC: Final = {
    Topic.WEIGHED: INTERACTIONS,
    Topic.SCORES: SCORES,
    Topic.DEAD_LETTERS: DEAD_LETTERS,
}


@dataclass(slots=True)
class Flushed:
    """What one flush stored; it counts once everything in it and its progress is acknowledged.

    ``rows`` and ``unreadable``: numbers by the topic that was read; ``interactions``: columns.
    """

    rows: Tally[Topic] = field(default_factory=Tally)
    unreadable: Tally[Topic] = field(default_factory=Tally)
    interactions: list[Columns] = field(default_factory=list)


class SinkMetrics(WorkerMetrics):
    """Every metric of a sink: what it means, and what to do about its value."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        super().__init__(registry, now)
        self.rows = Counter(
            "renown_sink_rows",
            "Rows stored in a table of ClickHouse, each once. If low while the score worker is "
            "busy: see renown_clickhouse_up and renown_sink_insert_seconds.",
            ["table"],
            registry=registry,
        )
        self.insert_seconds = BatchHistogram(
            "renown_sink_insert_seconds",
            "Time that ClickHouse took for one insert. If high: ClickHouse is short of disk or "
            "CPU, or merges too many parts; look at its system.merges and system.parts.",
            ["table"],
            buckets=DURATION,
            registry=registry,
        )
        self.oldest_row_age = Reading(
            "renown_sink_oldest_row_age_seconds",
            "For how long the oldest row that the sink holds has waited to be stored; 0 if none "
            "waits. If high: see renown_clickhouse_up and renown_sink_insert_seconds.",
            registry=registry,
        )
        self.clickhouse_up = Reading(
            "renown_clickhouse_up",
            "1 while ClickHouse takes what the sink writes. If 0: start it; the sink goes on by "
            "itself and nothing is lost.",
            registry=registry,
        )
        self.expect(SINK, _OF_TOPIC, (STORED, UNREADABLE))
        for topic, table in _OF_TOPIC.items():
            self.rows.labels(table)
            self.insert_seconds.labels(table)
            self.dead_letters.labels(f"unreadable {topic.value}")
        self.holes.labels(SINK)
        self.stage_seconds.labels(INSERT)

    @contextmanager
    def insert(self, table: str) -> Iterator[None]:
        """Around an insert; one that fails took its time too."""
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            self.insert_seconds.labels(table).observe(seconds)
            self.stage_seconds.labels(INSERT).inc(seconds)

    def flushed(self, flush: Flushed) -> None:
        """A flush is acknowledged."""
        for topic, number in flush.rows.items():
            self.count(SINK, topic, {STORED: number})
            self.rows.labels(_OF_TOPIC[topic]).inc(number)
        for topic, number in flush.unreadable.items():
            self.count(SINK, topic, {UNREADABLE: number})
            self.dead_letters.labels(f"unreadable {topic.value}").inc(number)
            self.rows.labels(DEAD_LETTERS).inc(number)
        self.latency.observe(SINK, flush.interactions)
        self.batch_events.labels(SINK).observe(flush.rows.total() + flush.unreadable.total())
