"""Rolling windows: rows are counted, hours pass, and everything is counted again after a restore.

One call deals with a whole batch, and in it one short loop with one structure, so that the waits
for memory of neighbouring rows overlap. A row counts in the pane of its hour, however late it
comes; one that is ahead of ``now`` waits there. All sums are integers that are added and later
subtracted, so they depend on which rows came and on ``now``, not on any order.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.accounts import cell_of, find_accounts
from streams.kernels.cells import NO_CROWD, NO_FIRST, NO_HOUR
from streams.kernels.compiling import bare
from streams.kernels.counts import fits, interactions_in, make_crowd
from streams.kernels.engagers import change_best, find_pairs, recount
from streams.kernels.entry_sums import add_to, count_of, weight_of
from streams.kernels.panes import class_of, entry_of, hour_of, key_of, kind_of, newest_and_earliest
from streams.kernels.posts import add_posts, make_poster
from streams.kernels.score_arrays import (
    CLASS_BITS,
    END,
    LAST_HOUR,
    NOW,
    PAIRS,
    POST,
    TOP,
    UNNAMED,
    Columns,
    Number,
    ScoreArrays,
)

Numbers = npt.NDArray[np.int32]
_BEST_MASK = (1 << CLASS_BITS) - 1


class Scratch(NamedTuple):
    """Room for what is found out about each row of a batch."""

    hashes: npt.NDArray[np.uint64]
    accounts: Numbers
    cells: Numbers
    """``END`` where the row's hour is not to be kept."""
    pairs: Numbers
    entries: Numbers
    full: Numbers
    """Accounts that have more named engagers than the limit."""


@bare
def record_rows(arrays: ScoreArrays, columns: Columns, scratch: Scratch) -> Number:
    """Put rows into their panes, where nothing counts yet; returns how many are ``full``."""
    cells, entries = scratch.cells, scratch.entries
    since = max(arrays.counters[NOW] - arrays.horizons[-1], 0)
    find_accounts(arrays, columns.names, columns.places, scratch.accounts, scratch.hashes)
    for row in range(len(cells)):
        cells[row] = END
        if since <= columns.hours[row] < LAST_HOUR:
            cells[row] = cell_of(arrays, scratch.accounts[row], columns.networks[row])
    full = find_pairs(arrays, columns, cells, scratch.pairs, scratch.full)
    for row in range(len(cells)):
        entries[row] = END
        if cells[row] != END:
            key = key_of(columns.hours[row], columns.classes[row], columns.kinds[row])
            entry = entry_of(arrays, scratch.pairs[row], key)
            entries[row] = entry
            sign = -1 if columns.undo[row] else 1
            add_to(arrays, entry, sign * columns.weights[row], sign)
            if columns.kinds[row] == POST:
                make_poster(arrays, cells[row])
    return full


@bare
def apply_rows(arrays: ScoreArrays, columns: Columns, scratch: Scratch) -> Number:
    """Count rows; ``scratch`` tells the account of each one. Returns how many are ``full``."""
    full = record_rows(arrays, columns, scratch)
    now, entries = arrays.counters[NOW], scratch.entries
    for row in range(len(entries)):
        if entries[row] != END and columns.hours[row] <= now:
            sign = -1 if columns.undo[row] else 1
            hour, weight = columns.hours[row], sign * columns.weights[row]
            if columns.kinds[row] == POST:
                add_posts(arrays, scratch.cells[row], hour, sign)
            else:
                add_sums(arrays, scratch.cells[row], hour, weight, sign)
    for row in range(len(entries)):
        if entries[row] != END and columns.hours[row] <= now and columns.kinds[row] != POST:
            if columns.undo[row]:
                _fall_back(arrays, entries[row])
            else:
                rise(arrays, entries[row])
    return full


@bare
def add_sums(arrays: ScoreArrays, cell: int, hour: int, weight: int, count: int) -> None:
    """Add to the sums of the horizons that an hour lies in, which is not ahead."""
    cells, now, crowd = arrays.cells, arrays.counters[NOW], np.int64(arrays.cells.crowd[cell])
    for horizon in range(len(arrays.horizons)):
        if hour >= now - arrays.horizons[horizon]:
            cells.weights[cell, horizon] += weight
            if crowd == NO_CROWD:
                total = np.int64(cells.interactions[cell, horizon]) + count
                if fits(total):
                    cells.interactions[cell, horizon] = total
                    continue
                crowd = np.int64(make_crowd(arrays, cell))
            cells.crowds[crowd, horizon, 0] += count


