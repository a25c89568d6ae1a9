"""The seen store's decisions; ``streams.core.seen`` says what they mean.

Two generations: what is touched in ``previous`` moves to ``current``, so what was not touched for
a whole generation goes with it.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.kernels.compiling import kernel, merged
from streams.kernels.generation import (
    GONE,
    MOVED,
    NEVER,
    NOTHING,
    ROWS,
    UNDONE,
    Bytes,
    Generation,
    Hashes,
    add_row,
    link,
    note_change,
    note_undone,
    record_hash,
    record_of,
    row_of,
    text_added,
    unlink,
)

LARGEST_RECORD: Final = 512
"""Interactions of one record that may count at the same time, so that the undo of a record gives a
bounded number of rows: they share one offset and cannot be split between frames."""

ENTRIES: Final = LARGEST_RECORD + 2
"""The room that the next event may take in each table of ``current``."""

NEW, DUPLICATE, UNDONE_BEFORE, FULL = range(4)
"""What the store says to a delivery of an interaction."""

_NO_RECORD: Final = np.uint64(0)


class Added(NamedTuple):
    """What a delivery adds. The target's text: ``data[place:place + size]``; record 0: none."""

    key: np.uint64
    at: int
    place: int
    size: int
    partition: int
    network: int
    class_: int
    weight: int
    amount: int
    record: np.uint64


@merged
def _touched(current: Generation, previous: Generation, key: np.uint64) -> int:
    """The row of ``key`` in ``current``, to which it moves if need be; -1 if there is none."""
    row = row_of(current, key)
    if row >= 0:
        return row
    old = row_of(previous, key)
    if old < 0:
        return -1
    return _moved(current, previous, old)


@kernel
def _moved(current: Generation, previous: Generation, old: int) -> int:
    before = previous.rows[old]
    row = add_row(current, before.key, before.newest, before.time)
    if before.target != NOTHING:
        text = previous.texts[before.target - 1]
        number = text_added(current, previous.bytes, text.place, text.size, text.partition)
        after = current.rows[row]
        after.target = number + 1
        after.weight = before.weight
        after.amount = before.amount
        after.network = before.network
        after.class_ = before.class_
        record = record_hash(previous, old)
        if record != _NO_RECORD:
            unlink(previous, old)
            link(current, row, record)
    before.target = MOVED
    previous.counts[GONE] += 1
    return row


@merged
def _undone_in(generation: Generation, record: np.uint64) -> int:
    number = record_of(generation, record)
    return generation.records[number].undone if number >= 0 else NEVER


@merged
def _undone_at(current: Generation, previous: Generation, record: np.uint64) -> int:
    """The newest undo of a whole record, or NEVER."""
    return max(_undone_in(current, record), _undone_in(previous, record))


@merged
def _counting_in(generation: Generation, record: np.uint64) -> int:
    number = record_of(generation, record)
    return generation.records[number].counting if number >= 0 else 0


@merged
def _counting(current: Generation, previous: Generation, record: np.uint64) -> int:
    """How many interactions of a record count."""
    return _counting_in(current, record) + _counting_in(previous, record)


@merged
def admit(
    current: Generation, previous: Generation, key: np.uint64, record: np.uint64, at: int
) -> tuple[int, int]:
    """Judge a delivery; the verdict and the row of ``key`` in ``current`` (-1: none).

    NEW changes nothing yet: ``keep`` must follow if the delivery is to count.
    """
    row = _touched(current, previous, key)
    undone = NEVER
    if row >= 0:
        entry = current.rows[row]
        if at <= entry.newest:
            return DUPLICATE, row
        if entry.target != NOTHING:
            entry.newest = at
            note_change(current, row)
            return DUPLICATE, row
        undone = entry.time
    if record != _NO_RECORD:
        undone = max(undone, _undone_at(current, previous, record))
    if at <= undone:
        if row < 0:
            row = add_row(current, key, at, undone)
        else:
            current.rows[row].newest = at
            current.rows[row].time = undone
            note_change(current, row)
        return UNDONE_BEFORE, row
    if record != _NO_RECORD and _counting(current, previous, record) >= LARGEST_RECORD:
        return FULL, row
    return NEW, row


@merged
def keep(current: Generation, row: int, data: Bytes, added: Added) -> None:
    """Remember what was added for the delivery just admitted as NEW, with the ``row`` it gave."""
    # The undos so far are older than this delivery: none of them can matter any more.
    if row < 0:
        row = add_row(current, added.key, added.at, added.at)
    else:
        note_change(current, row)
    text = text_added(current, data, added.place, added.size, added.partition)
    entry = current.rows[row]
    entry.newest = added.at
    entry.time = added.at
    entry.target = text + 1
    entry.weight = added.weight
    entry.amount = added.amount
    entry.network = added.network
    entry.class_ = added.class_
    if added.record != _NO_RECORD:
        link(current, row, added.record)


@kernel
def undo(current: Generation, previous: Generation, key: np.uint64, at: int) -> int:
    """The counting row that an undo takes back: ``take_back`` must follow. Else it waits; -1."""
    row = _touched(current, previous, key)
    if row < 0:
        add_row(current, key, NEVER, at)
        return -1
    entry = current.rows[row]
    if entry.target == NOTHING:
        if at > entry.time:
            entry.time = at
            note_change(current, row)
        return -1
    return row if entry.newest <= at else -1


@kernel
def take_back(current: Generation, row: int, at: int) -> None:
    """Let a counting row count no more, since an undo at ``at``."""
    unlink(current, row)
    entry = current.rows[row]
    entry.time = at
    entry.target = NOTHING
    entry.weight = 0
    entry.amount = 0
    entry.network = 0
    entry.class_ = 0
    note_change(current, row)


@kernel
def _list_keys(generation: Generation, record: np.uint64, keys: Hashes, found: int) -> int:
    """Write the keys of a record's counting rows behind the ``found`` ones; how many there are."""
    number = record_of(generation, record)
    row = generation.records[number].head - 1 if number >= 0 else -1
    while row >= 0:
        keys[found] = generation.rows[row].key
        found += 1
        row = generation.rows[row].following - 1
    return found


@kernel
def undo_record(current: Generation, previous: Generation, record: np.uint64, at: int) -> Hashes:
    """Note the undo of a whole record; ascending, the keys that it concerns: ``undo`` each."""
    number = note_undone(current, record, max(_undone_at(current, previous, record), at))
    current.undone[current.counts[UNDONE]] = number
    current.counts[UNDONE] += 1
    keys = np.empty(_counting(current, previous, record), np.uint64)
    found = _list_keys(current, record, keys, 0)
    _list_keys(previous, record, keys, found)
    keys.sort()
    return keys


@kernel
def settle(current: Generation, previous: Generation, records: Hashes, earlier: Hashes) -> None:
    """Complete two generations whose rows were just restored: what moved, and who is of a record.

    ``records`` and ``earlier``: the record of each row of ``current`` and of ``previous``, or 0.
    """
    for row in range(current.counts[ROWS]):
        old = row_of(previous, current.rows[row].key)
        if old >= 0:
            previous.rows[old].target = MOVED
            previous.counts[GONE] += 1
        if records[row] != _NO_RECORD:
            link(current, row, records[row])
    for row in range(previous.counts[ROWS]):
        if earlier[row] != _NO_RECORD and previous.rows[row].target != MOVED:
            link(previous, row, earlier[row])
