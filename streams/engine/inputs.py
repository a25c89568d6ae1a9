"""What the transport must know of the state: where to read on, and what may be committed."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from faust.types import TP

from streams.core.records import RecordColumns


@dataclass(frozen=True, slots=True, eq=False)
class FetchedBatch:
    """What one fetch of one partition covers, handed to an agent as one message.

    Offsets ``first`` to ``last`` are covered; there need not be a record at either, nor any at all
    (transaction markers, aborted or compacted records). ``exact``: ``first`` is the position at
    which was read; if not, that of the first record. ``seeks``: how often the transport had sought
    in this partition when the batch was fetched.
    """

    tp: TP
    first: int
    last: int
    records: RecordColumns
    seeks: int
    exact: bool = True

    @property
    def begins(self) -> int:
        """Offset of the first record; without any, the one after the batch.

        Between ``first`` and it nothing was there to be read, or (embedded broker) is any more.
        """
        return int(self.records.offsets[0]) if len(self.records) else self.last + 1


async def _nothing() -> None:
    return None


@dataclass(slots=True)
class Inputs:
    """Shared by an app and its transport.

    ``wanted`` gives the next offset that the state needs of a partition (None: no opinion yet);
    ``durable`` holds next offsets that the group may commit; ``release`` is awaited before
    partitions are given up; ``waiting`` says that inputs rest on purpose (a database is away);
    ``progress`` differs from before where a recovery has come further;
    ``heard_at``: when a broker last answered anything (monotonic seconds), None before. ``pause``:
    seconds at least from a broker's answer to the next fetch.
    """

    batched: frozenset[str]
    pause: float = 0.03
    wanted: Callable[[TP], int | None] = lambda _tp: None
    release: Callable[[], Awaitable[None]] = _nothing
    waiting: Callable[[], bool] = lambda: False
    progress: Callable[[], object] = lambda: None
    durable: dict[TP, int] = field(default_factory=dict)
    heard_at: float | None = None
    seeks: Counter[TP] = field(default_factory=Counter)
    _gaps: dict[TP, tuple[int, int]] = field(default_factory=dict)

    def forget(self) -> None:
        """What is known holds only as long as the partitions do."""
        self.durable.clear()
        self._gaps.clear()

    def gap(self, batch: FetchedBatch, wanted: int) -> bool:
        """Whether records are missing before ``batch`` that a seek to ``wanted`` may bring.

        Faust may drop fetched records around rebalances. A gap that is still there after a seek is
        one of the log itself: its beginning was deleted, or the batch is not ``exact``.
        """
        if batch.first <= wanted:
            self._gaps.pop(batch.tp, None)
            return False
        offset, seeks = self._gaps.get(batch.tp, (-1, 0))
        if offset == wanted and batch.seeks > seeks:
            return False
        if offset != wanted:
            self._gaps[batch.tp] = wanted, self.seeks[batch.tp]
        return True
