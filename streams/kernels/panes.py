"""Entries: what one engager of a cell did in one hour, in one class and kind.

An entry is in the list of its pair, newest first, and in that of its hour, its pane. One that an
undo took back stays with a count of 0 until its hour leaves the longest horizon.
"""

import numpy as np

from streams.kernels.compiling import bare
from streams.kernels.entry_sums import count_of
from streams.kernels.rows import mixed, take_entry
from streams.kernels.score_arrays import (
    CLASS_BITS,
    CODE_BITS,
    CUT,
    END,
    KIND_BITS,
    NOW,
    POST,
    Number,
    ScoreArrays,
)

_CLASS_MASK = (1 << CLASS_BITS) - 1
_KIND_MASK = (1 << KIND_BITS) - 1
_PAIR_SHIFT = np.uint64(32)


@bare
def key_of(hour: int, class_: int, kind: int) -> Number:
    """An entry's key."""
    return (hour << CODE_BITS) | (np.int64(class_) << KIND_BITS) | np.int64(kind)


@bare
def hour_of(key: int) -> Number:
    """The hour of a key."""
    return np.int64(key) >> CODE_BITS


@bare
def kind_of(key: int) -> Number:
    """The kind of a key."""
    return np.int64(key) & _KIND_MASK


@bare
def class_of(key: int) -> Number:
    """The class of a key."""
    return (np.int64(key) >> KIND_BITS) & _CLASS_MASK


@bare
def entry_of(arrays: ScoreArrays, pair: int, key: int) -> Number:
    """The entry of a pair with this key, made (with nothing in it) if it is new."""
    entries, recent = arrays.entry_rows, arrays.recent
    hashed = mixed((np.uint64(pair) << _PAIR_SHIFT) ^ np.uint64(key))
    place = np.int64(hashed & np.uint64(len(recent) - 1))
    entry = recent[place] - 1
    if entry != END and entries[entry].pair == pair and entries[entry].key == key:
        return entry
    newer, entry = END, arrays.pair_rows[pair].entry
    while entry != END and entries[entry].key > key:
        newer, entry = entry, entries[entry].older
    if entry == END or entries[entry].key != key:
        entry = _insert(arrays, pair, key, newer, entry)
    recent[place] = entry + 1
    return entry


@bare
def _insert(arrays: ScoreArrays, pair: int, key: int, newer: int, older: int) -> Number:
    entry = take_entry(arrays)
    row = arrays.entry_rows[entry]
    row.sum = 0
    row.pair = pair
    row.key = key
    row.older = older
    if newer == END:
        arrays.pair_rows[pair].entry = entry
    else:
        arrays.entry_rows[newer].older = entry
    hour = hour_of(key)
    row.beside = arrays.panes[hour] - 1
    arrays.panes[hour] = entry + 1
    return entry


@bare
def append_entry(arrays: ScoreArrays, pair: int, key: int, newer: int) -> Number:
    """A new entry of a pair behind its oldest one, which is ``newer`` or ``END``."""
    return _insert(arrays, pair, key, newer, END)


@bare
def cut_before(arrays: ScoreArrays, pair: int, since: int) -> None:
    """Take the entries of hours before ``since`` out of a pair; they stay in their panes."""
    entries = arrays.entry_rows
    newer, entry = END, arrays.pair_rows[pair].entry
    while entry != END and hour_of(entries[entry].key) >= since:
        newer, entry = entry, entries[entry].older
    if newer == END:
        arrays.pair_rows[pair].entry = END
    else:
        entries[newer].older = END
    while entry != END:
        following = entries[entry].older
        entries[entry].older = CUT
        entry = following


@bare
def best_since(arrays: ScoreArrays, pair: int, since: int, now: int, enough: int) -> Number:
    """1 + the best class that a pair has from ``since`` to ``now``, 0 for none.

    The search ends where ``enough`` is found.
    """
    entries = arrays.entry_rows
    best, entry = 0, arrays.pair_rows[pair].entry
    while entry != END and best < enough:
        hour = hour_of(entries[entry].key)
        if hour < since:
            break
        if hour <= now and count_of(arrays, entry) > 0:
            best = max(best, class_of(entries[entry].key) + 1)
        entry = entries[entry].older
    return best


@bare
def best_of(arrays: ScoreArrays, pair: int) -> Number:
    """The best class of a pair in each horizon, from its entries; packed as in ``PAIR``."""
    entries, horizons, now = arrays.entry_rows, arrays.horizons, arrays.counters[NOW]
    packed, best, horizon = 0, 0, 0
    entry = arrays.pair_rows[pair].entry
    while entry != END:
        hour = hour_of(entries[entry].key)
        while horizon < len(horizons) and hour < now - horizons[horizon]:
            packed |= best << (CLASS_BITS * horizon)
            horizon += 1
        if horizon == len(horizons):
            break
        if hour <= now and count_of(arrays, entry) > 0:
            best = max(best, class_of(entries[entry].key) + 1)
        entry = entries[entry].older
    while horizon < len(horizons):
        packed |= best << (CLASS_BITS * horizon)
        horizon += 1
    return packed


@bare
def newest_and_earliest(
    arrays: ScoreArrays, cell: int, not_after: Number, not_before: Number
) -> tuple[Number, Number]:
    """Hours of a cell's newest and earliest interaction that count in the longest horizon.

    The newest is known to be ``not_after``, the earliest ``not_before`` (or it is not asked for):
    where both are met, the search ends. The newest is older than the horizon if there is none.
    """
    entries, pairs = arrays.entry_rows, arrays.pair_rows
    now = arrays.counters[NOW]
    since = now - arrays.horizons[-1]
    newest, earliest = since - 1, now + 1
    pair = arrays.cell_rows[cell].pair
    while pair != END and not (newest == not_after and earliest <= not_before):
        entry = pairs[pair].entry
        while entry != END:
            hour = hour_of(entries[entry].key)
            if hour < since:
                break
            key = entries[entry].key
            if hour <= now and kind_of(key) != POST and count_of(arrays, entry) > 0:
                newest = max(newest, hour)
                earliest = min(earliest, hour)
            entry = entries[entry].older
        pair = pairs[pair].following
    return newest, earliest
