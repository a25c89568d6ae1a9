"""Rolling windows of one partition: what its accounts received and posted, per cell and horizon.

A cell is an account on one network. Panes are UTC hours; a horizon of h hours holds the panes
``now - h`` to ``now``. An interaction counts in the pane of its own time, however late it comes,
as long as that lies in the longest horizon. One that is ahead of ``now`` waits in its pane until
``now`` reaches it. Everything is an integer that is added and later subtracted, so the state
depends only on which rows came and on ``now``, not on their order.

The work is done by compiled kernels (``streams/kernels/windows.py``).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.texts import TextColumn
from streams.core.arrays import Ints, grown
from streams.core.batches import alike, read_only, scratch_for
from streams.core.moved import Moved, moved
from streams.core.slices import new_slice, packed, unpacked
from streams.core.window_arrays import WindowArrays
from streams.kernels.accounts import (
    find_accounts,
    free_accounts,
    free_rows,
    pack_names,
)
from streams.kernels.hours import advance, begin, enter, find_bereft, mark_fading
from streams.kernels.levels import level_needed, raise_level, unnamed_hours
from streams.kernels.score_arrays import (
    ACCOUNTS,
    DEAD_NAME_BYTES,
    KIND_BITS,
    LAST_HOUR,
    LIMIT,
    NAME_BYTES,
    NOW,
    POST,
    TOP,
    Columns,
)
from streams.kernels.slices import Slice, dump, load, measure
from streams.kernels.windows import apply_rows, record_rows

NAMED: Final = 4096
"""So many engagers of an account are counted exactly; above, a sample is.

