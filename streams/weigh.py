"""interactions.*, posts → weighed: the agent that decides each interaction once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from schemas.dead_letter import DeadLetter
from schemas.frames import Frame
from schemas.topics import SOURCE_TOPICS, Topic
from streams.core.weigh_partition import Derived, WeighPartition
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.inputs import FetchedBatch
from streams.engine.outbox import Outbox
from streams.engine.set_aside import SetAside
from streams.engine.statelog import StateLog
from streams.engine.worker import WorkerApp
from streams.metrics.common import WEIGH
from streams.metrics.score import ScoreMetrics

WeighLog = StateLog[WeighPartition]
Take = Callable[[FetchedBatch], Awaitable[None]]
Encoded = tuple[int, bytes]
"""Target partition, frame."""

_WORTH_A_THREAD = 256
"""Records that are weighed aside; fewer are done before a thread has begun."""


def _encode(frames: list[tuple[int, Frame]]) -> list[Encoded]:
    """Frames as they travel."""
    return [(partition, frame.encode()) for partition, frame in frames]


def _send(outbox: Outbox, frames: list[Encoded]) -> None:
    for partition, frame in frames:
        outbox.send(Topic.WEIGHED.value, frame, partition=partition)


def send_frames(outbox: Outbox, frames: list[tuple[int, Frame]]) -> None:
    """Send each frame to the partition of its targets."""
    _send(outbox, _encode(frames))


def send_dead_letters(outbox: Outbox, letters: list[DeadLetter]) -> None:
    """Send unusable records to where people can see them."""
    for letter in letters:
        body = msgspec.json.encode(letter)
        outbox.send(Topic.DEAD_LETTERS.value, body, key=letter.topic.encode())


def send_owed(outbox: Outbox, _partition: int, state: WeighPartition) -> None:
    """Before a checkpoint: bring every target partition up to the state's positions."""
    send_frames(outbox, state.owed(time.monotonic()))


def weigh_agent(
    app: WorkerApp, states: WeighLog, outbox: Outbox, metrics: ScoreMetrics, aside: SetAside
) -> Take:
    """Register the agent that reads the interactions and the own posts; returns what takes a batch.

    Weighing lets go of the interpreter, so what is long is weighed in a thread: meanwhile the event
    loop scores what was weighed before. Batches of sources that wait go to the others in ``aside``.
    """
    threads = ThreadPoolExecutor(1, "weigh")

    async def weigh_one(batch: FetchedBatch, state: WeighPartition) -> None:
        if states.states.get(batch.tp.partition) is not state:
            return  # given up meanwhile: its checkpoint is taken
        topic, began = Topic(batch.tp.topic), time.monotonic()
        if state.waits(topic):
            aside.put_back(batch)
            return
        before = state.totals(topic)
        work = partial(_weighed, state, topic, batch, began)
        if len(batch.records) < _WORTH_A_THREAD:
            derived, encoded = work()
        else:
            derived, encoded = await asyncio.get_running_loop().run_in_executor(threads, work)
        if state.waits(topic):
            aside.put_back(batch)  # some of its records are left
        reach(Point.WEIGH_APPLIED)
        _send(outbox, encoded)
        send_dead_letters(outbox, derived.dead)
        reach(Point.WEIGH_FRAMES_SENT)
        metrics.weighed(topic, (before, state.totals(topic)), derived.frames, derived.dead)
        metrics.dealt_with(WEIGH, len(batch.records), time.monotonic() - began)

    async def take(batch: FetchedBatch) -> None:
        partition = batch.tp.partition
        state = states.states.get(partition)
        if state is None:
            return
        wanted = state.positions()[batch.tp.topic]
        if not await app.in_order(batch, wanted):
            return
        await states.turns.take(partition, partial(weigh_one, batch, state))
        await outbox.room()

    @app.agent(app.batches_of(*(t.value for t in SOURCE_TOPICS)), name="weigh", concurrency=1)
    async def weigh(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                if aside.holds(batch.tp):
                    aside.append(batch)
                else:
                    await take(batch)
            except Exception as error:
                fail_stop("weighing failed", error)

    return take


def _weighed(
    state: WeighPartition, topic: Topic, batch: FetchedBatch, now: float
) -> tuple[Derived, list[Encoded]]:
    derived = state.apply(topic, batch.records, batch.last, now)
    return derived, _encode(derived.frames)
