"""A level rises: fewer engagers of an account are named, and what the others did is kept by hour.

Sums stay exact, and the named engagers are a sample that does not hang on the order of events.
"""

import numpy as np

from streams.kernels.compiling import bare
from streams.kernels.engagers import change_best, is_named, pair_of, sweep_pairs
from streams.kernels.entry_sums import add_to, count_of, weight_of
from streams.kernels.panes import hour_of
from streams.kernels.score_arrays import END, LIMIT, UNNAMED, Number, ScoreArrays

_UNNAMED_ONE = np.uint64((1 << 64) - 1)
"""An engager whom no level but 0 names."""


@bare
def level_needed(arrays: ScoreArrays, account: int) -> Number:
    """The lowest level, not below the present one, that names no more engagers than the limit."""
    level, named = np.int64(arrays.cells.level[account]), arrays.account_rows[account].named
    while named > arrays.counters[LIMIT]:
        level += 1
        named = 0
        cell = arrays.cells.head[account]
        while cell != END:
            pair = arrays.cell_rows[cell].pair
            while pair != END:
                row = arrays.pair_rows[pair]
                named += row.best != UNNAMED and is_named(row.engager, level)
                pair = row.following
            cell = arrays.cells.following[cell]
    return level


@bare
def unnamed_hours(arrays: ScoreArrays, account: int, level: int) -> Number:
    """How many pairs an account may need more when it gets this level: one for each hour."""
    needed, cell = 0, arrays.cells.head[account]
    while cell != END:
        entries, newest, oldest = 0, -1, 0
        pair = arrays.cell_rows[cell].pair
        while pair != END:
            row = arrays.pair_rows[pair]
            entry = row.entry
            if row.best == UNNAMED or is_named(row.engager, level):
                entry = END
            while entry != END:
                hour = hour_of(arrays.entry_rows[entry].key)
                newest = max(newest, hour)
                oldest = min(oldest, hour) if entries else hour
                entries += 1
                entry = arrays.entry_rows[entry].older
            pair = row.following
        needed += min(entries, newest - oldest + 1)
        cell = arrays.cells.following[cell]
    return needed


@bare
def raise_level(arrays: ScoreArrays, account: int, level: int) -> None:
    """Give an account a higher level; there must be room for ``unnamed_hours`` more pairs."""
    arrays.cells.level[account] = level
    cell = arrays.cells.head[account]
    while cell != END:
        entry = _take_unnamed(arrays, cell, level)
        if entry != END:
            sweep_pairs(arrays, cell)
        while entry != END:
            row = arrays.entry_rows[entry]
            following = row.older
            hour = hour_of(row.key)
            _put(arrays, pair_of(arrays, cell, _UNNAMED_ONE, level, hour), entry)
            entry = following
        cell = arrays.cells.following[cell]


@bare
def _take_unnamed(arrays: ScoreArrays, cell: int, level: int) -> Number:
    """Take all entries of engagers who are not named any more: the first one of a chain."""
    rows, entries = arrays.pair_rows, arrays.entry_rows
    first, pair = END, arrays.cell_rows[cell].pair
    while pair != END:
        row = rows[pair]
        if row.best != UNNAMED and not is_named(row.engager, level):
            change_best(arrays, pair, 0)
            entry = row.entry
            while entry != END:
                following = entries[entry].older
                entries[entry].pair = END  # so that nobody takes it for that of a pair to come
                entries[entry].older = first
                first, entry = entry, following
            row.entry = END
        pair = row.following
    return first


@bare
def _put(arrays: ScoreArrays, pair: int, entry: int) -> None:
    """Give an entry to a pair. One that has its like already gets the sums of both."""
    entries, row = arrays.entry_rows, arrays.entry_rows[entry]
    newer, older = END, arrays.pair_rows[pair].entry
    while older != END and entries[older].key > row.key:
        newer, older = older, entries[older].older
    if older != END and entries[older].key == row.key:
        add_to(arrays, older, weight_of(arrays, entry), count_of(arrays, entry))
        return  # it stays in its pane, as nothing
    row.pair = pair
    row.older = older
    if newer == END:
        arrays.pair_rows[pair].entry = entry
    else:
        entries[newer].older = entry