@bare
def rise(arrays: ScoreArrays, entry: int) -> None:
    """An entry of an hour that is not ahead got something: its pair may have a better class."""
    row, cells = arrays.entry_rows[entry], arrays.cells
    if count_of(arrays, entry) <= 0:
        return  # undone within the same batch
    pair = arrays.pair_rows[row.pair]
    hour, now = hour_of(row.key), arrays.counters[NOW]
    cells.last[pair.cell] = max(cells.last[pair.cell], hour)
    cells.first[pair.cell] = min(cells.first[pair.cell], hour)
    if pair.best == UNNAMED:
        return
    class_ = class_of(row.key) + 1
    packed = pair.best
    for horizon in range(len(arrays.horizons)):
        shift = CLASS_BITS * horizon
        best = (packed >> shift) & _BEST_MASK
        if hour >= now - arrays.horizons[horizon] and best < class_:
            packed += (class_ - best) << shift
    change_best(arrays, row.pair, packed)


@bare
def _fall_back(arrays: ScoreArrays, entry: int) -> None:
    """An entry of an hour that is not ahead lost something: find what is left."""
    row, cells = arrays.entry_rows[entry], arrays.cells
    if count_of(arrays, entry) > 0:
        return
    recount(arrays, row.pair)
    cell, hour = arrays.pair_rows[row.pair].cell, hour_of(row.key)
    if hour in (cells.last[cell], cells.first[cell]) or first_is_unknown(arrays, cell):
        find_bounds(arrays, cell)


@bare
def _has_early(arrays: ScoreArrays, cell: int) -> bool:
    """Whether anything counts in the longest horizon that the next one does not hold."""
    longest = len(arrays.horizons) - 1
    total = interactions_in(arrays.cells, cell, longest)
    return bool(total > interactions_in(arrays.cells, cell, longest - 1))


@bare
def first_is_unknown(arrays: ScoreArrays, cell: int) -> bool:
    """Whether the earliest hour is gone, and the one after it may be late enough to matter."""
    since = arrays.counters[NOW] - arrays.horizons[-1]
    return arrays.cells.first[cell] < since and not _has_early(arrays, cell)


@bare
def find_bounds(arrays: ScoreArrays, cell: int) -> None:
    """Find the hours of a cell's newest and earliest interaction, which may have changed."""
    cells, now = arrays.cells, arrays.counters[NOW]
    since = now - arrays.horizons[-1]
    both = cells.first[cell] >= since or not _has_early(arrays, cell)
    earliest = np.int64(cells.first[cell]) if both else now + 1
    newest, earliest = newest_and_earliest(arrays, cell, cells.last[cell], earliest)
    if newest < since:
        cells.last[cell], cells.first[cell] = NO_HOUR, NO_FIRST
    else:
        cells.last[cell] = newest
        if both:
            cells.first[cell] = earliest


@bare
def count_entries(arrays: ScoreArrays) -> None:
    """Count all entries, where nothing was counted so far."""
    pairs, entries, cells = arrays.pair_rows, arrays.entry_rows, arrays.cells
    now = arrays.counters[NOW]
    since = now - arrays.horizons[-1]
    for pair in range(arrays.counters[TOP + PAIRS]):
        cell = pairs[pair].cell
        if cell == END:
            continue
        entry = pairs[pair].entry
        while entry != END:
            row = entries[entry]
            hour = hour_of(row.key)
            if since <= hour <= now:
                count = count_of(arrays, entry)
                if kind_of(row.key) == POST:
                    add_posts(arrays, cell, hour, count)
                else:
                    add_sums(arrays, cell, hour, weight_of(arrays, entry), count)
                if count > 0 and kind_of(row.key) != POST:
                    cells.last[cell] = max(cells.last[cell], hour)
                    cells.first[cell] = min(cells.first[cell], hour)
            entry = row.older
        recount(arrays, pair)
