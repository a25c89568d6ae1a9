"""weighed → scores: the agent that keeps the windows, and the task that publishes what changed."""

import asyncio
import logging
import time

from faust.types import TP

from schemas.frames import Frame, decode_frame
from schemas.topics import Topic
from streams.core.records import Record
from streams.core.score import ScorePartition
from streams.core.updates import Updates
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.outbox import Outbox
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp
from streams.metrics.common import EMIT, SCORE, UNREADABLE
from streams.metrics.score import APPLIED, ScoredBatch, ScoreMetrics

log = logging.getLogger("renown.score")

ScoreLog = StateLog[ScorePartition]

TICK_SECONDS = 0.025
_LARGEST_SHARE = 0.2
"""Publishing may take about so much of a worker's time: where very many accounts change, each is
published less often."""


def send_updates(outbox: Outbox, metrics: ScoreMetrics, partition: int, updates: Updates) -> None:
    """Send each update to the partition of its profile."""
    outbox.send_many(Topic.SCORES.value, partition, updates.bodies, updates.keys)
    if updates:
        reach(Point.SCORE_UPDATES_SENT)
    metrics.emitted(updates)


def send_standing(outbox: Outbox, partition: int, state: ScorePartition) -> None:
    """Tell weigh what is new at the midnights that have passed."""
    if said := state.standing():
        keys, bodies = zip(*said, strict=True)
        outbox.send_many(Topic.STANDING.value, partition, bodies, keys)
        reach(Point.SCORE_DAY_SENT)


def score_agent(app: WorkerApp, states: ScoreLog, outbox: Outbox, metrics: ScoreMetrics) -> None:
    """Register the agent that reads ``weighed``."""

    async def take(state: ScorePartition, tp: TP, record: Record, done: ScoredBatch) -> None:
        try:
            frame = decode_frame(record.value or b"")
        except ValueError as error:
            log.error("%s offset %d is passed over: %s", tp, record.offset, error)
            state.pass_over(record.offset)
            done.outcomes[UNREADABLE] += 1
            return
        if missing := state.missing_before(frame):
            await decide_on_missing(state, tp, frame, missing)
        rows = state.rows
        outcome = state.apply(frame, record.offset, time.monotonic())
        done.add(frame, outcome, state.rows - rows)

    async def decide_on_missing(state: ScorePartition, tp: TP, frame: Frame, missing: int) -> None:
        """A frame beyond a hole waits for its source to send again, unless that cannot be."""
        source = f"{frame.header.topic.value} {frame.header.partition}"
        begins_late = state.is_new_source(frame) and await app.earliest(tp) > 0
        if app.settings.accept_loss or begins_late:
            log.error("%s: %d offsets of %s are lost", tp, missing, source)
            state.give_up_before(frame)
        else:
            log.error("%s: a frame lies %d offsets of %s too far ahead", tp, missing, source)

    @app.agent(app.batches_of(Topic.WEIGHED.value), name="score", concurrency=1)
    async def score(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                state = states.states.get(batch.tp.partition)
                if state is None or not await app.in_order(batch, state.position + 1):
                    continue
                began, done = time.monotonic(), ScoredBatch()
                for record in batch.records:
                    if record.offset > state.position:
                        await take(state, batch.tp, record, done)
                reach(Point.SCORE_APPLIED)
                metrics.scored(done)
                metrics.dealt_with(SCORE, done.outcomes[APPLIED], time.monotonic() - began)
                await asyncio.sleep(0)
            except Exception as error:
                fail_stop("scoring failed", error)


def publish_task(app: WorkerApp, states: ScoreLog, outbox: Outbox, metrics: ScoreMetrics) -> None:
    """Register the task that publishes what changed."""

    @app.task
    async def emit() -> None:
        while not app.should_stop:
            try:
                began = time.monotonic()
                for partition, state in list(states.states.items()):
                    if states.states.get(partition) is not state:
                        continue  # given up while this loop waited
                    state.tick(began)
                    behind = app.behind(Topic.WEIGHED.value, partition, state.position + 1)
                    state.pass_guard(began, caught_up=behind == 0)
                    send_standing(outbox, partition, state)
                    send_updates(outbox, metrics, partition, state.updates(began))
                    await outbox.room()
                took = time.monotonic() - began
                metrics.stage_seconds.labels(EMIT).inc(took)
                await app.sleep(max(TICK_SECONDS - took, took * (1 / _LARGEST_SHARE - 1)))
            except Exception as error:
                fail_stop("publishing scores failed", error)
