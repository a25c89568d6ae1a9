"""Pairs: the engagers of each cell, by name as far as the account's level allows.

Engagers are named whose hash has at least as many leading zero bits as the level says. What the
others did is kept in a pair for each hour, which is found like any other: by a hash that no named
engager can have, as it begins with a one.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import NO_CROWD
from streams.kernels.compiling import bare, merged
from streams.kernels.counts import make_crowd
from streams.kernels.panes import best_of
from streams.kernels.rows import give_pair, pair_hash, take_pair
from streams.kernels.score_arrays import (
    CLASS_BITS,
    END,
    LARGEST_LEVEL,
    LIMIT,
    MOST_NARROW,
    NOBODY,
    PAIR_BITS,
    PAIRS,
    POST,
    SLOT_BITS,
    TOP,
    UNNAMED,
    Columns,
    Number,
    ScoreArrays,
)

Numbers = npt.NDArray[np.int32]
_BEST_MASK = (1 << CLASS_BITS) - 1
_NOBODY = np.uint64(NOBODY)
_HOURS = np.uint64(1 << 63)
_HALF = np.uint64(32)


@bare
def is_named(engager: Any, level: Number) -> bool:
    """Whether an engager (uint64 hash) has at least ``level`` leading zero bits."""
    return bool(level == 0 or (engager >> np.uint64(LARGEST_LEVEL - level)) == _NOBODY)


@bare
def find_pairs(
    arrays: ScoreArrays, columns: Columns, cells: Numbers, pairs: Numbers, full: Numbers
) -> Number:
    """Write the pair of each row whose cell is not ``END``, made where it is new.

    Own posts have no engager: they are with ``NOBODY``.

    ``full`` gets the accounts that have one more named engager than before, and more of them than
    the limit, some of them several times; returns how many.
    """
    found, rows = 0, arrays.account_rows
    for row in range(len(cells)):
        if cells[row] == END:
            continue
        account = arrays.cell_rows[cells[row]].account
        before = rows[account].named
        level = arrays.cells.level[account]
        engager = _NOBODY if columns.kinds[row] == POST else columns.engagers[row]
        pairs[row] = pair_of(arrays, cells[row], engager, level, columns.hours[row])
        if before < rows[account].named > arrays.counters[LIMIT]:
            full[found] = account
            found += 1
    return found


@bare
def pair_of(arrays: ScoreArrays, cell: int, engager: Any, level: Number, hour: Number) -> Number:
    """The pair of a cell and an engager (uint64 hash), made if it is new.

    Of one that is not named: the pair of the unnamed ones in an hour; of ``NOBODY``: that of posts.
    """
    best = UNNAMED if engager == _NOBODY else 0
    if not is_named(engager, level):
        engager, best = _HOURS | np.uint64(hour), UNNAMED
    slots, rows, bits = arrays.pair_slots, arrays.pair_rows, arrays.counters[PAIR_BITS]
    hashed = pair_hash(cell, engager)
    slot, tag = _home(hashed, len(slots)), _tag(hashed, bits)
    while slots[slot]:
        held = np.int64(slots[slot])
        if held >> bits == tag:  # of most others the row, far away in memory, is not looked at
            pair = (held & ((1 << bits) - 1)) - 1
            if rows[pair].engager == engager and rows[pair].cell == cell:
                return pair
        slot = _after(slot, len(slots))
    pair = take_pair(arrays)
    slots[slot] = (tag << bits) | (pair + 1)
    row = rows[pair]
    row.engager = engager
    row.cell = cell
    row.entry = END
    row.best = best
    row.following = arrays.cell_rows[cell].pair
    arrays.cell_rows[cell].pair = pair
    account = arrays.account_rows[arrays.cell_rows[cell].account]
    account.pairs += 1
    if best != UNNAMED:
        account.named += 1
    return pair


@bare
def _home(hashed: Any, slots: Number) -> Number:
    """The slot at which the search for a hash begins."""
    return np.int64(((hashed >> _HALF) * np.uint64(slots)) >> _HALF)


@bare
def _tag(hashed: Any, bits: Number) -> Number:
    """What a slot tells of a hash: as many of its lowest bits as there is room for."""
    return np.int64(hashed & np.uint64((1 << (SLOT_BITS - bits)) - 1))


@bare
def _after(slot: Number, slots: Number) -> Number:
    """The slot after another one; after the last one comes the first."""
    return slot + 1 if slot + 1 < slots else np.int64(0)


@bare
def _steps(start: Number, stop: Number, slots: Number) -> Number:
    """How far it is from one slot to another one."""
    return stop - start if stop >= start else stop - start + slots


@bare
def index_pairs(arrays: ScoreArrays) -> None:
    """Fill an empty index with all pairs."""
    slots, rows, bits = arrays.pair_slots, arrays.pair_rows, arrays.counters[PAIR_BITS]
    for pair in range(arrays.counters[TOP + PAIRS]):
        if rows[pair].cell != END:
            hashed = pair_hash(rows[pair].cell, rows[pair].engager)
            slot = _home(hashed, len(slots))
            while slots[slot]:
                slot = _after(slot, len(slots))
            slots[slot] = (_tag(hashed, bits) << bits) | (pair + 1)


@bare
def _vacate(arrays: ScoreArrays, pair: int) -> None:
    """Take a pair out of the index; those behind it move up."""
    slots, rows, bits = arrays.pair_slots, arrays.pair_rows, arrays.counters[PAIR_BITS]
    count, mask = len(slots), (1 << bits) - 1
    gap = _home(pair_hash(rows[pair].cell, rows[pair].engager), count)
    while np.int64(slots[gap]) & mask != pair + 1:
        gap = _after(gap, count)
    slot = gap
    while True:
        slot = _after(slot, count)
        if not slots[slot]:
            break
        other = rows[(np.int64(slots[slot]) & mask) - 1]
        home = _home(pair_hash(other.cell, other.engager), count)
        if _steps(home, slot, count) >= _steps(gap, slot, count):
            slots[gap] = slots[slot]
            gap = slot
    slots[gap] = 0


@bare
def sweep_pairs(arrays: ScoreArrays, cell: int) -> None:
    """Give back the pairs of a cell that have no entries."""
    rows, account = arrays.pair_rows, arrays.account_rows[arrays.cell_rows[cell].account]
    before, pair = END, arrays.cell_rows[cell].pair
    while pair != END:
        following = rows[pair].following
        if rows[pair].entry != END:
            before = pair
        else:
            if before == END:
                arrays.cell_rows[cell].pair = following
            else:
                rows[before].following = following
            account.pairs -= 1
            if rows[pair].best != UNNAMED:
                account.named -= 1
            _vacate(arrays, pair)
            give_pair(arrays, pair)
        pair = following


@bare
def change_best(arrays: ScoreArrays, pair: int, packed: int) -> None:
    """Set the best class of a named pair in each horizon; engagers are counted accordingly."""
    row = arrays.pair_rows[pair]
    before = row.best
    if packed == before:
        return
    row.best = packed
    cells, longest = arrays.cells, len(arrays.horizons) - 1
    # of all counts of a cell this is the largest, and each of them changes by one at most
    if cells.crowd[row.cell] == NO_CROWD and cells.distinct[row.cell, longest, 0] == MOST_NARROW:
        make_crowd(arrays, row.cell)
    if cells.crowd[row.cell] == NO_CROWD:
        _count_again(cells.distinct[row.cell], before, packed, 0)
    else:
        _count_again(cells.crowds[cells.crowd[row.cell]], before, packed, 1)


@merged
def _count_again(counts: Any, before: Number, packed: Number, first: int) -> None:
    """An engager has other best classes than ``before``; class 0 is counted in place ``first``."""
    for horizon in range(len(counts)):
        old, new = before & _BEST_MASK, packed & _BEST_MASK
        for class_ in range(old, new):
            counts[horizon, first + class_] += 1
        for class_ in range(new, old):
            counts[horizon, first + class_] -= 1
        before, packed = before >> CLASS_BITS, packed >> CLASS_BITS


@bare
def recount(arrays: ScoreArrays, pair: int) -> None:
    """Find the best class of a pair anew in each horizon, if it is that of a named engager."""
    if arrays.pair_rows[pair].best != UNNAMED:
        change_best(arrays, pair, best_of(arrays, pair))
