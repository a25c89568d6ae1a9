"""The metrics that the score worker and the sink have in common."""

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from schemas.topics import Topic
from streams.metrics.histogram import BatchHistogram
from streams.metrics.latency import Latency
from streams.metrics.reading import Reading

WEIGH, SCORE, SINK = "weigh", "score", "sink"
EMIT, CHECKPOINT, INSERT = "emit", "checkpoint", "insert"
"""Stages: what a worker does with its time."""

UNREADABLE: Final = "unreadable"
"""Outcome of a record that is not what its topic holds."""

_MS: Final = 1000.0
_LATENCY: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
DURATION: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCH: Final = (1, 10, 50, 100, 500, 1_000, 2_000, 4_000, 8_000, 20_000, 50_000, 200_000)


class WorkerMetrics:
    """Every metric of both: what it means, and what to do about its value."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        """``now``: wall time in seconds since 1970."""
        self.registry = registry
        self.events = Counter(
            "renown_events",
            "Interactions, rows or records that a stage has dealt with, by what became of them; at "
            "stage score rows if applied, else whole frames. If low: see renown_consumer_lag; with "
            "a lag the worker is too slow or stuck, without one look at the agents.",
            ["stage", "topic", "outcome"],
            registry=registry,
        )
        latency = BatchHistogram(
            "renown_event_latency_seconds",
            "Time from the event itself, or from when an agent received it, to the end of a stage; "
            "a replay of history shows its age. If high: the first stage where it is high has the "
            "cause; see its renown_consumer_lag and renown_stage_seconds_total.",
            ["stage", "since"],
            buckets=_LATENCY,
            scale=_MS,
            registry=registry,
        )
        self.latency = Latency(latency, now)
        self.consumer_lag = Reading(
            "renown_consumer_lag",
            "Records of a partition that the broker holds and this worker has not applied; of no "
            "use while the broker is away (see renown_group_lag). If high and not falling: start "
            "another worker, or see which stage of renown_stage_seconds_total takes the time.",
            ["stage", "topic", "partition"],
            registry=registry,
        )
        self.batch_events = BatchHistogram(
            "renown_batch_events",
            "Events, rows or records that were dealt with at once. If low under load: the worker "
            "is waiting for the broker or for ClickHouse; look at these first.",
            ["stage"],
            buckets=_BATCH,
            registry=registry,
        )
        self.stage_seconds = Counter(
            "renown_stage_seconds",
            "Time spent in a stage; of checkpoints and inserts also the time they waited for an "
            "answer. If one of weigh, score and emit grows by nearly 1 a second: the worker has "
            "reached what one core can do; start another.",
            ["stage"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "renown_dead_letters",
            "Records that could not be used and were set aside, by reason. If it grows: renown "
            "dead-letters list shows them with their place; repair whoever publishes them.",
            ["reason"],
            registry=registry,
        )
        self.rebalances = Reading(
            "renown_rebalances",
            "Times that the group distributed its partitions anew; each stops the flow for a "
            "moment. If it grows though no worker comes or goes: workers miss their sessions; "
            "give them more CPU or raise RENOWN_SESSION_SECONDS.",
            counter=True,
            registry=registry,
        )
        self.holes = Counter(
            "renown_holes",
            "Frames that were passed over because frames before them were missing; their source "
            "sends both again. If it grows and does not stop: events are lost between weigh and "
            "here; find the frame in the worker's log and run renown doctor.",
            ["stage"],
            registry=registry,
        )

    def expect(self, stage: str, topics: Iterable[Topic], outcomes: Iterable[str]) -> None:
        """Let what a stage counts start at 0 rather than with its first event."""
        self.batch_events.labels(stage)
        self.latency.expect(stage)
        for topic, outcome in product(topics, outcomes):
            self.events.labels(stage, topic.value, outcome)

    def count(self, stage: str, topic: Topic, outcomes: Mapping[str, int]) -> None:
        """Add to the events of a stage, outcome → number."""
        for outcome, number in outcomes.items():
            if number:
                self.events.labels(stage, topic.value, outcome).inc(number)

    def dealt_with(self, stage: str, number: int, seconds: float) -> None:
        """A stage has dealt with a batch of so many events, rows or records."""
        self.batch_events.labels(stage).observe(number)
        self.stage_seconds.labels(stage).inc(seconds)
