"""What a replay has done, and how far it is."""

from dataclasses import dataclass

import msgspec


class ReplayReport(msgspec.Struct):
    """Counts of a replay over all its interrupted runs; what is saved in its cursor.

    ``read``: lines with content, comments and headers excepted, in every pass. Each is one of:
    ``folded`` into its neighbour, ``self_dropped``, ``rejected`` (reason → lines; they are passed
    on for the dead letters), ``published`` (kind → interactions, undos included), ``heartbeats``
    of the file itself, or ``beyond`` the time until which was played. ``last_at``: highest event
    time published, in ms, 0 for none. ``finished``: not interrupted.
    """

    read: int = 0
    folded: int = 0
    self_dropped: int = 0
    rejected: dict[str, int] = {}
    published: dict[str, int] = {}
    heartbeats: int = 0
    beyond: int = 0
    last_at: int = 0
    seconds: float = 0.0
    finished: bool = False

    @property
    def published_total(self) -> int:
        """Interactions published, of all kinds."""
        return sum(self.published.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a replay.

    ``fraction`` of the bytes of all passes, 0 to 1; ``rate``: lines a second in this run; ``at``:
    event time reached, ms; ``remaining``: seconds, None while nothing can be said.
    """

    read: int
    published: int
    fraction: float
    rate: float
    at: int
    remaining: float | None
