"""The days of one score partition: what is told of its accounts when a day is over."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from schemas.frames import Frame, decode_frame
from schemas.model import Model
from schemas.standing import MARKER_KEY, DayClosed, Standing
from streams.core.days import day_of
from streams.core.model import tier
from streams.core.updates import standings_of
from streams.core.windows import Windows
from streams.kernels.standing import Formula

_AT_ONCE: Final = 1 << 14
"""Accounts whose scores are looked at in one go."""

Said = tuple[bytes, bytes]
"""Key and value of a record of ``standing``."""


def tiers_of(windows: Windows, formula: Formula, model: Model) -> dict[str, int]:
    """Account → tier of its score in the hour of ``windows``, where it is not 0."""
    tiers: dict[str, int] = {}
    for start in range(0, windows.top, _AT_ONCE):
        accounts = np.arange(start, min(start + _AT_ONCE, windows.top))
        reached = tier(standings_of(accounts, windows.cells, windows.now, formula).score, model)
        for place in np.flatnonzero(reached).tolist():
            tiers[windows.name(start + place)] = int(reached[place])
    return tiers


@dataclass(slots=True)
class _Held:
    """A frame that counts only once the day before ``day`` is closed."""

    day: int
    frame: Frame


class Midnights:
    """Tiers as they were told, and frames of sources that are ahead. Days count since 1970.

    ``closed``: the newest day closed, -1 before any. A source may have come to a day that has not
    begun here. What it brings then must not count at the midnight between, however old it is:
    else the tiers of that midnight would hang on which of two sources was quicker.
    """

    def __init__(self) -> None:
        self.closed = -1
        self._first: int | None = None
        self._tiers: dict[str, int] = {}
        self._whole = True  # an owner before may have told otherwise
        self._held: list[_Held] = []
        self._owed: list[Said] = []

    def hear(self, clock: int) -> None:
        """A source told for the first time which event time (ms) it has reached."""
        day = day_of(clock)
        self._first = day if self._first is None else min(self._first, day)

    def hold(self, frame: Frame, reached: int) -> bool:
        """Keep a frame for later if its source was ahead: it had told event time ``reached``."""
        day = day_of(reached)
        if day - 1 <= self.closed:
            return False
        self._held.append(_Held(day, frame))
        return True

    def close(self, day: int, tiers: dict[str, int], epoch: int, sequence: int) -> int:
        """Close ``day``; returns the last sequence number given to what is told.

        ``tiers``: account → tier at the end of the day, where it is not 0. ``sequence``: the last
        number given before.
        """
        changes = {name: tiers.get(name, 0) for name in (*self._tiers, *tiers)}
        if not self._whole:
            changes = {n: to for n, to in changes.items() if to != self._tiers.get(n, 0)}
        for name, to in sorted(changes.items()):
            sequence += 1
            said = Standing(account=name, day=day, tier=to, epoch=epoch, sequence=sequence)
            self._owed.append((name.encode(), msgspec.json.encode(said)))
        sequence += 1
        first = day + 1 if self._first is None else self._first
        marker = DayClosed(
            closed=day, first=first, whole=self._whole, epoch=epoch, sequence=sequence
        )
        self._owed.append((MARKER_KEY, msgspec.json.encode(marker)))
        self.closed, self._tiers, self._whole = day, tiers, False
        return sequence

    def released(self) -> list[Frame]:
        """Frames that count from now on, in the order in which they came."""
        free = [held.frame for held in self._held if held.day - 1 <= self.closed]
        self._held = [held for held in self._held if held.day - 1 > self.closed]
        return free

    def owed(self) -> list[Said]:
        """What must be told now; it counts as told."""
        owed, self._owed = self._owed, []
        return owed

    def snapshot(self) -> dict[str, Any]:
        """The whole state; take what is ``owed`` before. It shares nothing with this object."""
        return {
            "closed": self.closed,
            "first": self._first,
            "tiers": list(self._tiers.items()),
            "held": [[held.day, held.frame.encode()] for held in self._held],
        }

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> "Midnights":
        """The state that a snapshot was taken of, for a new owner."""
        self = cls()
        self.closed, self._first = snapshot["closed"], snapshot["first"]
        self._tiers = dict(snapshot["tiers"])
        self._held = [_Held(day, decode_frame(frame)) for day, frame in snapshot["held"]]
        return self
