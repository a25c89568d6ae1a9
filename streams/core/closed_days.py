"""What one partition of ``standing`` has said: which day is closed, and the tiers that changed."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from schemas.hashing import hash64
from schemas.standing import MARKER_KEY, DayClosed, Standing
from streams.core.records import Record

_standing: Final = msgspec.json.Decoder(Standing).decode
_marker: Final = msgspec.json.Decoder(DayClosed).decode


class ClosedDays:
    """Takes the records of a partition of ``standing`` in; what they say waits for ``take``.

    ``position``: the last offset read, -1 before any. ``closed``: the newest day closed, -1 for
    none yet; ``first``: the first day of the instance, as the marker said. Records of an owner
    that was replaced count for nothing.
    """

    def __init__(self) -> None:
        self.position = -1
        self.closed = -1
        self.first = 0
        self._epoch = -1
        # hash of an account → tier: since the marker of ``closed``, and up to it
        self._open: dict[int, int] = {}
        self._open_is_whole = False
        self._waiting: dict[int, int] = {}
        self._whole = False

    def read(self, records: Iterable[Record], last: int) -> None:
        """Take records in up to offset ``last``.

        Raises:
            ValueError: a record is none of this version.
        """
        for record in records:
            if record.offset > self.position and record.value is not None:
                try:
                    self._read(record.key, record.value)
                except msgspec.DecodeError as error:
                    raise ValueError(f"standing, offset {record.offset}: {error}") from error
        self.position = max(self.position, last)

    def _read(self, key: bytes | None, value: bytes) -> None:
        if key == MARKER_KEY:
            marker = _marker(value)
            if self._is_of_owner(marker.epoch):
                self._close(marker)
        else:
            standing = _standing(value)
            if self._is_of_owner(standing.epoch):
                self._open[hash64(standing.account)] = standing.tier

    def _is_of_owner(self, epoch: int) -> bool:
        """Whether ``epoch`` is not of an owner before; what one left unfinished is forgotten."""
        if epoch > self._epoch:
            self._epoch = epoch
            self._forget_open()
        return epoch == self._epoch

    def _close(self, marker: DayClosed) -> None:
        """What a new owner tells once more of days before the newest one waits for that one."""
        self._open_is_whole |= marker.whole
        if marker.closed < self.closed:
            return
        self.closed, self.first = marker.closed, marker.first
        if self._open_is_whole:
            self._waiting, self._whole = {}, True
        self._waiting |= self._open
        self._forget_open()

    def _forget_open(self) -> None:
        self._open, self._open_is_whole = {}, False

    def take(self) -> tuple[dict[int, int], bool]:
        """Hash of an account → tier where it changed by the newest closed day, since the last take.

        And whether those are all that are not 0.
        """
        taken = self._waiting, self._whole
        self._waiting, self._whole = {}, False
        return taken

    def snapshot(self) -> dict[str, Any]:
        """The whole state; it shares nothing with this object."""
        return {
            "position": self.position,
            "closed": self.closed,
            "first": self.first,
            "epoch": self._epoch,
            "open": list(self._open.items()),
            "open_is_whole": self._open_is_whole,
            "waiting": list(self._waiting.items()),
            "whole": self._whole,
        }

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> "ClosedDays":
        """The state that a snapshot was taken of."""
        self = cls()
        self.position, self.closed = snapshot["position"], snapshot["closed"]
        self.first, self._epoch = snapshot["first"], snapshot["epoch"]
        self._open, self._open_is_whole = dict(snapshot["open"]), snapshot["open_is_whole"]
        self._waiting, self._whole = dict(snapshot["waiting"]), snapshot["whole"]
        return self
