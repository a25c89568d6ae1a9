"""A listening agent in the test's own thread, with short patience."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from prometheus_client import CollectorRegistry

from agents.backoff import Backoff
from agents.clock import Clock, SystemClock
from agents.cursor import CursorFile
from agents.listener import Listener
from agents.live import LivePublishing
from agents.metrics import AgentMetrics
from agents.networks import bluesky
from agents.outlet import Outlet
from agents.owners import OwnerCache, WaitingRoom
from agents.sources.jetstream import JetstreamFeed
from agents.status import STATUS_FOLDER, AgentStatus

Condition = Callable[["Ear"], object]


class Ear:
    """An agent on ``folder`` that reads ``urls`` into ``outlet``. ``said``: its remarks."""

    def __init__(
        self,
        folder: Path,
        outlet: Outlet,
        urls: Sequence[str],
        *,
        start_us: int | None = None,
        silence_seconds: float = 60.0,
        waiting_seconds: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        """``start_us``: where to begin; None: at the cursor."""
        clock = clock or SystemClock()
        self.said: list[str] = []
        self.registry = CollectorRegistry(auto_describe=True)
        metrics = AgentMetrics(self.registry, clock)
        self.live = LivePublishing(
            "bluesky",
            outlet,
            CursorFile(folder / "cursors" / "bluesky.json", {"agent": "bluesky"}),
            OwnerCache(folder / "cursors" / "owners.jsonl"),
            WaitingRoom(seconds=waiting_seconds),
            metrics,
            clock,
        )
        if start_us is None:
            self.resumed = self.live.resume()
        else:
            self.live.start_at(start_us, start_us // 1000)
        self.feed = JetstreamFeed(
            urls,
            bluesky.COLLECTIONS,
            largest=bluesky.LARGEST_MESSAGE,
            clock=clock,
            say=self.said.append,
            place=self.live.state.place,
            backoff=Backoff(0.01, 0.1, Random(1)),
            silence_seconds=silence_seconds,
        )
        self._until: Condition = lambda _: True
        self.listener = Listener(
            "bluesky",
            "bluesky",
            self.feed,
            bluesky.read,
            self.live,
            metrics,
            statuses=folder / STATUS_FOLDER,
            clock=clock,
            tell=self._look,
            say=self.said.append,
        )

    def listen(self, until: Condition) -> AgentStatus:
        """Run until the condition, asked about once a second, is true."""
        self._until = until
        return self.listener.run()

    def _look(self, _status: AgentStatus) -> None:
        if self._until(self):
            self.listener.stop()


def reached(position: int) -> Condition:
    """Until everything up to ``position`` (µs) is read."""
    return lambda ear: ear.live.state.position >= position
