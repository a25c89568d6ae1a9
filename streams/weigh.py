"""interactions.* → weighed: the agent that decides each interaction once."""

import time

import msgspec

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.weigh_partition import WeighPartition
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.outbox import Outbox
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp
from streams.metrics.common import WEIGH
from streams.metrics.score import ScoreMetrics

WeighLog = StateLog[WeighPartition]


def send_frames(outbox: Outbox, frames: list[tuple[int, Frame]]) -> None:
    """Send each frame to the partition of its targets."""
    for partition, frame in frames:
        outbox.send(Topic.WEIGHED.value, frame.encode(), partition=partition)


def send_dead_letters(outbox: Outbox, letters: list[DeadLetter]) -> None:
    """Send unusable records to where people can see them."""
    for letter in letters:
        body = msgspec.json.encode(letter)
        outbox.send(Topic.DEAD_LETTERS.value, body, key=letter.topic.encode())


def send_owed(outbox: Outbox, _partition: int, state: WeighPartition) -> None:
    """Before a checkpoint: bring every target partition up to the state's positions."""
    send_frames(outbox, state.owed(time.monotonic()))


def weigh_agent(app: WorkerApp, states: WeighLog, outbox: Outbox, metrics: ScoreMetrics) -> None:
    """Register the agent that reads the five interaction topics."""

    @app.agent(app.batches_of(*(t.value for t in INTERACTION_TOPICS)), name="weigh", concurrency=1)
    async def weigh(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                state = states.states.get(batch.tp.partition)
                if state is None:
                    continue
                wanted = state.positions()[batch.tp.topic]
                if not await app.in_order(batch, wanted):
                    continue
                topic, began = Topic(batch.tp.topic), time.monotonic()
                before = state.totals(topic)
                derived = state.apply(topic, batch.records, batch.last, began)
                reach(Point.WEIGH_APPLIED)
                send_frames(outbox, derived.frames)
                send_dead_letters(outbox, derived.dead)
                reach(Point.WEIGH_FRAMES_SENT)
                metrics.weighed(topic, (before, state.totals(topic)), derived.frames, derived.dead)
                metrics.dealt_with(WEIGH, len(batch.records), time.monotonic() - began)
                await outbox.room()
            except Exception as error:
                fail_stop("weighing failed", error)
