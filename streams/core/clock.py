"""Event time of one partition: the minimum of what its sources have reached; it never goes back.

A source that is silent for ``idle_seconds`` of wall time no longer holds the clock back. When all
are silent, the clock goes on at the rate of the wall clock from where it stands. Under ``once``
neither happens: the clock is a function of the frames alone. A source that was never heard, or has
no event time yet, does not count.
"""

from collections.abc import Iterable
from typing import Any

Source = tuple[str, int]
"""Topic and partition."""


class PartitionClock:
    """``value``: event time in ms UTC, 0 before any source has one.

    ``now`` is everywhere a monotonic wall time in seconds; it may start anywhere in each process.
    """

    def __init__(self, *, once: bool, idle_seconds: float, expected: Iterable[Source] = ()) -> None:
        """``expected``: sources without which there is no event time yet.

        Those that stay unheard for ``idle_seconds`` after the first one was are not waited for,
        not even under ``once``: nobody may ever write to their topics.
        """
        self.value = 0
        self._unheard = set(expected)
        self._first_at: float | None = None
        self._once = once
        self._idle_seconds = idle_seconds
        self._clocks: dict[Source, int] = {}
        self._idle: set[Source] = set()
        self._heard: dict[Source, float] = {}
        self._rate_from: tuple[float, int] | None = None
        self._nothing_before = 0.0

    @property
    def idle(self) -> frozenset[Source]:
        """Sources that are not waited for."""
        return frozenset(self._idle)

    @property
    def sources(self) -> dict[Source, int]:
        """The event time that each source has reached."""
        return dict(self._clocks)

    def reached(self, source: Source) -> int:
        """The event time that a source has reached; 0 for none yet."""
        return self._clocks.get(source, 0)

    def hear(self, source: Source, clock: int, now: float) -> None:
        """A source showed that it is there and has reached event time ``clock`` (0: none yet)."""
        self.tick(now)
        if clock > 0:
            self._clocks[source] = max(clock, self._clocks.get(source, 0))
        if source in self._clocks:
            self._unheard.discard(source)
            self._expect(now)
            self._idle.discard(source)
            self._heard[source] = now
            self._rate_from = None
            self._follow()

    def tick(self, now: float) -> None:
        """Wall time passes."""
        self._expect(now)
        if self._once or not self._clocks or now < self._nothing_before:
            return
        for source in self._clocks.keys() - self._idle:
            # after a restart each source gets its full time to be heard
            self._heard.setdefault(source, now)
        silent = now - self._idle_seconds
        gone = [s for s in self._clocks if s not in self._idle and self._heard[s] <= silent]
        # one after the other, as they fell silent, so that the result does not hang on how often
        # this is called; those heard last leave together
        for at in sorted({self._heard[s] for s in gone}):
            self._follow()
            self._idle.update(s for s in gone if self._heard[s] == at)
        if len(self._idle) < len(self._clocks):
            self._follow()
            waited_for = (self._heard[s] for s in self._clocks if s not in self._idle)
            self._nothing_before = min(waited_for) + self._idle_seconds
            return
        self._nothing_before = 0.0
        if self._unheard:
            return
        if self._rate_from is None:
            since = max(self._heard.values(), default=silent) + self._idle_seconds
            self._rate_from = (since, self.value)
        start, value = self._rate_from
        self.value = max(self.value, value + int((now - start) * 1000))

    def _expect(self, now: float) -> None:
        if not (self._unheard and self._clocks):
            return
        if self._first_at is None:
            self._first_at = now
        if now - self._first_at >= self._idle_seconds:
            self._unheard.clear()
            self._follow()

    def _follow(self) -> None:
        if self._unheard:
            return
        live = [clock for source, clock in self._clocks.items() if source not in self._idle]
        if live:
            self.value = max(self.value, min(live))

    def snapshot(self) -> dict[str, Any]:
        """The clock and which sources hold it back: a restart goes on from there."""
        return {
            "value": self.value,
            "sources": [
                [topic, partition, clock, (topic, partition) in self._idle]
                for (topic, partition), clock in sorted(self._clocks.items())
            ],
        }

    def load(self, snapshot: dict[str, Any]) -> None:
        """Become, from a new instance, the one that ``snapshot`` was taken of."""
        self.value = snapshot["value"]
        if self.value:
            self._unheard.clear()
        for topic, partition, clock, idle in snapshot["sources"]:
            self._clocks[topic, partition] = clock
            if idle:
                self._idle.add((topic, partition))
        self._unheard -= self._clocks.keys()
