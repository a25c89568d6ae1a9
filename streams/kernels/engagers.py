"""Pairs: the engagers of each cell, by name as far as the account's level allows.

Above the limit the level of an account rises until the engagers whose hash has so many leading zero
bits are few enough; what the others did moves to the cell's pair ``NOBODY``. Sums stay exact, and
the named ones are a sample that does not hang on the order of events.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import bare
from streams.kernels.entry_sums import add_to, count_of, weight_of
from streams.kernels.panes import best_of
from streams.kernels.rows import give_pair, pair_hash, take_pair
from streams.kernels.score_arrays import (
    CLASS_BITS,
    END,
    LARGEST_LEVEL,
    LIMIT,
    NOBODY,
    PAIRS,
    POST,
    TOP,
    Columns,
    Number,
    ScoreArrays,
)

Numbers = npt.NDArray[np.int32]
_BEST_MASK = (1 << CLASS_BITS) - 1
_NOBODY = np.uint64(NOBODY)


@bare
def is_named(engager: Any, level: int) -> bool:
    """Whether an engager (uint64 hash) has at least ``level`` leading zero bits."""
    return level == 0 or (engager >> np.uint64(LARGEST_LEVEL - level)) == _NOBODY


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
        pairs[row] = pair_of(arrays, cells[row], engager, level)
        if before < rows[account].named > arrays.counters[LIMIT]:
            full[found] = account
            found += 1
    return found


@bare
def pair_of(arrays: ScoreArrays, cell: int, engager: Any, level: int) -> Number:
    """The pair of a cell and an engager (uint64 hash), made if it is new."""
    if not is_named(engager, level):
        engager = _NOBODY
    slots, rows = arrays.pair_slots, arrays.pair_rows
    mask = len(slots) - 1
    slot = np.int64(pair_hash(cell, engager) & np.uint64(mask))
    while slots[slot]:
        pair = slots[slot] - 1
        if rows[pair].engager == engager and rows[pair].cell == cell:
            return pair
        slot = (slot + 1) & mask
    pair = take_pair(arrays)
    slots[slot] = pair + 1
    row = rows[pair]
    row.engager = engager
    row.cell = cell
    row.entry = END
    row.best = 0
    row.following = arrays.cell_rows[cell].pair
    arrays.cell_rows[cell].pair = pair
    account = arrays.account_rows[arrays.cell_rows[cell].account]
    account.pairs += 1
    if engager != _NOBODY:
        account.named += 1
    return pair


@bare
def index_pairs(arrays: ScoreArrays) -> None:
    """Fill an empty index with all pairs."""
    slots, rows = arrays.pair_slots, arrays.pair_rows
    mask = len(slots) - 1
    for pair in range(arrays.counters[TOP + PAIRS]):
        if rows[pair].cell != END:
            slot = np.int64(pair_hash(rows[pair].cell, rows[pair].engager) & np.uint64(mask))
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = pair + 1


@bare
def _vacate(arrays: ScoreArrays, pair: int) -> None:
    """Take a pair out of the index; those behind it move up."""
    slots, rows = arrays.pair_slots, arrays.pair_rows
    mask = len(slots) - 1
    gap = np.int64(pair_hash(rows[pair].cell, rows[pair].engager) & np.uint64(mask))
    while slots[gap] != pair + 1:
        gap = (gap + 1) & mask
    slot = gap
    while True:
        slot = (slot + 1) & mask
        if not slots[slot]:
            break
        other = rows[slots[slot] - 1]
        home = np.int64(pair_hash(other.cell, other.engager) & np.uint64(mask))
        if ((slot - home) & mask) >= ((slot - gap) & mask):
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
            if rows[pair].engager != _NOBODY:
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
    for horizon in range(len(arrays.horizons)):
        old, new = before & _BEST_MASK, packed & _BEST_MASK
        distinct = arrays.cells.distinct[row.cell, horizon]
        for class_ in range(old, new):
            distinct[class_] += 1
        for class_ in range(new, old):
            distinct[class_] -= 1
        before, packed = before >> CLASS_BITS, packed >> CLASS_BITS


@bare
def raise_level(arrays: ScoreArrays, account: int) -> None:
    """Raise the level of an account until no more of its engagers are named than the limit."""
    cells = arrays.cells
    while arrays.account_rows[account].named > arrays.counters[LIMIT]:
        cells.level[account] += 1
        unname(arrays, account)


@bare
def unname(arrays: ScoreArrays, account: int) -> None:
    """Move what engagers did that the account's level does not name to ``NOBODY``."""
    level, rows = arrays.cells.level[account], arrays.pair_rows
    cell = arrays.cells.head[account]
    while cell != END:
        emptied = False
        pair = arrays.cell_rows[cell].pair
        while pair != END:
            if not is_named(rows[pair].engager, level):
                change_best(arrays, pair, 0)
                _move_entries(arrays, pair, pair_of(arrays, cell, _NOBODY, level))
                emptied = True
            pair = rows[pair].following
        if emptied:
            sweep_pairs(arrays, cell)
        cell = arrays.cells.following[cell]


@bare
def _move_entries(arrays: ScoreArrays, source: int, target: int) -> None:
    """Give the entries of a pair to another one. One that it has already gets the sums of both."""
    entries, rows = arrays.entry_rows, arrays.pair_rows
    newer, older = END, rows[target].entry
    entry = rows[source].entry
    while entry != END:
        row = entries[entry]
        following = row.older
        while older != END and entries[older].key > row.key:
            newer, older = older, entries[older].older
        if older != END and entries[older].key == row.key:
            add_to(arrays, older, weight_of(arrays, entry), count_of(arrays, entry))
            row.pair = END  # it stays in its pane, as nothing
        else:
            row.pair = target
            row.older = older
            if newer == END:
                rows[target].entry = entry
            else:
                entries[newer].older = entry
            newer = entry
        entry = following
    rows[source].entry = END


@bare
def recount(arrays: ScoreArrays, pair: int) -> None:
    """Find the best class of a pair anew in each horizon."""
    if arrays.pair_rows[pair].engager != _NOBODY:
        change_best(arrays, pair, best_of(arrays, pair))
