"""The metrics of the score worker, and what a batch means for them."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from schemas.dead_letter import DeadLetter
from schemas.frames import OUTCOMES, Columns, Frame
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.decode import Reason
from streams.core.emission import END, INTERACTION, TIME
from streams.core.score import Applied
from streams.core.updates import Updates
from streams.metrics.common import (
    CHECKPOINT,
    DURATION,
    EMIT,
    SCORE,
    UNREADABLE,
    WEIGH,
    WorkerMetrics,
)
from streams.metrics.histogram import BatchHistogram
from streams.metrics.latency import TIMES
from streams.metrics.reading import Reading

APPLIED: Final = "applied"
"""Outcome of rows; those of whole frames are ``OLD`` and ``HOLE`` of ``Applied``."""

_OF_FRAMES: Final = (Applied.OLD.value, Applied.HOLE.value)


@dataclass(slots=True)
class ScoredBatch:
    """What became of the frames of one batch; ``rows``: when what was applied had happened."""

    outcomes: Tally[str] = field(default_factory=Tally)
    rows: list[Columns] = field(default_factory=list)

    def add(self, frame: Frame, outcome: Applied, rows: int) -> None:
        """Of ``frame`` the last ``rows`` rows count now."""
        if outcome is not Applied.NEW:
            self.outcomes[outcome.value] += 1
        elif rows:
            self.outcomes[APPLIED] += rows
            start = len(frame) - rows
            self.rows.append({name: frame.columns[name][start:] for name in TIMES})


class ScoreMetrics(WorkerMetrics):
    """Every metric of a score worker: what it means, and what to do about its value."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        super().__init__(registry, now)
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
            "Compressed size of the checkpoints that this worker's partitions need. If high: "
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
            buckets=DURATION,
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
        self.changelog_bytes = Reading(
            "renown_changelog_bytes",
            "Bytes of checkpoints sent to the broker, compressed. If it grows faster than the "
            "broker's disk allows: raise RENOWN_CHECKPOINT_SECONDS.",
            ["stage"],
            counter=True,
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
        self.expect(WEIGH, SOURCE_TOPICS, OUTCOMES)
        self.expect(SCORE, (Topic.WEIGHED,), (APPLIED, *_OF_FRAMES, UNREADABLE))
        for reason in Reason:
            self.dead_letters.labels(reason.value)
        for cause in (INTERACTION, TIME, END):
            self.scores_emitted.labels(cause)
        self.holes.labels(SCORE)
        for stage in (WEIGH, SCORE, EMIT, CHECKPOINT):
            self.stage_seconds.labels(stage)

    def weighed(
        self,
        topic: Topic,
        totals: tuple[Mapping[str, int], Mapping[str, int]],
        frames: Sequence[tuple[int, Frame]],
        dead: Sequence[DeadLetter],
    ) -> None:
        """A batch was weighed; ``totals``: the source's before and after it."""
        before, after = totals
        more = {outcome: after[outcome] - before[outcome] for outcome in OUTCOMES}
        self.count(WEIGH, topic, more)
        self.duplicates.inc(more["duplicate"])
        self.late.inc(more["late"])
        self.undo_unmatched.inc(more["unmatched"])
        if dead:
            for reason, number in Tally(letter.reason for letter in dead).items():
                self.dead_letters.labels(reason).inc(number)
        self.latency.observe(WEIGH, [frame.columns for _, frame in frames if len(frame)])

    def scored(self, batch: ScoredBatch) -> None:
        """A batch of frames was dealt with."""
        self.count(SCORE, Topic.WEIGHED, batch.outcomes)
        self.holes.labels(SCORE).inc(batch.outcomes[Applied.HOLE.value])
        self.latency.observe(SCORE, batch.rows)

    def emitted(self, updates: Updates) -> None:
        """Updates were sent."""
        for cause, number in updates.causes.items():
            self.scores_emitted.labels(cause).inc(number)

    def checkpointed(self, stage: str, seconds: float) -> None:
        """A checkpoint of one partition took so long."""
        self.checkpoint_seconds.labels(stage).observe(seconds)
        self.stage_seconds.labels(CHECKPOINT).inc(seconds)
