"""What each agent of a data folder does: one small file an agent, replaced about once a second."""

import contextlib
import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from config.errors import Unreachable

STATUS_FOLDER: Final = "agents"
"""Folder of the status files inside the data folder."""

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


def write_status(data_dir: Path, status: AgentStatus) -> None:
    """Replace the status file of ``status.name``; readers see the old or the new one, never a part.

    Raises ``Unreachable`` where the data folder cannot be written.
    """
    folder = data_dir / STATUS_FOLDER
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


def read_statuses(data_dir: Path) -> list[AgentStatus]:
    """The last told status of every agent of a data folder, by name.

    A file that is none of this version gives a status that says so.
    """
    found = []
    for path in sorted((data_dir / STATUS_FOLDER).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=AgentStatus))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            detail = f"{path} cannot be read ({error}): start the agent again, or delete it"
            found.append(AgentStatus(name=path.stem, state="failed", detail=detail))
    return found
