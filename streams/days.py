"""Days of weigh: ``standing`` is read, and a day begins once the day before it is closed."""

import time
from functools import partial

from faust.types import TP

from schemas.topics import Topic
from streams.core.weigh_partition import WeighPartition
from streams.engine.crash_points import Point, reach
from streams.engine.failstop import fail_stop
from streams.engine.inputs import FetchedBatch
from streams.engine.outbox import Outbox
from streams.engine.set_aside import SetAside
from streams.engine.worker import WorkerApp
from streams.weigh import Take, WeighLog, send_frames

_LOOK_SECONDS = 0.02


def standing_agent(app: WorkerApp, states: WeighLog) -> None:
    """Register the agent that reads which days are closed, and with which tiers."""

    async def close(batch: FetchedBatch, state: WeighPartition) -> None:
        state.close_days(batch.records, batch.last)

    @app.agent(app.batches_of(Topic.STANDING.value), name="standing", concurrency=1)
    async def standing(batches) -> None:  # type: ignore[no-untyped-def]
        async for batch in batches:
            try:
                state = states.states.get(batch.tp.partition)
                if state is None:
                    continue
                if await app.in_order(batch, state.positions()[batch.tp.topic]):
                    await states.turns.take(batch.tp.partition, partial(close, batch, state))
            except Exception as error:
                fail_stop("reading standing failed", error)


def days_task(
    app: WorkerApp, states: WeighLog, outbox: Outbox, aside: SetAside, take: Take
) -> None:
    """Register the task that begins days and lets sources go on.

    A day's snapshot counts once a checkpoint holds it: ``WeighPartition.kept``.
    """

    def waits(tp: TP) -> bool:
        state = states.states.get(tp.partition)
        return state is not None and state.waits(Topic(tp.topic))

    async def turn(partition: int, state: WeighPartition) -> None:
        if states.states.get(partition) is not state:
            return
        send_frames(outbox, state.insist(time.monotonic()))
        positions = state.positions()
        if state.may_turn(lambda t: app.behind(t.value, partition, positions[t.value]) == 0):
            state.turn()
            reach(Point.WEIGH_DAY_TURNED)

    @app.task
    async def turn_days() -> None:
        while not app.should_stop:
            try:
                for partition, state in list(states.states.items()):
                    if state.waiting():
                        await states.turns.take(partition, partial(turn, partition, state))
                await aside.go_on(waits, take)
                await app.sleep(_LOOK_SECONDS)
            except Exception as error:
                fail_stop("beginning a day failed", error)
