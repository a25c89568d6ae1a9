"""Accounts by name and cells by network: found, made, and given back."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streams.kernels.cells import NO_CELL, NO_CROWD, NO_FIRST, NO_HOUR, NO_POSTS
from streams.kernels.compiling import bare, kernel
from streams.kernels.rows import give_account, give_cell, mixed, take_account, take_cell
from streams.kernels.score_arrays import (
    ACCOUNTS,
    ALIVE,
    DEAD_NAME_BYTES,
    END,
    NAME_BYTES,
    TOP,
    Number,
    ScoreArrays,
)

Numbers = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

_WORD = 8
_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)


@bare
def name_hash(data: Bytes, start: int, stop: int) -> Any:
    """uint64 hash of the bytes from ``start`` to ``stop``; known to this process only."""
    value = np.uint64(stop - start)
    place = start
    while place < stop:
        word = np.uint64(0)
        for byte in range(min(_WORD, stop - place)):
            word |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
        value = mixed((value ^ word) * _MULTIPLIER)
        place += _WORD
    return value


@bare
def find_accounts(
    arrays: ScoreArrays, names: Bytes, places: Numbers, accounts: Numbers, hashes: Hashes
) -> None:
    """Write the account of each name, made where it is new; ``hashes``: room for as many."""
    count = len(accounts)
    for row in range(count):
        hashes[row] = name_hash(names, places[row], places[row + 1])
    for row in range(count):
        start, stop = places[row], places[row + 1]
        account = find_account(arrays, hashes[row], names, start, stop)
        if account == END:
            account = _new_account(arrays, hashes[row], names, start, stop)
        accounts[row] = account


@bare
def find_account(arrays: ScoreArrays, hashed: Any, names: Bytes, start: int, stop: int) -> Number:
    """The account with the name ``names[start:stop]``, or ``END``."""
    slots, rows, cells = arrays.account_slots, arrays.account_rows, arrays.cells
    mask = len(slots) - 1
    slot = np.int64(hashed & np.uint64(mask))
    size = stop - start
    while slots[slot]:
        account = slots[slot] - 1
        if rows[account].hash == hashed and cells.name_size[account] == size:
            at, same = cells.name_at[account], True
            for byte in range(size):
                same &= cells.names[at + byte] == names[start + byte]
            if same:
                return account
        slot = (slot + 1) & mask
    return END


@bare
def _new_account(arrays: ScoreArrays, hashed: Any, names: Bytes, start: int, stop: int) -> Number:
    account = take_account(arrays)
    set_account(arrays, account, hashed, names, start, stop)
    return account


@bare
def set_account(
    arrays: ScoreArrays, account: int, hashed: Any, names: Bytes, start: int, stop: int
) -> None:
    """Give a row to the account with the name ``names[start:stop]``, which has none yet."""
    cells, counters, row = arrays.cells, arrays.counters, arrays.account_rows[account]
    row.hash = hashed
    row.named = 0
    row.pairs = 0
    cells.head[account] = NO_CELL
    cells.level[account] = 0
    at = counters[NAME_BYTES]
    for byte in range(stop - start):
        cells.names[at + byte] = names[start + byte]
    cells.name_at[account] = at
    cells.name_size[account] = stop - start
    counters[NAME_BYTES] += stop - start
    _occupy(arrays.account_slots, hashed, account)


@bare
def _occupy(slots: Numbers, hashed: Any, row: int) -> None:
    mask = len(slots) - 1
    slot = np.int64(hashed & np.uint64(mask))
    while slots[slot]:
        slot = (slot + 1) & mask
    slots[slot] = row + 1


@bare
def index_accounts(arrays: ScoreArrays) -> None:
    """Fill an empty index with all accounts."""
    for account in range(arrays.counters[TOP]):
        if arrays.cells.name_size[account]:
            _occupy(arrays.account_slots, arrays.account_rows[account].hash, account)


@bare
def _vacate(arrays: ScoreArrays, account: int) -> None:
    """Take an account out of the index; those behind it move up."""
    slots, rows = arrays.account_slots, arrays.account_rows
    mask = len(slots) - 1
    gap = np.int64(rows[account].hash & np.uint64(mask))
    while slots[gap] != account + 1:
        gap = (gap + 1) & mask
    slot = gap
    while True:
        slot = (slot + 1) & mask
        if not slots[slot]:
            break
        home = np.int64(rows[slots[slot] - 1].hash & np.uint64(mask))
        if ((slot - home) & mask) >= ((slot - gap) & mask):
            slots[gap] = slots[slot]
            gap = slot
    slots[gap] = 0


@bare
def free_accounts(arrays: ScoreArrays, accounts: npt.NDArray[np.int64]) -> None:
    """Give back accounts that have no pairs, and their cells."""
    cells = arrays.cells
    for account in accounts:
        _vacate(arrays, account)
        cell = cells.head[account]
        while cell != NO_CELL:
            following = cells.following[cell]
            give_cell(arrays, cell)
            cell = following
        arrays.counters[DEAD_NAME_BYTES] += cells.name_size[account]
        give_account(arrays, account)


@bare
def free_rows(arrays: ScoreArrays) -> None:
    """Make the rows that are no accounts free, where none was: the lowest first."""
    counters, last = arrays.counters, arrays.counters[TOP + ACCOUNTS]
    for row in range(last - 1, -1, -1):
        if not arrays.cells.name_size[row]:
            counters[ALIVE + ACCOUNTS] += 1
            give_account(arrays, row)


@kernel
def pack_names(arrays: ScoreArrays, names: Bytes) -> None:
    """Copy the names of all accounts into ``names`` without gaps; it becomes the arena next."""
    cells, counters = arrays.cells, arrays.counters
    place = 0
    for account in range(counters[TOP]):
        at, size = cells.name_at[account], cells.name_size[account]
        if size:
            names[place : place + size] = cells.names[at : at + size]
            cells.name_at[account] = place
            place += size
    counters[NAME_BYTES] = place
    counters[DEAD_NAME_BYTES] = 0


@bare
def cell_of(arrays: ScoreArrays, account: int, network: int) -> Number:
    """The cell of an account on a network, made if it is new."""
    cells, rows = arrays.cells, arrays.cell_rows
    cell = cells.head[account]
    while cell != NO_CELL and rows[cell].network != network:
        cell = cells.following[cell]
    if cell == NO_CELL:
        cell = take_cell(arrays)
        rows[cell].account = account
        rows[cell].network = network
        rows[cell].pair = END
        cells.weights[cell] = 0
        cells.interactions[cell] = 0
        cells.distinct[cell] = 0
        cells.poster[cell] = NO_POSTS
        cells.crowd[cell] = NO_CROWD
        cells.last[cell] = NO_HOUR
        cells.first[cell] = NO_FIRST
        cells.following[cell] = cells.head[account]
        cells.head[account] = cell
    return cell
