"""An hour begins: panes leave horizons, some that were ahead are reached, old ones are dropped."""

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import NO_CELL, NO_HOUR
from streams.kernels.compiling import bare
from streams.kernels.counts import add_interactions, interactions_in
from streams.kernels.engagers import change_best, sweep_pairs
from streams.kernels.entry_sums import count_of, weight_of
from streams.kernels.panes import best_since, class_of, cut_before, kind_of
from streams.kernels.posts import add_posts
from streams.kernels.rows import give_entry
from streams.kernels.score_arrays import (
    CLASS_BITS,
    CUT,
    END,
    NOW,
    POST,
    TOP,
    UNNAMED,
    ScoreArrays,
)
from streams.kernels.windows import add_sums, count_entries, find_bounds, first_is_unknown, rise

Numbers = npt.NDArray[np.int32]
Marks = npt.NDArray[np.uint8]
_BEST_MASK = (1 << CLASS_BITS) - 1

ENTERED = 1
"""Mark of an account: a pane with something of it was reached."""
LEFT = 2
"""Mark of an account: a pane with something of it left a horizon."""
POSTED = 4
"""Mark of an account: a pane with own posts of it was reached."""


@bare
def advance(arrays: ScoreArrays, hour: int, marks: Marks, entered: int) -> None:
    """Let the hour be ``hour``, which is later than it was; marks accounts that this changed.

    The panes before ``entered`` are reached: ``hour + 1``, or ``hour`` where ``enter`` follows.
    """
    before = arrays.counters[NOW]
    horizons, hours = arrays.horizons, len(arrays.panes)
    for horizon in range(len(horizons)):
        stop = min(hour - horizons[horizon], before + 1, hours)
        for pane in range(max(before - horizons[horizon], 0), stop):
            _leave(arrays, horizon, pane, before, hour, marks)
    arrays.counters[NOW] = hour
    for pane in range(before + 1, min(entered, hours)):
        _enter(arrays, pane, marks)
    longest = horizons[len(horizons) - 1]
    start, stop = max(before - longest, 0), min(hour - longest, hours)
    for pane in range(start, stop):
        _cut(arrays, pane, hour - longest)
    for pane in range(start, stop):
        _drop(arrays, pane)


@bare
def enter(arrays: ScoreArrays, marks: Marks) -> None:
    """The pane of the hour is reached, which ``advance`` left out; marks its accounts."""
    if arrays.counters[NOW] < len(arrays.panes):
        _enter(arrays, arrays.counters[NOW], marks)


@bare
def _mark(arrays: ScoreArrays, pair: int, marks: Marks, mark: int) -> None:
    account = arrays.cell_rows[arrays.pair_rows[pair].cell].account
    marks[account] |= np.uint8(mark)


@bare
def _leave(
    arrays: ScoreArrays, horizon: int, pane: int, before: int, hour: int, marks: Marks
) -> None:
    """A pane leaves a horizon as the hour turns from ``before`` to ``hour``."""
    since = hour - arrays.horizons[horizon]
    shift = CLASS_BITS * horizon
    entry = arrays.panes[pane] - 1
    while entry != END:
        row = arrays.entry_rows[entry]
        if row.pair != END:
            pair = arrays.pair_rows[row.pair]
            if kind_of(row.key) == POST:
                arrays.cells.posts[arrays.cells.poster[pair.cell], horizon] -= count_of(
                    arrays, entry
                )
            else:
                arrays.cells.weights[pair.cell, horizon] -= weight_of(arrays, entry)
                add_interactions(arrays, pair.cell, horizon, -count_of(arrays, entry))
            _mark(arrays, row.pair, marks, LEFT)
            best = (pair.best >> shift) & _BEST_MASK
            if pair.best != UNNAMED and best == class_of(row.key) + 1:
                left = best_since(arrays, row.pair, since, before, best)
                change_best(arrays, row.pair, pair.best - ((best - left) << shift))
        entry = row.beside


@bare
def _enter(arrays: ScoreArrays, pane: int, marks: Marks) -> None:
    """The hour of a pane that was ahead is reached, or passed."""
    since = arrays.counters[NOW] - arrays.horizons[-1]
    entry = arrays.panes[pane] - 1
    while entry != END:
        row = arrays.entry_rows[entry]
        if row.pair != END:
            cell, is_post = arrays.pair_rows[row.pair].cell, kind_of(row.key) == POST
            if pane >= since and is_post:
                add_posts(arrays, cell, pane, count_of(arrays, entry))
            elif pane >= since:
                add_sums(arrays, cell, pane, weight_of(arrays, entry), count_of(arrays, entry))
                rise(arrays, entry)
            _mark(arrays, row.pair, marks, POSTED if is_post else ENTERED)
        entry = row.beside


@bare
def _cut(arrays: ScoreArrays, pane: int, since: int) -> None:
    """Take the entries of a pane out of their pairs, with all others before ``since``."""
    entry = arrays.panes[pane] - 1
    while entry != END:
        row = arrays.entry_rows[entry]
        if row.pair != END and row.older != CUT:
            cut_before(arrays, row.pair, since)
            cell = arrays.pair_rows[row.pair].cell
            if first_is_unknown(arrays, cell):
                find_bounds(arrays, cell)
        entry = row.beside


@bare
def _drop(arrays: ScoreArrays, pane: int) -> None:
    """Give back the entries of a pane, and pairs that have none left."""
    entry = arrays.panes[pane] - 1
    arrays.panes[pane] = 0
    while entry != END:
        row = arrays.entry_rows[entry]
        following = row.beside
        if row.pair != END:
            pair = arrays.pair_rows[row.pair]
            if pair.cell != END and pair.entry == END:
                account = arrays.cell_rows[pair.cell].account
                sweep_pairs(arrays, pair.cell)
                if not arrays.account_rows[account].pairs:
                    arrays.cells.level[account] = 0
        give_entry(arrays, entry)
        entry = following


@bare
def mark_fading(arrays: ScoreArrays, after: int, before: int, marks: Marks) -> None:
    """Mark as ``LEFT`` the accounts whose newest interaction lies between these two hours."""
    cells = arrays.cells
    for account in range(arrays.counters[TOP]):
        newest, cell = np.int64(NO_HOUR), cells.head[account]
        if cells.name_size[account]:
            while cell != NO_CELL:
                newest = max(newest, np.int64(cells.last[cell]))
                cell = cells.following[cell]
            if after < newest < before:
                marks[account] |= np.uint8(LEFT)


@bare
def find_bereft(arrays: ScoreArrays, accounts: npt.NDArray[np.int64], bereft: Marks) -> None:
    """Mark with 1 the places of ``accounts`` that received nothing in the longest horizon."""
    cells, longest = arrays.cells, len(arrays.horizons) - 1
    for place in range(len(accounts)):
        received, cell = np.int64(0), cells.head[accounts[place]]
        while cell != NO_CELL:
            received += interactions_in(cells, cell, longest)
            cell = cells.following[cell]
        bereft[place] = received == 0


@bare
def begin(arrays: ScoreArrays, hour: int) -> None:
    """Let the hour be ``hour`` where nothing was counted so far; all panes count at once."""
    arrays.counters[NOW] = hour
    stop = min(hour - arrays.horizons[len(arrays.horizons) - 1], len(arrays.panes))
    for pane in range(stop):
        _cut(arrays, pane, stop)
    for pane in range(stop):
        _drop(arrays, pane)
    count_entries(arrays)
