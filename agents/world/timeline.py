"""The world's events one slice of event time after the other, at an exact rate."""

from typing import Final

from agents.world.ledger import Event
from agents.world.world import World

_EVENTS: Final = 256
_SHORTEST_MS: Final = 100
_LONGEST_MS: Final = 60_000


class Timeline:
    """Up to ``t`` ms after its start it has given ``rate * t / 1000`` events, rounded down.

    A slice is as long as 256 events take, 0.1 s at least and a minute at most: long enough to be
    made at little cost, short enough to follow what changes.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._milli_rate = round(world.options.rate * 1000)
        length = _EVENTS * 1_000_000 // self._milli_rate
        self._length = min(max(length, _SHORTEST_MS), _LONGEST_MS)
        self._passed = 0
        self._shift = world.options.start

    @property
    def reached(self) -> int:
        """Event time (ms) at which the next slice begins."""
        return self._shift + self._passed

    def next(self) -> list[tuple[int, Event]]:
        """The events of the next slice with their times in ms."""
        begin = self._passed
        self._passed += self._length
        count = self._due(self._passed) - self._due(begin)
        return self._world.slice(self._shift + begin, self._length, count)

    def skip(self, milliseconds: int) -> None:
        """Let nothing happen for so long."""
        self._shift += milliseconds

    def fill(self, until: int, count: int) -> list[tuple[int, Event]]:
        """``count`` events up to event time ``until`` (ms), whatever the rate."""
        begin = self.reached
        self.skip(max(0, until - begin))
        return self._world.slice(begin, self.reached - begin, count)

    def _due(self, passed: int) -> int:
        return passed * self._milli_rate // 1_000_000
