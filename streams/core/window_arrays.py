"""The memory of the windows of one partition: arrays that grow before a kernel needs the room."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.core.arrays import fresh
from streams.core.room import SMALLEST, enlarged, more, slots_for, tight_slots_for
from streams.kernels.accounts import index_accounts
from streams.kernels.cells import NO_CROWD, Cells
from streams.kernels.engagers import index_pairs
from streams.kernels.score_arrays import (
    ACCOUNT,
    ACCOUNTS,
    ALIVE,
    CELL,
    CELLS,
    CLASS_BITS,
    COUNTERS,
    CROWDS,
    ENTRIES,
    ENTRY,
    KIND_BITS,
    LARGE,
    MOST_HORIZONS,
    MOST_NARROW,
    NAME_BYTES,
    NOW,
    PAIR,
    PAIR_BITS,
    PAIRS,
    POSTERS,
    SLOT_BITS,
    TOP,
    ScoreArrays,
)

_RECENT: Final = 1 << 12
_SPARE_CROWDS: Final = 1 << 12
"""Room for cells of few engagers with more than 2^30 interactions."""
_SPARE_BITS: Final = 2
"""The rows of pairs may become four times as many before their index is made anew."""

_ACCOUNT_COLUMNS: Final = ("head", "level", "name_at", "name_size")
_CELL_COLUMNS: Final = (
    "weights", "interactions", "distinct", "poster", "crowd", "last", "first", "following",
)  # fmt: skip


class WindowArrays:
    """The arrays of one partition, and what is asked of them without a kernel."""

    def __init__(self, horizons: Sequence[int], classes: int, kinds: int) -> None:
        if classes >= 1 << CLASS_BITS or kinds > 1 << KIND_BITS or len(horizons) > MOST_HORIZONS:
            raise ValueError(f"no room for {classes} classes, {kinds} kinds, {len(horizons)} hours")
        sums = (0, len(horizons))
        cells = Cells(
            weights=np.zeros(sums, np.int64),
            interactions=np.zeros(sums, np.int32),
            distinct=np.zeros((0, len(horizons), classes), np.uint8),
            crowds=np.zeros((0, len(horizons), 1 + classes), np.int64),
            crowd=np.zeros(0, np.int32),
            posts=np.zeros(sums, np.int32),
            poster=np.zeros(0, np.int32),
            last=np.zeros(0, np.int32),
            first=np.zeros(0, np.int32),
            head=np.zeros(0, np.int32),
            following=np.zeros(0, np.int32),
            level=np.zeros(0, np.uint8),
            names=np.zeros(0, np.uint8),
            name_at=np.zeros(0, np.int64),
            name_size=np.zeros(0, np.uint16),
        )
        self.arrays = ScoreArrays(
            cells=cells,
            account_rows=np.zeros(0, ACCOUNT),
            cell_rows=np.zeros(0, CELL),
            pair_rows=np.zeros(0, PAIR),
            entry_rows=np.zeros(0, ENTRY),
            large=np.zeros((0, 2), np.int64),
            account_slots=np.zeros(SMALLEST, np.int32),
            pair_slots=np.zeros(SMALLEST, np.uint32),
            panes=np.zeros(0, np.int32),
            recent=np.zeros(_RECENT, np.int32),
            horizons=np.array(horizons, np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )

    @property
    def now(self) -> int:
        """The hour."""
        return int(self.arrays.counters[NOW])

    @property
    def top(self) -> int:
        """Accounts have numbers below this one; some of them may be free."""
        return int(self.arrays.counters[TOP + ACCOUNTS])

    @property
    def accounts(self) -> int:
        """How many accounts there are."""
        return int(self.arrays.counters[ALIVE + ACCOUNTS])

    @property
    def cells(self) -> Cells:
        """What the score follows from."""
        return self.arrays.cells

    def counts(self, cell: int) -> npt.NDArray[np.int64]:
        """int64[horizons, 1 + classes]: interactions of a cell, then its engagers by class."""
        cells = self.cells
        if cells.crowd[cell] != NO_CROWD:
            crowd: npt.NDArray[np.int64] = cells.crowds[cells.crowd[cell]]
            return crowd
        narrow = cells.interactions[cell][:, None], cells.distinct[cell]
        return np.concatenate(narrow, axis=1, dtype=np.int64)

    def name(self, account: int) -> str:
        """The name of an account."""
        at, size = int(self.cells.name_at[account]), int(self.cells.name_size[account])
        return bytes(self.cells.names[at : at + size]).decode()

    def make_room_for_accounts(self, rows: int, name_bytes: int) -> None:
        """Make room for so many more accounts with names of so many bytes together."""
        arrays = self.arrays
        top, capacity = self.top, len(arrays.account_rows)
        if top + rows > capacity:
            capacity = more(capacity, top + rows)
            self._enlarge(capacity, top, "account_rows", _ACCOUNT_COLUMNS)
        used = int(arrays.counters[NAME_BYTES])
        if used + name_bytes > len(self.cells.names):
            larger = more(len(self.cells.names), used + name_bytes)
            self._set_cells(names=enlarged(self.cells.names, larger, used))
        slots = slots_for(len(self.arrays.account_slots), self.accounts + rows)
        if slots > len(self.arrays.account_slots):
            self.arrays = self.arrays._replace(account_slots=fresh((slots,), np.int32))
            index_accounts(self.arrays)

    def make_room_for_cells(self, rows: int) -> None:
        """Make room for so many more cells."""
        top, capacity = int(self.arrays.counters[TOP + CELLS]), len(self.arrays.cell_rows)
        if top + rows > capacity:
            self._enlarge(more(capacity, top + rows), top, "cell_rows", _CELL_COLUMNS)

    def make_room_for_posters(self, rows: int) -> None:
        """Make room for the numbers of so many more cells with own posts."""
        top, capacity = int(self.arrays.counters[TOP + POSTERS]), len(self.cells.posts)
        if top + rows > capacity:
            posts = enlarged(self.cells.posts, more(capacity, top + rows), top)
            self._set_cells(posts=posts)

    def make_room_for_pairs(self, rows: int) -> None:
        """Make room for so many more pairs."""
        counters, capacity = self.arrays.counters, len(self.arrays.pair_rows)
        top, alive = int(counters[TOP + PAIRS]), int(counters[ALIVE + PAIRS])
        if top + rows > capacity:
            self._enlarge(more(capacity, top + rows), top, "pair_rows", ())
        slots, bits = len(self.arrays.pair_slots), len(self.arrays.pair_rows).bit_length()
        larger = tight_slots_for(slots, alive + rows)
        if larger > slots or bits > counters[PAIR_BITS]:
            counters[PAIR_BITS] = min(bits + _SPARE_BITS, SLOT_BITS)
            self.arrays = self.arrays._replace(pair_slots=fresh((larger,), np.uint32))
            index_pairs(self.arrays)
        self._make_room_for_crowds((alive + rows) // MOST_NARROW + _SPARE_CROWDS)

    def _make_room_for_crowds(self, rows: int) -> None:
        """Make room for so many more cells with many engagers.

        Each has more than MOST_NARROW pairs, which are its own: so there are not many.
        """
        top, capacity = int(self.arrays.counters[TOP + CROWDS]), len(self.cells.crowds)
        if top + rows > capacity:
            crowds = enlarged(self.cells.crowds, more(capacity, top + rows), top)
            self._set_cells(crowds=crowds)

    def make_room_for_entries(self, rows: int) -> None:
        """Make room for so many more entries."""
        top, capacity = int(self.arrays.counters[TOP + ENTRIES]), len(self.arrays.entry_rows)
        if top + rows > capacity:
            capacity = more(capacity, top + rows)
            self._enlarge(capacity, top, "entry_rows", ())
            # any of them may become large
            held = int(self.arrays.counters[TOP + LARGE])
            self.arrays = self.arrays._replace(large=enlarged(self.arrays.large, capacity, held))

    def make_room_for_hours(self, hour: int) -> None:
        """Make room for panes up to ``hour``."""
        panes = self.arrays.panes
        if hour >= len(panes):
            larger = enlarged(panes, hour + hour // 8 + SMALLEST, len(panes))
            self.arrays = self.arrays._replace(panes=larger)

    def _enlarge(self, capacity: int, used: int, rows: str, columns: tuple[str, ...]) -> None:
        larger: dict[str, Any] = {rows: enlarged(getattr(self.arrays, rows), capacity, used)}
        self.arrays = self.arrays._replace(**larger)
        cells = {name: enlarged(getattr(self.cells, name), capacity, used) for name in columns}
        self._set_cells(**cells)

    def _set_cells(self, **columns: npt.NDArray[Any]) -> None:
        self.arrays = self.arrays._replace(cells=self.cells._replace(**columns))
