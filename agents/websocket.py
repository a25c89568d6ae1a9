"""One WebSocket connection to read from: how it is opened, and in a line why it ended."""

import logging
from typing import Final, Protocol

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

LARGEST_FRAME: Final = 4 * 1024 * 1024
"""Bytes of a message that are taken into memory at all; what is larger ends the connection."""

_OPEN_SECONDS: Final = 15.0
_PING_SECONDS: Final = 20.0
_PONG_SECONDS: Final = 40.0
"""Longer than the publisher may hold up the reader: a pong is read behind the messages."""
_CLOSE_SECONDS: Final = 2.0
_QUEUED_FRAMES: Final = 256
_TOO_BIG: Final = 1009

# Its own lines about lost connections tell less than ours, with tracebacks.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


class Socket(Protocol):
    """An open connection."""

    def recv(self, timeout: float | None, *, decode: bool | None) -> str | bytes:
        """The next message; raises ``TimeoutError`` or ``ConnectionClosed``."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def dial(url: str) -> Socket:
    """Connect; raises ``OSError`` or what ``websockets`` does."""
    connecting = connect(
        url,
        compression=None,
        open_timeout=_OPEN_SECONDS,
        ping_interval=_PING_SECONDS,
        ping_timeout=_PONG_SECONDS,
        close_timeout=_CLOSE_SECONDS,
        max_size=LARGEST_FRAME,
        max_queue=_QUEUED_FRAMES,
        user_agent_header="renown",
    )
    # Only as a context does the library not warn; it is left by ``close``.
    return connecting.__enter__()


def was_too_big(error: ConnectionClosed) -> bool:
    """Whether it was we who closed, because of the size of a message."""
    return error.sent is not None and error.sent.code == _TOO_BIG


def reason_of(error: Exception) -> str:
    """One line about why a connection failed."""
    if isinstance(error, InvalidStatus):
        return f"it answers HTTP {error.response.status_code}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionClosed):
        return _ending(error)
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    return (text or type(error).__name__)[:200]


def _ending(closed: ConnectionClosed) -> str:
    """Who ended a connection, and why."""
    if closed.sent and not closed.rcvd_then_sent:
        return f"given up with code {closed.sent.code} {closed.sent.reason}".strip()
    if closed.rcvd:
        return f"it closed with code {closed.rcvd.code} {closed.rcvd.reason[:100]}".strip()
    return "it broke off"
