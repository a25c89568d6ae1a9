"""What feeds a stack: a file that is played, or agents that run beside the workers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from agents.status import STATUS_FOLDER, read_statuses


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as a process of its own: ``renown`` with ``arguments``."""

    name: str
    arguments: tuple[str, ...]


def listening(network: str, *options: str) -> Agent:
    """The live agent of ``network``."""
    return Agent(network, ("agent", network, *options))


def generated(rate: float) -> Agent:
    """The made-up world, ``rate`` events a second, without an end."""
    return Agent("generate", ("generate", "--rate", f"{rate:g}"))


class Feed(Protocol):
    """What a demo shows while it runs."""

    def start(self) -> None:
        """Begin to publish."""

    def stop(self) -> None:
        """End soon; what was published stays."""

    @property
    def playing(self) -> bool:
        """Whether something is still to be published; raises what made it fail."""

    @property
    def ended(self) -> bool:
        """Whether everything there is was published."""

    def words(self) -> str:
        """How far it is, for people."""


class LiveFeed:
    """An agent of the stack, by what it says of itself. It never ends."""

    ended = False
    playing = True

    def __init__(self, folder: Path, agent: Agent) -> None:
        """``folder``: data folder of the agent."""
        self._folder, self._agent = folder, agent

    def start(self) -> None:
        """The stack starts it."""

    def stop(self) -> None:
        """The stack stops it."""

    def words(self) -> str:
        """What its status file says."""
        for status in read_statuses(self._folder / STATUS_FOLDER):
            if status.name == self._agent.name:
                published = sum(status.published.values())
                reached = f" up to {_utc(status.cursor_at)}" if status.cursor_at else ""
                detail = f" ({status.detail})" if status.detail else ""
                return f"{status.name} {status.state}{detail}: {published:,} published{reached}"
        return f"{self._agent.name} is starting"


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}"
