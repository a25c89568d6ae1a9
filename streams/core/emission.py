"""Which accounts must be published now, and what was published of them last.

An account is *touched* when an interaction or an undo changed it, *due* when only time did. A
touched account is published as soon as anything a reader sees differs from its last update; a due
one when its score moved visibly or crossed a tier line, and otherwise remembered as *drifted*, to
be published at the end of a run. An account is published at most once in ``emit_seconds``; until
then it stays touched or due.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.model import Model
from streams.core.arrays import Bools, Ints, grown, pack, unpack
from streams.core.model import LOWEST, tier

MOVED = 50
"""A score that time moved by so many thousandths is published."""

INTERACTION, TIME, END = "interaction", "time", "end"
_CAUSES = np.array([INTERACTION, TIME, END], object)
_UNPUBLISHED = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Accounts to publish: their places among those asked about, thousandths since, causes."""

    places: Ints
    change: list[int]
    cause: list[str]


class Emission:
    """The emission state of all accounts of a partition; ``sums`` numbers are published of each.

    ``score`` of 0 means never published.
    """

    def __init__(self, model: Model, sums: int, emit_seconds: float) -> None:
        self._model = model
        self._emit_seconds = emit_seconds
        self.accounts = 0
        self._touched: Bools = np.empty(0, np.bool_)
        self._due: Bools = np.empty(0, np.bool_)
        self._drifted: Bools = np.empty(0, np.bool_)
        self._score: Ints = np.empty(0, np.int64)
        self._sums: Ints = np.empty((sums, 0), np.int64)
        # wall time; not part of the snapshot, since it means nothing in another process
        self._published: npt.NDArray[np.float64] = np.empty(0, np.float64)

    def reserve(self, accounts: int) -> None:
        """Make accounts 0 to ``accounts - 1`` exist."""
        if accounts > self.accounts:
            self.accounts = accounts
            self._touched = grown(self._touched, accounts, False)
            self._due = grown(self._due, accounts, False)
            self._drifted = grown(self._drifted, accounts, False)
            self._score = grown(self._score, accounts, _UNPUBLISHED)
            self._sums = grown(self._sums, accounts)
            self._published = grown(self._published, accounts, -np.inf)

    def recall(self, accounts: Ints, score: Ints, sums: Ints) -> None:
        """What was published last of accounts (distinct): scores and int64[sums, accounts]."""
        self._score[accounts] = score
        self._sums[:, accounts] = sums

    def touch(self, accounts: Ints) -> None:
        """Interactions or undos changed these accounts."""
        self._touched[accounts] = True

    def fall_due(self, accounts: Ints) -> None:
        """Time changed these accounts."""
        self._due[accounts] = True

    def finish(self, accounts: Ints) -> Bools:
        """Accounts have the lowest score now: which of them need no further update.

        The others get one.
        """
        told = self._score[accounts] <= LOWEST
        self.touch(accounts[~told])
        result: Bools = told & ~(self._touched[accounts] | self._due[accounts])
        return result

    def free(self, accounts: Ints) -> None:
        """Accounts that do not wait left; their numbers may be given to others."""
        self._drifted[accounts] = False
        self._score[accounts] = _UNPUBLISHED
        self._sums[:, accounts] = 0
        self._published[accounts] = -np.inf

    def candidates(self, now: float, *, everything: bool) -> Ints:
        """Accounts to look at, ascending; ``everything``: without waiting, the drifted ones too."""
        waiting = self._touched | self._due
        if everything:
            return np.flatnonzero(waiting | self._drifted)
        found = np.flatnonzero(waiting)
        rested: Ints = found[self._published[found] <= now - self._emit_seconds]
        return rested

    def decide(
        self, accounts: Ints, score: Ints, sums: Ints, now: float, *, everything: bool
    ) -> Decision:
        """Decide on candidates (distinct) by their present score and int64[sums, accounts].

        What is decided counts as published; the others are no longer touched or due.
        """
        before = self._score[accounts]
        known = before != _UNPUBLISHED
        change = score - np.where(known, before, LOWEST)
        touched, due = self._touched[accounts], self._due[accounts]
        differs = ~known | (change != 0) | (sums != self._sums[:, accounts]).any(0)
        crossed = tier(score, self._model) != tier(before, self._model)
        by_time = known & due & ((np.abs(change) >= MOVED) | crossed)
        at_end = known & (change != 0) if everything else np.zeros(len(accounts), np.bool_)
        by_touch = touched & differs
        cause = np.where(by_touch, 0, np.where(by_time, 1, 2))
        places = np.flatnonzero(by_touch | by_time | at_end)

        self._touched[accounts] = False
        self._due[accounts] = False
        self._drifted[accounts] = known & (change != 0)
        published = accounts[places]
        self._drifted[published] = False
        self._published[published] = now
        self._score[published] = score[places]
        self._sums[:, published] = sums[:, places]
        return Decision(places, change[places].tolist(), _CAUSES[cause[places]].tolist())

    def snapshot(self) -> dict[str, Any]:
        """What was published and what waits."""
        n = self.accounts
        flags = self._touched[:n] + 2 * self._due[:n] + 4 * self._drifted[:n]
        return {
            "flags": pack(flags),
            "score": pack(self._score[:n]),
            "sums": [pack(row[:n]) for row in self._sums],
        }

    def load(self, snapshot: dict[str, Any]) -> None:
        """Become, from an empty instance, the one that ``snapshot`` was taken of."""
        flags = unpack(snapshot["flags"])
        n = len(flags)
        self.reserve(n)
        for bit, flag in enumerate((self._touched, self._due, self._drifted)):
            flag[:n] = (flags >> bit) & 1
        self._score[:n] = unpack(snapshot["score"])
        for row, packed in zip(self._sums, snapshot["sums"], strict=True):
            row[:n] = unpack(packed)
