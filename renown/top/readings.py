"""What is read of a running Renown in one look, and how much grew between two looks. Pure."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

MINUTE: Final = 60.0

Counters = Mapping[str, float]
"""Name → a number that only grows, unless what counts starts again from 0."""


@dataclass(frozen=True, slots=True)
class Change:
    """An update of a score, in points. ``at``: when it was published, ms UTC."""

    account: str
    before: float
    after: float
    cause: str
    at: int


@dataclass(frozen=True, slots=True)
class Leader:
    """A line of the leaderboard, in points. ``change_24h``: in the last 24 h of event time."""

    rank: int
    account: str
    points: float
    change_24h: float


@dataclass(frozen=True, slots=True)
class BrokerReading:
    """What the broker tells.

    ``published``, ``weighed``, ``updates``: topic partition → records written to the interaction
    topics, committed of them by the score group, written to ``scores``. ``behind``: stage →
    records. ``clock``: highest event time in ms that a frame of ``weighed`` tells, 0 for none.
    ``changes``: the newest, newest first.
    """

    published: Counters = field(default_factory=dict)
    weighed: Counters = field(default_factory=dict)
    updates: Counters = field(default_factory=dict)
    behind: Mapping[str, int] = field(default_factory=dict)
    clock: int = 0
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseReading:
    """What ClickHouse tells of the newest log.

    ``totals``: outcome → records, of everything stored. ``clock``: event time in ms up to which
    it is stored. ``reasons``: reason → dead letters stored within the last minute.
    """

    totals: Counters = field(default_factory=dict)
    clock: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    leaders: tuple[Leader, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """What one process tells at its metrics port.

    ``state``: ready, what it waits for or what is wrong; ``counters``: see ``scrape.COUNTED``;
    ``cpu``: seconds of CPU time; ``memory``: resident bytes; ``canary``: seconds of the last one.
    """

    name: str
    job: str
    answers: bool
    state: str
    cpu: float = 0.0
    memory: int = 0
    counters: Counters = field(default_factory=dict)
    canary: float | None = None


class Taken(NamedTuple, Generic[T]):
    """A reading and the moment of it, in seconds of a monotonic clock."""

    at: float
    value: T


class History(Generic[T]):
    """The readings of the last minute. ``trouble``: why there is no newer one, if so."""

    def __init__(self) -> None:
        self.trouble = ""
        self._taken: deque[Taken[T]] = deque()

    def add(self, at: float, value: T) -> None:
        """Keep a reading taken at ``at``, and forget what is older than a minute before it."""
        self.trouble = ""
        self._taken.append(Taken(at, value))
        while len(self._taken) > 2 and self._taken[1].at <= at - MINUTE:
            self._taken.popleft()

    def __len__(self) -> int:
        """Number of readings kept."""
        return len(self._taken)

    @property
    def newest(self) -> Taken[T] | None:
        """The last reading."""
        return self._taken[-1] if self._taken else None

    def copy(self) -> "History[T]":
        """A history that nobody else adds to."""
        other: History[T] = History()
        other.trouble, other._taken = self.trouble, self._taken.copy()
        return other

    def growth(self, pick: Callable[[T], Counters], seconds: float) -> tuple[float, float] | None:
        """How much the picked counters grew within the last ``seconds``, and in what time.

        None without two readings that are far enough apart to tell.
        """
        recent = [taken for taken in self._taken if taken.at >= self._taken[-1].at - seconds]
        if len(recent) == 1 and len(self._taken) > 1:
            recent = [self._taken[-2], *recent]  # looks that are farther apart than that
        if len(recent) < 2 or recent[-1].at <= recent[0].at:
            return None
        grown = sum(increase(pick(one.value), pick(other.value)) for one, other in pairwise(recent))
        return grown, recent[-1].at - recent[0].at

    def rate(self, pick: Callable[[T], Counters], seconds: float) -> float | None:
        """Growth per second."""
        found = self.growth(pick, seconds)
        return None if found is None else found[0] / found[1]


def increase(before: Counters, after: Counters) -> float:
    """By how much counters grew. One that fell has started again; a new one tells nothing yet."""
    return sum(
        value - before[name] if value >= before[name] else value
        for name, value in after.items()
        if name in before
    )
