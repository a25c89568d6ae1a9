"""All arrays of one partition's score state, as the kernels get them.

Accounts, cells, pairs and entries are rows of arrays; a row that is no longer needed goes to a free
list and is used again. An account has a list of cells; a cell has a list of pairs (an engager of
the cell); a pair has a list of entries (what the engager did in one hour), newest first; and an
hour has a list of all its entries, its pane. Lists are chains of row numbers that end with ``END``.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import Cells

END: Final = -1
CUT: Final = -2
"""In place of the next entry of a pair: the entry has left its pair, and leaves its pane next."""

KIND_BITS: Final = 3
CLASS_BITS: Final = 3
CODE_BITS: Final = KIND_BITS + CLASS_BITS
MOST_HORIZONS: Final = 5
LAST_HOUR: Final = (1 << (32 - CODE_BITS)) - 1
"""Hours are smaller than this, which the year 9625 has to solve: an event beyond never comes."""
NOBODY: Final = 0
"""Engager of the pair that holds a cell's own posts; no hash of an engager is 0."""
POST: Final = 5
"""The kind of an own post (``schemas.kinds.POST``): no interaction, without engager and weight,
and counted apart from all else."""
UNNAMED: Final = -1
"""In place of the best classes of a pair that is no named engager's: it holds own posts, or what
unnamed engagers did in an hour."""
LARGEST_LEVEL: Final = 64

ACCOUNT: Final = np.dtype([("hash", "<u8"), ("named", "<i4"), ("pairs", "<i4")])
"""``hash`` of the name; how many of its pairs are ``named``; all its ``pairs``."""
CELL: Final = np.dtype([("account", "<i4"), ("pair", "<i4"), ("network", "<i4")])
"""``pair``: its first one."""
PAIR: Final = np.dtype(
    [("engager", "<u8"), ("cell", "<i4"), ("following", "<i4"), ("entry", "<i4"), ("best", "<i2")]
)
"""``following``: the next pair of the cell; ``entry``: its newest one. ``best``: per horizon
``CLASS_BITS`` bits, 0 for nothing, else 1 + the best class; or ``UNNAMED``. ``cell`` of a free row
is ``END``."""
ENTRY: Final = np.dtype(
    [("pair", "<i4"), ("older", "<i4"), ("beside", "<i4"), ("key", "<u4"), ("sum", "<u4")]
)
"""``key``: hour, class and kind; ``older``: the next entry of the pair, with a smaller key;
``beside``: the next entry of the hour. ``sum``: weight and count, see ``entry_sums``. ``pair`` of a
free row is ``END``."""
MOST_NARROW: Final = (1 << 8) - 1
"""More engagers than so many are counted in a row of ``crowds``."""
LARGE_SUM: Final = 1 << 31
"""Bit of a ``sum`` that is the number of a row of ``large``."""

Number = Any
"""A whole number: of Python, or of numpy with any width, as a kernel has it at the moment."""

Rows = Any
"""An array of records of one of the types above."""

# places in ``counters``
NOW: Final = 0
"""The hour."""
LIMIT: Final = 1
"""So many engagers of an account are named at most."""
NAME_BYTES: Final = 2
"""Bytes of ``names`` in use, those of accounts that left included."""
DEAD_NAME_BYTES: Final = 3
"""Of them, those of accounts that left."""
ALIVE: Final = 4
"""The first of seven: rows in use."""
TOP: Final = 11
"""The first of seven: rows that were ever in use."""
FREE: Final = 18
"""The first of seven: 1 + the first free row."""
SLOT_BITS: Final = 32
"""Bits of a slot of the pairs."""
PAIR_BITS: Final = 25
"""So many low bits of a slot of the pairs are for the row."""
COUNTERS: Final = 26
ACCOUNTS: Final = 0
CELLS: Final = 1
PAIRS: Final = 2
ENTRIES: Final = 3
LARGE: Final = 4
POSTERS: Final = 5
CROWDS: Final = 6


class ScoreArrays(NamedTuple):
    """See the heads of this module and of ``Cells``."""

    cells: Cells
    account_rows: Rows
    cell_rows: Rows
    pair_rows: Rows
    entry_rows: Rows
    large: npt.NDArray[np.int64]
    """int64[entries, 2]: weights and counts that are too large for their entries, in no order."""
    account_slots: npt.NDArray[np.int32]
    """Hash index of the accounts by name: 1 + account, 0 for free. A power of two."""
    pair_slots: npt.NDArray[np.uint32]
    """Hash index of the pairs by cell and engager: 1 + pair in the low ``PAIR_BITS``, bits of the
    hash above them; 0 for free. Any number of slots: the high half of a hash says which."""
    panes: npt.NDArray[np.int32]
    """By hour: 1 + the first entry."""
    recent: npt.NDArray[np.int32]
    """By a hash of pair and key: 1 + an entry that was found lately. A power of two."""
    horizons: npt.NDArray[np.int64]
    counters: npt.NDArray[np.int64]


class Columns(NamedTuple):
    """Rows of ``weighed``, as far as the score state needs them."""

    names: npt.NDArray[np.uint8]
    places: npt.NDArray[np.int32]
    networks: npt.NDArray[np.uint8]
    engagers: npt.NDArray[np.uint64]
    hours: npt.NDArray[np.int64]
    classes: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.int64]
    undo: npt.NDArray[np.bool_]
