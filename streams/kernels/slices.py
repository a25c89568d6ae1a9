"""Some accounts with all that is below them, as columns, and back.

Everything else in the score state can be counted again from it. The columns nest by their lengths:
``cells_of`` says how many cells each account has, ``pairs_of`` how many pairs each of these, and
``entries_of`` how many entries each of those, newest first.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.accounts import cell_of, name_hash, set_account
from streams.kernels.cells import NO_CELL
from streams.kernels.compiling import bare
from streams.kernels.engagers import pair_of
from streams.kernels.entry_sums import add_to, count_of, weight_of
from streams.kernels.panes import append_entry, kind_of
from streams.kernels.posts import make_poster
from streams.kernels.score_arrays import (
    ACCOUNTS,
    ALIVE,
    CODE_BITS,
    END,
    LAST_HOUR,
    NOW,
    POST,
    ScoreArrays,
)

Column = npt.NDArray[Any]
Numbers = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


class Slice(NamedTuple):
    """Accounts and what they have; an account that nobody has, has a name of no bytes."""

    accounts: Column  # int64
    name_sizes: Column  # uint16
    names: Column  # uint8
    levels: Column  # uint8
    cells_of: Column  # uint8
    networks: Column  # uint8
    pairs_of: Column  # uint32
    engagers: Column  # uint64
    entries_of: Column  # uint32
    hours: Column  # uint32
    codes: Column  # uint8
    weights: Column  # int64
    counts: Column  # int64


@bare
def measure(arrays: ScoreArrays, accounts: Numbers) -> tuple[int, int, int, int]:
    """Bytes of names, cells, pairs and entries of the given accounts."""
    cells, names, found_cells, found_pairs, found_entries = arrays.cells, 0, 0, 0, 0
    for account in accounts:
        names += cells.name_size[account]
        if not cells.name_size[account]:
            continue
        cell = cells.head[account]
        while cell != NO_CELL:
            found_cells += 1
            pair = arrays.cell_rows[cell].pair
            while pair != END:
                found_pairs += 1
                entry = arrays.pair_rows[pair].entry
                while entry != END:
                    found_entries += 1
                    entry = arrays.entry_rows[entry].older
                pair = arrays.pair_rows[pair].following
            cell = cells.following[cell]
    return names, found_cells, found_pairs, found_entries


@bare
def dump(arrays: ScoreArrays, slice_: Slice) -> None:
    """Fill a slice, made as ``measure`` says, with what its accounts have."""
    cells, name, cell_place, pair_place, place = arrays.cells, 0, 0, 0, 0
    for row in range(len(slice_.name_sizes)):
        account = slice_.accounts[row]
        at, size = cells.name_at[account], cells.name_size[account]
        slice_.name_sizes[row] = size
        if not size:
            continue
        for byte in range(size):
            slice_.names[name + byte] = cells.names[at + byte]
        name += size
        slice_.levels[row] = cells.level[account]
        cell, first_cell = cells.head[account], cell_place
        while cell != NO_CELL:
            slice_.networks[cell_place] = arrays.cell_rows[cell].network
            pair, first_pair = arrays.cell_rows[cell].pair, pair_place
            while pair != END:
                slice_.engagers[pair_place] = arrays.pair_rows[pair].engager
                entry, first = arrays.pair_rows[pair].entry, place
                while entry != END:
                    each = arrays.entry_rows[entry]
                    slice_.hours[place] = each.key >> CODE_BITS
                    slice_.codes[place] = each.key & ((1 << CODE_BITS) - 1)
                    slice_.weights[place] = weight_of(arrays, entry)
                    slice_.counts[place] = count_of(arrays, entry)
                    place += 1
                    entry = each.older
                slice_.entries_of[pair_place] = place - first
                pair_place += 1
                pair = arrays.pair_rows[pair].following
            slice_.pairs_of[cell_place] = pair_place - first_pair
            cell_place += 1
            cell = cells.following[cell]
        slice_.cells_of[row] = cell_place - first_cell


@bare
def load(arrays: ScoreArrays, slice_: Slice, wanted: Bools) -> None:
    """Make those accounts of a slice that are ``wanted``; nothing of them counts yet.

    Entries that are too old by now are left out.
    """
    cells, name, cell_place, pair_place, place = arrays.cells, 0, 0, 0, 0
    since = arrays.counters[NOW] - arrays.horizons[-1]
    for row in range(len(slice_.name_sizes)):
        account, size = slice_.accounts[row], slice_.name_sizes[row]
        if size and wanted[row]:
            hashed = name_hash(slice_.names, name, name + size)
            set_account(arrays, account, hashed, slice_.names, name, name + size)
            arrays.counters[ALIVE + ACCOUNTS] += 1
            cells.level[account] = slice_.levels[row]
        name += size
        for _ in range(slice_.cells_of[row]):
            cell = END
            if wanted[row]:
                cell = cell_of(arrays, account, slice_.networks[cell_place])
            for _ in range(slice_.pairs_of[cell_place]):
                count = slice_.entries_of[pair_place]
                if wanted[row]:
                    level = cells.level[account]
                    _load_pair(arrays, cell, level, slice_, pair_place, place, since)
                place += count
                pair_place += 1
            cell_place += 1
        if size and wanted[row] and not arrays.account_rows[account].pairs:
            cells.level[account] = 0


@bare
def _load_pair(
    arrays: ScoreArrays,
    cell: int,
    level: int,
    slice_: Slice,
    pair_place: int,
    start: int,
    since: int,
) -> None:
    """Make a pair with its entries, the first of which stands at ``start``."""
    pair, newest = END, END
    for place in range(start, start + slice_.entries_of[pair_place]):
        if since <= slice_.hours[place] <= LAST_HOUR:
            if pair == END:
                hour = np.int64(slice_.hours[place])
                pair = pair_of(arrays, cell, slice_.engagers[pair_place], level, hour)
            key = (np.int64(slice_.hours[place]) << CODE_BITS) | slice_.codes[place]
            newest = append_entry(arrays, pair, key, newest)
            add_to(arrays, newest, slice_.weights[place], slice_.counts[place])
            if kind_of(key) == POST:
                make_poster(arrays, cell)
