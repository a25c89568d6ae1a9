"""Which accounts must be published now, and what was published of them last.

An account is *touched* when an interaction, an own post or an undo changed it, *due* when only time
did. A touched account is published as soon as anything a reader sees differs from its last update;
a due one when its score moved visibly or crossed a tier line, and otherwise remembered as
*drifted*, to be published at the end of a run. One that only posts and never received anything is
not published at all. An account is published at most once in ``emit_seconds``; until then it waits.
Those that wait are listed, so that publishing costs nothing for all the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.model import Model
from streams.core.arrays import Bools, Ints, grown, pack, unpack
from streams.core.model import LOWEST, tier
from streams.kernels.standing import digest_all
from streams.kernels.waiting import (
    AGAIN,
    CHANGED,
    DRIFTED,
    DUE,
    REPEAT,
    TOUCHED,
    WAITING,
    mark,
    take_rested,
)

MOVED = 50
"""A score that time moved by so many thousandths is published."""

INTERACTION, TIME, END = "interaction", "time", "end"
CAUSES = (INTERACTION, TIME, END)
MOST_AT_ONCE = 20_000
"""So many accounts are looked at in one go, lest everything else waits; the rest has its turn."""
_UNPUBLISHED = 0
_KEPT_FLAGS = TOUCHED | DUE | DRIFTED | AGAIN | REPEAT

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Decision:
    """Accounts to publish: their places among those asked about, ascending.

    ``change``: thousandths since the update before; ``cause``: index in CAUSES.
    """

    places: Ints
    change: Ints
    cause: Ints


class Emission:
    """The emission state of all accounts of a partition. ``score`` of 0 means never published."""

    def __init__(self, model: Model, emit_seconds: float) -> None:
        self._model = model
        self._emit_seconds = emit_seconds
        self.accounts = 0
        self._flags: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._score: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._said: Hashes = np.empty(0, np.uint64)
        # wall time; not part of the snapshot, since it means nothing in another process
        self._published: npt.NDArray[np.float64] = np.empty(0, np.float64)
        self._waiting: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._listed = 0
        self._guarded = False

    def reserve(self, accounts: int) -> None:
        """Make accounts 0 to ``accounts - 1`` exist."""
        if accounts > self.accounts:
            self.accounts = accounts
            self._flags = grown(self._flags, accounts)
            self._score = grown(self._score, accounts, _UNPUBLISHED)
            self._said = grown(self._said, accounts)
            self._published = grown(self._published, accounts, -np.inf)
            self._waiting = grown(self._waiting, accounts)

    def recall(self, accounts: Ints, score: Ints, sums: Ints) -> None:
        """What was published last of accounts (distinct): scores, int64[3 * horizons, accounts]."""
        rows = np.ascontiguousarray(sums.T).reshape(len(accounts), 3, len(sums) // 3)
        said = np.empty(len(accounts), np.uint64)
        digest_all(rows, said)
        self._score[accounts] = score
        self._said[accounts] = said
        self._flags[accounts] |= CHANGED

    def touch(self, accounts: npt.NDArray[Any]) -> None:
        """Interactions or undos changed these accounts."""
        self._mark(accounts, TOUCHED)

    def touch_known(self, accounts: npt.NDArray[Any]) -> None:
        """Own posts changed these accounts: one of which nothing was published stays unknown."""
        self.touch(accounts[self._score[accounts] != _UNPUBLISHED])

    def fall_due(self, accounts: Ints) -> None:
        """Time changed these accounts."""
        self._mark(accounts, DUE)

    def guard(self) -> None:
        """An owner before may have published what is not known here, and may still do so.

        Until ``end_guard`` whatever is touched is published, whether it differs or not.
        """
        self._guarded = True

    def end_guard(self) -> None:
        """Publish once more what was published meanwhile: nobody else publishes any more."""
        self._guarded = False
        repeated = np.flatnonzero(self._flags[: self.accounts] & REPEAT)
        self._flags[repeated] &= ~np.uint8(REPEAT)
        self._mark(repeated, AGAIN)

    def _mark(self, accounts: npt.NDArray[Any], bit: int) -> None:
        accounts = np.ascontiguousarray(accounts, np.int64)
        self._listed = mark(self._flags, accounts, np.uint8(bit), self._waiting, self._listed)

    def finish(self, accounts: Ints) -> Bools:
        """Accounts have the lowest score now: which of them need no further update.

        The others get one.
        """
        told = self._score[accounts] <= LOWEST
        self.touch(accounts[~told])
        result: Bools = told & ((self._flags[accounts] & (WAITING | REPEAT)) == 0)
        return result

    def free(self, accounts: Ints) -> None:
        """Accounts that do not wait left; their numbers may be given to others."""
        self._flags[accounts] = CHANGED
        self._score[accounts] = _UNPUBLISHED
        self._said[accounts] = 0
        self._published[accounts] = -np.inf

    def candidates(self, now: float, *, everything: bool) -> Ints:
        """Accounts to look at, ascending; ``everything``: without waiting, the drifted ones too.

        They must be decided on.
        """
        most = self._listed if everything else min(self._listed, MOST_AT_ONCE)
        rested: Ints = np.empty(most, np.int64)
        before = np.inf if everything else now - self._emit_seconds
        self._listed, taken = take_rested(
            self._flags, self._published, before, self._waiting, self._listed, rested
        )
        rested = np.sort(rested[:taken])
        if everything:
            drifted = np.flatnonzero(self._flags[: self.accounts] & DRIFTED)
            rested = np.union1d(rested, drifted)
        return rested

    def decide(
        self, accounts: Ints, score: Ints, said: Hashes, now: float, *, everything: bool
    ) -> Decision:
        """Decide on candidates (distinct) by their present score and the digest of their sums.

        What is decided counts as published; the others do not wait any more.
        """
        before, flags = self._score[accounts].astype(np.int64), self._flags[accounts]
        known = before != _UNPUBLISHED
        change = score - np.where(known, before, LOWEST)
        differs = ~known | (change != 0) | (said != self._said[accounts])
        crossed = tier(score, self._model) != tier(before, self._model)
        due = (flags & DUE) != 0
        by_time = known & due & ((np.abs(change) >= MOVED) | crossed)
        at_end = known & (change != 0) if everything else np.zeros(len(accounts), np.bool_)
        by_touch = ((flags & TOUCHED) != 0) & (differs | self._guarded)
        by_touch |= known & ((flags & AGAIN) != 0)
        cause = np.where(by_touch, 0, np.where(by_time, 1, 2))
        chosen = by_touch | by_time | at_end
        places = np.flatnonzero(chosen)

        drifted = known & (change != 0) & ~chosen
        repeat = (flags & REPEAT) | (chosen & self._guarded) * np.uint8(REPEAT)
        self._flags[accounts] = CHANGED | repeat | drifted * np.uint8(DRIFTED)
        published = accounts[places]
        self._published[published] = now
        self._score[published] = score[places]
        self._said[published] = said[places]
        return Decision(places, change[places], cause[places])

    def snapshot(self, accounts: npt.NDArray[Any]) -> dict[str, Any]:
        """What was published of ``accounts`` and of those that changed, and whether they wait."""
        flags = self._flags[: self.accounts]
        flags[accounts] |= CHANGED
        changed = np.flatnonzero(flags & CHANGED)
        flags[changed] &= ~np.uint8(CHANGED)
        return {
            "accounts": pack(np.diff(changed, prepend=0)),
            "flags": pack(flags[changed] & _KEPT_FLAGS),
            "score": pack(self._score[changed]),
            "said": self._said[changed].astype("<u8").tobytes(),
        }

    def load(self, snapshots: Sequence[dict[str, Any]], accounts: int) -> None:
        """Become, from an empty instance, the one that the last snapshot was taken of.

        Later ones count more. ``accounts``: how many there are.
        """
        self.reserve(accounts)
        for snapshot in snapshots:
            changed = np.cumsum(unpack(snapshot["accounts"]))
            self._flags[changed] = unpack(snapshot["flags"])
            self._score[changed] = unpack(snapshot["score"])
            self._said[changed] = np.frombuffer(snapshot["said"], "<u8")
        flags = self._flags[:accounts]
        waiting = np.flatnonzero(flags & (TOUCHED | DUE | AGAIN))
        flags[waiting] |= WAITING
        self._waiting[: len(waiting)] = waiting
        self._listed = len(waiting)
