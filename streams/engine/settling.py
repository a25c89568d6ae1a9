"""How long a worker may own partitions without reading them."""

from typing import Final

_LEAST_SECONDS: Final = 60.0
_SESSIONS: Final = 6


class Settling:
    """Notices that something keeps a worker from reading, for too long and without progress.

    A rebalance or a recovery that never ends leaves a member of the group that is alive to the
    broker and does nothing: nobody takes its partitions over. Ended and started again, it goes on
    from its checkpoints.
    """

    def __init__(self, session_seconds: float) -> None:
        self.patience = max(_LEAST_SECONDS, _SESSIONS * session_seconds)
        self._seen: tuple[str, object] = ("", None)
        self._since = 0.0

    def too_long(self, reason: str, progress: object, now: float) -> str:
        """What to say when ``reason`` has held for too long; nothing while it may.

        ``reason``: why nothing is read now, empty if all is well. ``progress``: differs from
        before if a recovery has come further. ``now``: monotonic seconds.
        """
        if not reason or (reason, progress) != self._seen:
            self._seen, self._since = (reason, progress), now
            return ""
        lasted = now - self._since
        return f"{reason} for {lasted:.0f} s" if lasted > self.patience else ""
