"""Every metric of the score worker and the sink: what it means, and what to do about its value."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from schemas.frames import OUTCOMES
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.decode import Reason
from streams.core.emission import END, INTERACTION, TIME
from streams.metrics.histogram import BatchHistogram
from streams.metrics.latency import Latency
from streams.metrics.reading import Reading
from streams.sinks.tables import DEAD_LETTERS, INTERACTIONS, SCORES

WEIGH, SCORE, SINK = "weigh", "score", "sink"
EMIT, CHECKPOINT, INSERT = "emit", "checkpoint", "insert"
"""Stages: what a worker does with its time."""

APPLIED, OLD, HOLE = "applied", "old", "hole"
STORED, UNREADABLE = "stored", "unreadable"
"""Outcomes beside those of weighing."""

_OF_TOPIC: Final = {
    Topic.WEIGHED: INTERACTIONS,
    Topic.SCORES: SCORES,
    Topic.DEAD_LETTERS: DEAD_LETTERS,
}
_MS: Final = 1000.0
_LATENCY: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DURATION: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BATCH: Final = (1, 10, 50, 100, 500, 1_000, 2_000, 4_000, 8_000, 20_000, 50_000, 200_000)


class WorkerMetrics:
    """What the score worker and the sink have in common."""

    def __init__(self, registry: CollectorRegistry) -> None:
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
        self.latency = Latency(latency)
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

    def count(self, stage: str, topic: str, outcomes: Mapping[str, int]) -> None:
        """Add to the events of a stage, outcome → number."""
        for outcome, number in outcomes.items():
            if number:
                self.events.labels(stage, topic, outcome).inc(number)


class ScoreMetrics(WorkerMetrics):
    """The metrics of a score worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.duplicates = Counter(
            "renown_duplicates",
            "Interactions whose id was seen before; they count once. If it grows fast: an agent "
            "publishes again what it published; see where its cursor stands (renown agents).",
            registry=registry,
        )
        self.late = Counter(
            "renown_late",
            "Interactions older than the longest horizon when they came; they count nowhere. If "
            "it grows: an agent is far behind, or its clock is wrong; see renown agents.",
            registry=registry,
        )
        self.undo_unmatched = Counter(
            "renown_undo_unmatched",
            "Undos of interactions that are not known (any more). If it grows fast: undos come "
            "later than RENOWN_SEEN_HORIZON reaches back; raise it.",
            registry=registry,
        )
        self.accounts = Reading(
            "renown_accounts",
            "Accounts in this worker's partitions. If it grows faster than memory allows: share "
            "the partitions among more workers.",
            registry=registry,
        )
        self.state_bytes = Reading(
            "renown_state_bytes",
            "Compressed size of the last checkpoints of this worker's partitions. If high: "
            "checkpoints and recoveries take long; share the partitions among more workers.",
            ["kind"],
            registry=registry,
        )
        self.clock = Reading(
            "renown_clock_seconds",
            "Event time that a partition has reached, in seconds since 1970. If it lags behind the "
            "time of day under a live feed: see which agent is behind (renown agents).",
            ["partition"],
            registry=registry,
        )
        self.checkpoint_seconds = BatchHistogram(
            "renown_checkpoint_seconds",
            "Time that a checkpoint of one partition took until the broker had it. If high: the "
            "broker is slow, or the state is large; see renown_state_bytes.",
            ["stage"],
            buckets=_DURATION,
            registry=registry,
        )
        self.checkpoint_age = Reading(
            "renown_checkpoint_age_seconds",
            "For how long the oldest change of a state has waited for its checkpoint; 0 if none "
            "waits. If high: checkpoints do not come through, and a restart would do much again; "
            "see the worker's log and whether the broker is well.",
            ["stage"],
            registry=registry,
        )
        self.changelog_bytes = Counter(
            "renown_changelog_bytes",
            "Bytes of checkpoints sent to the broker, compressed. If it grows faster than the "
            "broker's disk allows: raise RENOWN_CHECKPOINT_SECONDS.",
            ["stage"],
            registry=registry,
        )
        self.recovery_seconds = Reading(
            "renown_recovery_seconds",
            "Time that the last recovery of states from their changelog took; nothing flows "
            "meanwhile. If high: see renown_state_bytes, and keep RENOWN_TRUNCATE_CHANGELOG on.",
            ["stage"],
            registry=registry,
        )
        self.scores_emitted = Counter(
            "renown_scores_emitted",
            "Score updates sent, by cause. If low while events are applied: see the worker's log; "
            "if high by time: many scores fade at once, which an hour's turn explains.",
            ["cause"],
            registry=registry,
        )
        self.expect(WEIGH, INTERACTION_TOPICS, OUTCOMES)
        self.expect(SCORE, (Topic.WEIGHED,), (APPLIED, OLD, HOLE, UNREADABLE))
        for reason in Reason:
            self.dead_letters.labels(reason.value)
        for cause in (INTERACTION, TIME, END):
            self.scores_emitted.labels(cause)
        self.holes.labels(SCORE)
        for stage in (WEIGH, SCORE, EMIT, CHECKPOINT):
            self.stage_seconds.labels(stage)


class SinkMetrics(WorkerMetrics):
    """The metrics of a sink."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
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
            buckets=_DURATION,
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
