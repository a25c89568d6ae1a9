"""weighed → scores: the agent that keeps the windows, and the task that publishes what changed."""

import time

import msgspec

from schemas.frames import decode_frame
from schemas.score import ScoreUpdate
from schemas.topics import Topic
from streams.core.score import Applied, ScorePartition
from streams.engine.failstop import fail_stop
from streams.engine.outbox import Outbox
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp

ScoreLog = StateLog[ScorePartition]

TICK_SECONDS = 0.1


def send_updates(outbox: Outbox, partition: int, updates: list[ScoreUpdate]) -> None:
    """Send each update to the partition of its profile."""
    for update in updates:
        outbox.send(
            Topic.SCORES.value,
            msgspec.json.encode(update),
            key=update.profile.encode(),
            partition=partition,
        )


def score_agent(app: WorkerApp, states: ScoreLog, outbox: Outbox) -> None:
    """Register the agent that reads ``weighed`` and the task that publishes updates."""

    @app.agent(app.batches_of(Topic.WEIGHED.value), name="score", concurrency=1)
    async def score(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                state = states.states.get(batch.tp.partition)
                if state is None or not await app.in_order(batch, state.position + 1):
                    continue
                for record in batch.records:
                    if record.offset > state.position:
                        frame = decode_frame(record.value)
                        if state.apply(frame, record.offset, time.monotonic()) is Applied.HOLE:
                            app.holes += 1
                await app.sleep(0)
            except Exception as error:
                fail_stop("scoring failed", error)

    @app.task
    async def emit() -> None:
        while not app.should_stop:
            try:
                began = time.monotonic()
                for partition, state in list(states.states.items()):
                    state.tick(began)
                    send_updates(outbox, partition, state.updates(began))
                    await outbox.room()
                await app.sleep(max(0.01, TICK_SECONDS - (time.monotonic() - began)))
            except Exception as error:
                fail_stop("publishing scores failed", error)
