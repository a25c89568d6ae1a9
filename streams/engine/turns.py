"""Who changes or copies a state has its turn: work in a thread, safe from everybody else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from streams.engine.failstop import fail_stop

T = TypeVar("T")


class Turns:
    """One at a time for each partition, in the order in which they come.

    A turn that has begun is finished, even if who waits for it is cancelled: else its thread would
    go on in a state that somebody else has by then. What needs an answer from the consumer must not
    be in a turn: a rebalance waits for turns, and the consumer waits for the rebalance.
    """

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._under_way: set[asyncio.Task[object]] = set()

    def free(self, partition: int) -> bool:
        """Whether it is nobody's turn: what does not wait may be done at once."""
        lock = self._locks.get(partition)
        return lock is None or not lock.locked()

    async def take(self, partition: int, work: Callable[[], Awaitable[T]]) -> T:
        """The result of ``work``, done when it is its turn."""

        async def run() -> T:
            async with self._locks.setdefault(partition, asyncio.Lock()):
                return await work()

        task = asyncio.create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_must_not_fail)
            raise


def _must_not_fail(task: asyncio.Task[object]) -> None:
    """Nobody waits for the outcome any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        fail_stop("work on a state failed", error)
