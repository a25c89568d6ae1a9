"""Fetched batches of sources that may not go on yet."""

from collections import deque
from collections.abc import Awaitable, Callable

from faust.types import TP

from streams.engine.inputs import FetchedBatch
from streams.engine.worker import WorkerApp


class SetAside:
    """Keeps the batches of sources that wait, in order, and has no more of them fetched.

    So a source that waits cannot hold up the others, of which some bring what it waits for. Of each
    it keeps what was fetched already, which the queue between transport and agent bounds.
    """

    def __init__(self, app: WorkerApp) -> None:
        self._app = app
        self._batches: dict[TP, deque[FetchedBatch]] = {}

    def __bool__(self) -> bool:
        """Whether any source waits."""
        return bool(self._batches)

    def holds(self, tp: TP) -> bool:
        """Whether batches of ``tp`` must queue up behind others."""
        return tp in self._batches

    def append(self, batch: FetchedBatch) -> None:
        """Keep a batch behind those of its source."""
        self._of(batch.tp).append(batch)

    def put_back(self, batch: FetchedBatch) -> None:
        """Keep a batch that was begun before those of its source."""
        self._of(batch.tp).appendleft(batch)

    def _of(self, tp: TP) -> deque[FetchedBatch]:
        if tp not in self._batches:
            self._batches[tp] = deque()
            self._app.consumer.pause_partitions({tp})
        return self._batches[tp]

    async def go_on(
        self, waits: Callable[[TP], bool], take: Callable[[FetchedBatch], Awaitable[None]]
    ) -> None:
        """Hand the batches of sources that need not wait any longer to ``take``.

        It may put back the one that it was given.
        """
        for tp, kept in list(self._batches.items()):
            while kept and not waits(tp):
                await take(kept.popleft())
            if not kept and not waits(tp):
                del self._batches[tp]
                await self._read_on(tp)

    async def _read_on(self, tp: TP) -> None:
        """Fetch ``tp`` again, from what the state wants on.

        Faust drops what it had fetched of a partition when that is paused, before an agent had it.
        If it was the end of the log, no later batch would show that it is missing.
        """
        consumer, wanted = self._app.consumer, self._app.inputs.wanted(tp)
        if wanted is not None:
            await consumer.seek_to_state({tp: wanted})
        if tp not in self._batches and tp in consumer.assignment():
            consumer.resume_partitions({tp})
