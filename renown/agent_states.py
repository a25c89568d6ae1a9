"""How the agents of this machine are: what each says in its status file, and whether it lives."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agents.status import STATUS_FOLDER, AgentStatus, read_statuses
from config.settings import Settings
from renown.folders import DEMO_FOLDER

KNOWN: Final = {
    "bluesky": "the public stream of Bluesky: renown agent bluesky",
    "generate": "a made-up world at any rate: renown generate",
    "replay": "a file at any speed: renown replay FILE",
}
"""Agent → what it reads and how it is started."""

_SILENT_MS: Final = 10_000
"""An agent writes its status about once a second."""
_ENDED: Final = ("stopped", "failed")


@dataclass(frozen=True, slots=True)
class AgentState:
    """One agent. ``state``: connecting, running, paused, stopped, failed, died or never ran.

    Times are ms UTC, 0 for never; ``behind_seconds``: from the event time of its cursor to now.
    """

    agent: str
    what: str
    state: str
    alive: bool = False
    detail: str = ""
    networks: tuple[str, ...] = ()
    pid: int = 0
    started_at: int = 0
    updated_at: int = 0
    cursor: str = ""
    cursor_at: int = 0
    behind_seconds: float | None = None
    published: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    posts: int = 0
    accounts: int = 0
    reconnects: int = 0
    metrics_port: int = 0
    folder: str = ""


def agent_states(settings: Settings, now_ms: int) -> list[AgentState]:
    """Every known agent, and each that ran on the data folder or in the demo inside it."""
    found = [
        (status, folder)
        for folder in (settings.data_dir, settings.data_dir / DEMO_FOLDER)
        for status in read_statuses(folder / STATUS_FOLDER)
    ]
    states = [
        judge(status, now_ms, alive=_is_alive(status.pid), folder=folder)
        for status, folder in found
    ]
    seen = {state.agent for state in states}
    return states + [
        AgentState(name, what, "never ran") for name, what in KNOWN.items() if name not in seen
    ]


def judge(status: AgentStatus, now_ms: int, *, alive: bool, folder: Path) -> AgentState:
    """What a status says at ``now_ms``, given whether its process is ``alive``."""
    state: str = status.state
    detail = status.detail
    alive = alive and state not in _ENDED
    if not alive and state not in _ENDED:
        state = "died"
        detail = detail or "its process is gone: start it again, it goes on at its cursor"
    elif alive and now_ms - status.updated_at > _SILENT_MS:
        detail = f"silent for {(now_ms - status.updated_at) / 1000:.0f} s"
    behind = (now_ms - status.cursor_at) / 1000 if status.cursor_at else None
    return AgentState(
        agent=status.name,
        what=KNOWN.get(status.name, ""),
        state=state,
        alive=alive,
        detail=detail,
        networks=status.networks,
        pid=status.pid,
        started_at=status.started_at,
        updated_at=status.updated_at,
        cursor=status.cursor,
        cursor_at=status.cursor_at,
        behind_seconds=None if behind is None else round(behind, 1),
        published=dict(status.published),
        rejected=dict(status.rejected),
        posts=status.posts,
        accounts=status.accounts,
        reconnects=status.reconnects,
        metrics_port=status.metrics_port,
        folder=str(folder),
    )


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
