"""What each agent of a data folder does: one small file an agent, replaced about once a second."""

import contextlib
import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from config.errors import Unreachable

STATUS_FOLDER: Final = "agents"
"""Name of the folder of status files inside the data folder."""

State = Literal["connecting", "running", "paused", "stopped", "failed"]


class AgentStatus(msgspec.Struct, kw_only=True):
    """A moment of an agent. Times are milliseconds since 1970, UTC, 0 for not yet.

    ``detail``: a line for people, for example why it is not connected. ``cursor``: the position
    that the broker has acknowledged, as the source writes it; ``cursor_at``: its event time.
    ``published``: kind → interactions, undos included; ``rejected``: reason → number. Both, like
    ``posts``, ``accounts`` and ``reconnects``, count since ``started_at``.
    """

    name: str
    networks: tuple[str, ...] = ()
    pid: int = 0
    started_at: int = 0
    updated_at: int = 0
    state: State = "connecting"
    detail: str = ""
    cursor: str = ""
    cursor_at: int = 0
    published: dict[str, int] = {}
    rejected: dict[str, int] = {}
    posts: int = 0
    accounts: int = 0
    reconnects: int = 0
    metrics_port: int = 0


def write_status(folder: Path, status: AgentStatus) -> None:
    """Replace the status file of ``status.name`` in the folder of statuses, which may be made.

    Readers see the old or the new one, never a part. Raises ``Unreachable`` where it cannot be
    written.
    """
    unfinished = folder / f"{status.name}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(msgspec.json.encode(status))
        unfinished.replace(folder / f"{status.name}.json")
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise Unreachable(
            f"cannot write the status of agent {status.name} in {folder} "
            f"({error.strerror or error}): make the folder writable or choose another "
            "(RENOWN_DATA_DIR)"
        ) from None


def read_statuses(folder: Path) -> list[AgentStatus]:
    """The last told status of every agent in the folder of statuses, by name.

    A file that is none of this version gives a status that says so.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=AgentStatus))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            detail = f"{path} cannot be read ({error}): start the agent again, or delete it"
            found.append(AgentStatus(name=path.stem, state="failed", detail=detail))
    return found
