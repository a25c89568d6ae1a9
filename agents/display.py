"""How a listening agent is, for people: a live line on a terminal, else a plain line a minute."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Self, TextIO

from rich.console import Console
from rich.status import Status
from rich.text import Text

from agents.status import AgentStatus

_PLAIN_SECONDS: Final = 60.0


class ListenerDisplay:
    """Shows statuses and remarks on ``stream`` (standard error); use it as a context."""

    def __init__(
        self,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._monotonic = monotonic
        self._said_at: float | None = None
        self._before: tuple[float, int] | None = None
        self._live: Status | None = None
        if self._stream.isatty():
            self._live = Status("starting", console=Console(file=self._stream, highlight=False))

    def tell(self, status: AgentStatus) -> None:
        """Show how the agent is."""
        now = self._monotonic()
        line = words(status, self._rate(status, now))
        if self._live:
            self._live.update(Text(line))
        elif self._said_at is None or now - self._said_at >= _PLAIN_SECONDS:
            self._said_at = now
            print(line, file=self._stream, flush=True)

    def say(self, remark: str) -> None:
        """Show a remark."""
        line = f"{datetime.now(UTC):%H:%M:%S} {remark}"
        if self._live:
            self._live.console.print(Text(line))
        else:
            print(line, file=self._stream, flush=True)

    def _rate(self, status: AgentStatus, now: float) -> float | None:
        """Interactions a second since the last time."""
        total = sum(status.published.values())
        before, self._before = self._before, (now, total)
        if before is None or now <= before[0]:
            return None
        return (total - before[1]) / (now - before[0])

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()


def words(status: AgentStatus, rate: float | None = None) -> str:
    """A status on one line; ``rate``: interactions a second."""
    parts = [f"{sum(status.published.values()):,} interactions"]
    if rate is not None:
        parts.append(f"{rate:,.0f}/s")
    parts.append(f"{status.posts:,} posts")
    if rejected := sum(status.rejected.values()):
        parts.append(f"{rejected:,} not counted")
    if status.cursor_at:
        behind = max(0.0, (status.updated_at - status.cursor_at) / 1000)
        parts.append(f"{behind:,.0f} s behind")
    detail = f" ({status.detail})" if status.detail else ""
    return f"{status.name} {status.state}{detail}: {', '.join(parts)}"
