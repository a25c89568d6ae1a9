"""An agent that listens to a live network until it is told to stop, and says how it is."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from agents.clock import Clock
from agents.live import LivePublishing
from agents.metrics import AgentMetrics
from agents.networks.found import Found
from agents.source import TOO_LONG
from agents.status import AgentStatus, State, write_status
from config.errors import RenownError

GAP: Final = "gap"
LARGEST_GAP_US: Final = 120_000_000
"""A source that begins so much later than it was asked to did not keep what was between."""

_STATUS_SECONDS: Final = 1.0
_RECEIVE_SECONDS: Final = 0.2
_STUCK_SECONDS: Final = 60.0
"""Longer than the publisher waits for a broker before it gives up."""
_BROKER_SECONDS: Final = 10.0

Read = Callable[[bytes, int], Found]
"""A payload and the time of receipt in ms → what it says. Total: never raises."""


class Feed(Protocol):
    """Where payloads come from, through whatever happens to the connection."""

    connected: bool
    detail: str
    reconnects: int
    asked_from: int
    too_big: int

    @property
    def place(self) -> str:
        """Where it reads."""
        ...

    def receive(self, position: int, seconds: float) -> bytes | None:
        """The next payload, None if there is none within ``seconds``."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Listener:
    """Reads a feed, publishes what it says, and writes its status about once a second.

    ``tell`` gets each status too; ``say`` gets remarks of one line.
    """

    def __init__(
        self,
        name: str,
        network: str,
        feed: Feed,
        read: Read,
        live: LivePublishing,
        metrics: AgentMetrics,
        *,
        statuses: Path,
        clock: Clock,
        tell: Callable[[AgentStatus], None],
        say: Callable[[str], None],
        metrics_port: int = 0,
    ) -> None:
        self._network = network
        self._feed = feed
        self._read = read
        self._live = live
        self._metrics = metrics
        self._statuses = statuses
        self._clock = clock
        self._tell = tell
        self._say = say
        self._stopping = False
        self._gap = ""
        self._too_big = self._reconnects = 0
        self._asked_from = 0
        self._turned_at = clock.monotonic()
        self._told_at: float | None = None
        self.status = AgentStatus(
            name=name,
            networks=(network,),
            pid=os.getpid(),
            started_at=clock.now_ms(),
            metrics_port=metrics_port,
        )

    def stop(self) -> None:
        """End soon, flush and save the position; safe in signal handlers and other threads."""
        self._stopping = True

    def run(self) -> AgentStatus:
        """Listen until ``stop``; the last status.

        Raises:
            Unreachable: the broker is away for too long, or the data folder cannot be written.
            DeliveryFailed: the broker refuses a record.
        """
        try:
            while not self._stopping:
                self._turn()
            self._feed.close()
            self._live.close()
        except RenownError as error:
            self._end("failed", str(error))
            raise
        except BaseException as error:
            self._end("failed", f"{type(error).__name__}: {error}")
            raise
        finally:
            self._feed.close()
        self._end("stopped", "")
        return self.status

    def alive(self) -> str:
        """Check for /health: whether it still goes round."""
        stood = self._clock.monotonic() - self._turned_at
        return f"has done nothing for {stood:.0f} s" if stood > _STUCK_SECONDS else ""

    def reading(self) -> str:
        """Check for /ready: whether the source is connected."""
        return "" if self._feed.connected else self._feed.detail

    def broker(self) -> str:
        """Check for /ready: whether the broker acknowledges."""
        waited = self._live.unacknowledged_seconds()
        return f"no acknowledgement for {waited:.0f} s" if waited > _BROKER_SECONDS else ""

    def _turn(self) -> None:
        live, feed = self._live, self._feed
        payload = feed.receive(live.state.position, _RECEIVE_SECONDS)
        if payload is not None:
            found = self._read(payload, self._clock.now_ms())
            if found.position:
                self._look_for_gap(found.position)
            live.handle(found, payload, feed.place)
        live.tick()
        self._turned_at = self._clock.monotonic()
        if self._told_at is None or self._turned_at - self._told_at >= _STATUS_SECONDS:
            self._told_at = self._turned_at
            self._update("running" if feed.connected else "connecting", feed.detail or self._gap)

    def _look_for_gap(self, position: int) -> None:
        """Whether the first position of a connection is far behind what was asked for."""
        asked = self._feed.asked_from
        if asked == self._asked_from:
            return
        self._asked_from = asked
        if asked and position - asked > LARGEST_GAP_US:
            self._live.reject(GAP)
            self._gap = (
                f"{self._feed.place} has nothing from {_utc(asked)} to {_utc(position)}: "
                "what happened then is lost, unless another address (--url) has kept it"
            )
            self._say(self._gap)

    def _update(self, state: State, detail: str) -> None:
        live, feed, status = self._live, self._feed, self.status
        while self._too_big < feed.too_big:
            self._too_big += 1
            live.reject(TOO_LONG)
        while self._reconnects < feed.reconnects:
            self._reconnects += 1
            self._metrics.reconnected(self._network)
        self._metrics.connected(self._network, feed.connected)
        counts = live.counts
        status.updated_at = self._clock.now_ms()
        status.state, status.detail = state, detail
        status.cursor = str(live.acknowledged.position or "")
        status.cursor_at = live.acknowledged.at
        status.published, status.rejected = dict(counts.published), dict(counts.rejected)
        status.posts, status.accounts = counts.posts, counts.accounts
        status.reconnects = feed.reconnects
        write_status(self._statuses, status)
        self._tell(status)

    def _end(self, state: State, detail: str) -> None:
        try:
            self._update(state, detail)
        except RenownError as error:
            self._say(str(error))


def _utc(micros: int) -> str:
    return f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"
