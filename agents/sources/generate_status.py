"""What a generator tells of itself while it publishes: metrics, status file, health."""

import os
from collections import Counter
from pathlib import Path
from typing import Final

from agents.clock import Clock, SystemClock
from agents.metrics import AgentMetrics
from agents.sources.generate import Generate
from agents.status import AgentStatus, State, write_status
from agents.world.habits import HABITS
from agents.world.ledger import POST

NAME: Final = "generate"
_DIRT_NETWORK: Final = "renown"
"""Under which dirt counts: it is of no network."""
_STUCK_SECONDS: Final = 60.0
_UNACKNOWLEDGED_SECONDS: Final = 10.0


class GenerateStatus:
    """Give it to ``Generate`` as ``tell``; ``health`` and ``ready`` are checks for ``Telemetry``.

    ``folder``: of the status files. ``port``: of the metrics, 0 for none.
    """

    def __init__(
        self, metrics: AgentMetrics, folder: Path, *, port: int = 0, clock: Clock | None = None
    ) -> None:
        self._metrics = metrics
        self._folder = folder
        self._clock = clock or SystemClock()
        self._counted: Counter[tuple[str, str]] = Counter()
        self._dirt: Counter[str] = Counter()
        self._heard = self._acknowledged_at = self._clock.monotonic()
        self._status = AgentStatus(
            name=NAME,
            networks=tuple(habits.network for habits in HABITS),
            pid=os.getpid(),
            started_at=self._clock.now_ms(),
            metrics_port=port,
        )

    def __call__(self, source: Generate) -> None:
        """Tell how far ``source`` is; call it about once a second."""
        now = self._clock.monotonic()
        if source.acknowledged != self._status.cursor_at:
            self._acknowledged_at = now
        self._heard = now
        self._count(source)
        self._write("running", source)

    def ended(self, source: Generate, failure: str = "") -> None:
        """The last word: it stopped, or failed and why."""
        self._count(source)
        for network in self._status.networks:
            self._metrics.connected(network, False)
        self._write("failed" if failure else "stopped", source, failure)

    def health(self) -> str:
        """What is wrong if nothing has been heard of the source for a minute."""
        silent = self._clock.monotonic() - self._heard
        return f"stands still for {silent:.0f} s" if silent > _STUCK_SECONDS else ""

    def ready(self) -> str:
        """What is wrong if the broker has acknowledged nothing for 10 s."""
        silent = self._clock.monotonic() - self._acknowledged_at
        if silent <= _UNACKNOWLEDGED_SECONDS:
            return ""
        return f"the broker has acknowledged nothing for {silent:.0f} s"

    def _count(self, source: Generate) -> None:
        metrics = self._metrics
        for (network, kind), number in source.published.items():
            metrics.published(network, kind, number - self._counted[network, kind])
        self._counted = Counter(source.published)
        for wrong, number in source.world.ledger.dead.items():
            metrics.rejected(_DIRT_NETWORK, wrong, number - self._dirt[wrong])
        self._dirt = Counter(source.world.ledger.dead)
        for network in self._status.networks:
            metrics.connected(network, True)
            if source.acknowledged:
                metrics.acknowledged(network, source.acknowledged)

    def _write(self, state: State, source: Generate, failure: str = "") -> None:
        report, status = source.report(), self._status
        status.updated_at = self._clock.now_ms()
        status.state = state
        status.detail = failure or "; ".join(source.world.news(report.reached))
        status.cursor = f"{report.run}-{report.events}"
        status.cursor_at = source.acknowledged
        status.published = report.published
        status.rejected = report.dead
        status.posts = sum(n for (_network, kind), n in source.published.items() if kind == POST)
        write_status(self._folder, status)