The sample is at least half as large: no score above 40 points is off by more than 0.2.
"""
_UNLIMITED: Final = (1 << 31) - 2
_SPARE_BYTES: Final = 1 << 16
_NEVER: Final = -1
_TURNS: Final = 64
"""Every account has its turn in so many snapshots, whether it changed or not."""
_WHOLE: Final = 1 << 12
"""So many accounts have their turn in any case: a small state is always whole."""

_KIND_MASK: Final = (1 << KIND_BITS) - 1


class Windows(WindowArrays):
    """Windows of all accounts of a partition. ``exact``: engagers are never sampled."""

    def __init__(
        self, horizons: Sequence[int], classes: int, kinds: int, *, exact: bool, named: int = NAMED
    ) -> None:
        super().__init__(horizons, classes, kinds)
        self._kinds = kinds
        # by account: number of the snapshot that holds it as it is, or _NEVER
        self._copied: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self.arrays.counters[LIMIT] = _UNLIMITED if exact else named

    def apply(self, columns: Columns) -> npt.NDArray[np.int32]:
        """Count rows, of which ``weights`` are positive on an undo too; returns their accounts.

        Raises ``ValueError`` if a class or kind is unknown.
        """
        self._make_room(columns)
        scratch = scratch_for(len(columns.hours))
        full = apply_rows(self.arrays, alike(columns), scratch)
        self._sample(scratch.full[:full])
        self._changed(scratch.accounts)
        return scratch.accounts

    def recall(self, columns: Columns) -> None:
        """Take in rows of before, in any order; they count from ``begin`` on.

        Raises ``ValueError`` if a class or kind is unknown.
        """
        self._make_room(columns)
        scratch = scratch_for(len(columns.hours))
        full = record_rows(self.arrays, alike(columns), scratch)
        self._sample(scratch.full[:full])

    def _sample(self, accounts: npt.NDArray[np.int32]) -> None:
        """Let the level of accounts rise until no more engagers are named than the limit."""
        for account in np.unique(accounts):
            self._raise_level(account, level_needed(self.arrays, account))

    def raise_levels(self, accounts: Ints, levels: Ints) -> None:
        """Let accounts have these levels at least, where they have anything.

        Where engagers are never sampled, nothing happens.
        """
        if self.arrays.counters[LIMIT] != _UNLIMITED:
            lower = self.cells.level[accounts] < levels
            lower &= self.arrays.account_rows["pairs"][accounts] > 0
            for account, level in zip(accounts[lower], levels[lower], strict=True):
                self._raise_level(account, level)

    def _raise_level(self, account: Any, level: int) -> None:
        self.make_room_for_pairs(unnamed_hours(self.arrays, account, level))
        raise_level(self.arrays, account, level)

    def make(self, names: TextColumn) -> npt.NDArray[np.int32]:
        """The account of each name, made where it is new."""
        self._make_room_for_names(names.data, names.places)
        scratch = scratch_for(len(names))
        find_accounts(
            self.arrays,
            read_only(names.data),
            read_only(names.places),
            scratch.accounts,
            scratch.hashes,
        )
        return scratch.accounts

    def advance(self, hour: int, *, entering: bool = True) -> Moved:
        """Let the hour be ``hour``, if that is later; without ``entering``, its very beginning."""
        if hour <= self.now:
            return moved(np.empty(0, np.uint8))
        marks = np.zeros(self.top, np.uint8)
        advance(self.arrays, hour, marks, hour + 1 if entering else hour)
        return moved(marks)

    def enter(self) -> Moved:
        """Reach what was ahead in the pane of the hour, before any row comes."""
        marks = np.zeros(self.top, np.uint8)
        enter(self.arrays, marks)
        return moved(marks)

    def newest_between(self, after: int, before: int) -> Ints:
        """Accounts whose newest interaction was after one hour and before another one."""
        marks = np.zeros(self.top, np.uint8)
        mark_fading(self.arrays, after, before, marks)
        return np.flatnonzero(marks)

    def begin(self, hour: int) -> None:
        """Let the hour be ``hour`` where nothing was counted so far; all panes count at once."""
        begin(self.arrays, hour)

    def empty(self) -> Ints:
        """Accounts that have nothing in the longest horizon, nor ahead."""
        top = self.top
        nothing = self.arrays.account_rows["pairs"][:top] == 0
        return np.flatnonzero(nothing & (self.cells.name_size[:top] > 0))

    def bereft(self, accounts: Ints) -> Ints:
        """Those of ``accounts`` that received nothing in the longest horizon, posts or not."""
        bereft = np.zeros(len(accounts), np.uint8)
        find_bereft(self.arrays, accounts, bereft)
        return accounts[bereft > 0]

    def free(self, accounts: Ints) -> None:
        """Forget accounts that have nothing left; their numbers may be given to others."""
        free_accounts(self.arrays, accounts)
        self._changed(accounts)
        counters = self.arrays.counters
        dead = int(counters[DEAD_NAME_BYTES])
        if 2 * dead > counters[NAME_BYTES] > _SPARE_BYTES:
            names = np.zeros(int(counters[NAME_BYTES]) - dead, np.uint8)
            pack_names(self.arrays, names)
            self._set_cells(names=names)

    def snapshot(self, number: int) -> dict[str, Any]:
        """What changed since the snapshot before ``number``, and some more in turn.

        So the newest copy of every account is in one of the latest snapshots, from
        ``oldest_needed`` on.
        """
        self._copied = grown(self._copied, self.top, _NEVER)
        copied = self._copied[: self.top]
        most, unchanged = max(self.top // _TURNS, _WHOLE), np.flatnonzero(copied != _NEVER)
        if len(unchanged) > most:
            unchanged = unchanged[np.argpartition(copied[unchanged], most)[:most]]
        copied[unchanged] = _NEVER
        accounts = np.flatnonzero(copied == _NEVER).astype(np.int32)
        copied[accounts] = number
        slice_ = new_slice(accounts, *measure(self.arrays, accounts))
        dump(self.arrays, slice_)
        return {"now": self.now, "top": self.top, "number": number, "slice": packed(slice_)}

    def copied(self, number: int) -> Ints:
        """The accounts that snapshot ``number``, the newest one, holds."""
        return np.flatnonzero(self._copied[: self.top] == number)

    def oldest_needed(self, number: int) -> int:
        """Number of the oldest snapshot that holds the newest copy of an account.

        ``number``: of the newest one.
        """
        return int(self._copied[: self.top].min(initial=number))

    def load(self, snapshots: Sequence[dict[str, Any]]) -> None:
        """Become, from an empty instance, the one that the last snapshot was taken of."""
        last = snapshots[-1]
        self._copied = np.full(last["top"], _NEVER, np.int32)
        slices = [(each["number"], unpacked(each["slice"])) for each in snapshots]
        for number, slice_ in slices:
            self._copied[slice_.accounts] = number
        self.arrays.counters[NOW] = last["now"]
        self.make_room_for_accounts(last["top"], sum(len(each.names) for _, each in slices))
        self.arrays.counters[TOP + ACCOUNTS] = last["top"]
        for number, slice_ in slices:
            self._load(slice_, self._copied[slice_.accounts] == number)
        free_rows(self.arrays)
        self.begin(last["now"])

    def _load(self, slice_: Slice, wanted: npt.NDArray[np.bool_]) -> None:
        self.make_room_for_cells(len(slice_.networks))
        self.make_room_for_pairs(len(slice_.engagers))
        self.make_room_for_entries(len(slice_.hours))
        self.make_room_for_posters(int((slice_.codes & _KIND_MASK == POST).sum()))
        self.make_room_for_hours(int(slice_.hours.max(initial=0)))
        load(self.arrays, slice_, wanted)

    def _changed(self, accounts: npt.NDArray[Any]) -> None:
        """No snapshot holds accounts as they are now."""
        self._copied = grown(self._copied, self.top, _NEVER)
        self._copied[accounts] = _NEVER

    def _make_room(self, columns: Columns) -> None:
        rows = len(columns.hours)
        # kernels do not look at bounds: rows of a later version would be written anywhere
        best, last = int(columns.classes.max(initial=0)), int(columns.kinds.max(initial=0))
        if best >= self.cells.distinct.shape[2] or last >= self._kinds:
            raise ValueError(f"rows with class {best} or kind {last}, which are unknown here")
        self._make_room_for_names(columns.names, columns.places)
        self.make_room_for_cells(rows)
        self.make_room_for_pairs(rows)
        self.make_room_for_entries(rows)
        self.make_room_for_posters(int((columns.kinds == POST).sum()) if last >= POST else 0)
        if rows:
            hours = columns.hours
            self.make_room_for_hours(int(hours.max(where=hours < LAST_HOUR, initial=0)))

    def _make_room_for_names(self, names: npt.NDArray[np.uint8], places: Any) -> None:
        self.make_room_for_accounts(len(places) - 1, int(places[-1]) - int(places[0]))
