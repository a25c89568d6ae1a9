"""interactions.*, posts → weighed: the agent that decides each interaction once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

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


class _Weighed(NamedTuple):
    """What became of a batch. ``began``: monotonic seconds; ``before``: totals of its source."""

    began: float
    before: dict[str, int]
    derived: Derived
    frames: list[Encoded]


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

    def due(batch: FetchedBatch, state: WeighPartition) -> bool:
        if states.states.get(batch.tp.partition) is not state:
            return False  # given up meanwhile: its checkpoint is taken
        if state.waits(Topic(batch.tp.topic)):
            aside.put_back(batch)
            return False
        return True

    async def weigh_in_thread(batch: FetchedBatch, state: WeighPartition) -> None:
        if due(batch, state):
            loop = asyncio.get_running_loop()
            send(batch, state, await loop.run_in_executor(threads, _weighed, state, batch))

    def send(batch: FetchedBatch, state: WeighPartition, weighed: _Weighed) -> None:
        topic, derived = Topic(batch.tp.topic), weighed.derived
        if state.waits(topic):
            aside.put_back(batch)  # some of its records are left
        reach(Point.WEIGH_APPLIED)
        _send(outbox, weighed.frames)
        send_dead_letters(outbox, derived.dead)
        reach(Point.WEIGH_FRAMES_SENT)
        metrics.weighed(topic, (weighed.before, state.totals(topic)), derived.frames, derived.dead)
        metrics.dealt_with(WEIGH, len(batch.records), time.monotonic() - weighed.began)

    async def take(batch: FetchedBatch) -> None:
        partition = batch.tp.partition
        state = states.states.get(partition)
        if state is None:
            return
        wanted = state.positions()[batch.tp.topic]
        if not await app.in_order(batch, wanted):
            return
        if len(batch.records) < _WORTH_A_THREAD and states.turns.free(partition):
            if due(batch, state):
                send(batch, state, _weighed(state, batch))
            await asyncio.sleep(0)
        else:
            await states.turns.take(partition, partial(weigh_in_thread, batch, state))
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


def _weighed(state: WeighPartition, batch: FetchedBatch) -> _Weighed:
    began, topic = time.monotonic(), Topic(batch.tp.topic)
    before = state.totals(topic)
    derived = state.apply(topic, batch.records, batch.last, began)
    return _Weighed(began, before, derived, _encode(derived.frames))
