"""Rows of the score arrays, taken and given back, and the hashes that their indexes go by."""

from typing import Any

import numpy as np

from streams.kernels.cells import NO_CROWD, NO_POSTS
from streams.kernels.compiling import bare
from streams.kernels.score_arrays import (
    ACCOUNTS,
    ALIVE,
    CELLS,
    CROWDS,
    END,
    ENTRIES,
    FREE,
    LARGE,
    LARGE_SUM,
    PAIRS,
    POSTERS,
    TOP,
    Number,
    ScoreArrays,
)

_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX = np.uint64(0xBF58_476D_1CE4_E5B9)
_HALF = np.uint64(32)
_REST = np.uint64(29)


@bare
def mixed(value: Any) -> Any:
    """A uint64 whose low bits depend on all bits of a uint64."""
    once = (value ^ (value >> _HALF)) * _MIX
    return once ^ (once >> _REST)


@bare
def pair_hash(cell: int, engager: Any) -> Any:
    """uint64: the high half says where the search for a pair begins."""
    return mixed(engager ^ (np.uint64(cell + 1) * _SPREAD))


@bare
def take_account(arrays: ScoreArrays) -> Number:
    """A free row for an account."""
    counters = arrays.counters
    counters[ALIVE + ACCOUNTS] += 1
    row = counters[FREE + ACCOUNTS] - 1
    if row == END:
        row = counters[TOP + ACCOUNTS]
        counters[TOP + ACCOUNTS] += 1
    else:
        counters[FREE + ACCOUNTS] = arrays.account_rows[row].pairs + 1
    return row


@bare
def give_account(arrays: ScoreArrays, row: int) -> None:
    """Nobody needs this account."""
    counters = arrays.counters
    counters[ALIVE + ACCOUNTS] -= 1
    arrays.cells.name_size[row] = 0
    arrays.account_rows[row].pairs = counters[FREE + ACCOUNTS] - 1
    counters[FREE + ACCOUNTS] = row + 1


@bare
def take_cell(arrays: ScoreArrays) -> Number:
    """A free row for a cell."""
    counters = arrays.counters
    counters[ALIVE + CELLS] += 1
    row = counters[FREE + CELLS] - 1
    if row == END:
        row = counters[TOP + CELLS]
        counters[TOP + CELLS] += 1
    else:
        counters[FREE + CELLS] = arrays.cells.following[row] + 1
    return row


@bare
def give_cell(arrays: ScoreArrays, row: int) -> None:
    """Nobody needs this cell."""
    counters = arrays.counters
    counters[ALIVE + CELLS] -= 1
    arrays.cell_rows[row].account = END
    if arrays.cells.poster[row] != NO_POSTS:
        _give_poster(arrays, arrays.cells.poster[row])
    if arrays.cells.crowd[row] != NO_CROWD:
        _give_crowd(arrays, arrays.cells.crowd[row])
    arrays.cells.following[row] = counters[FREE + CELLS] - 1
    counters[FREE + CELLS] = row + 1


@bare
def take_pair(arrays: ScoreArrays) -> Number:
    """A free row for a pair."""
    counters = arrays.counters
    counters[ALIVE + PAIRS] += 1
    row = counters[FREE + PAIRS] - 1
    if row == END:
        row = counters[TOP + PAIRS]
        counters[TOP + PAIRS] += 1
    else:
        counters[FREE + PAIRS] = arrays.pair_rows[row].following + 1
    return row


@bare
def give_pair(arrays: ScoreArrays, row: int) -> None:
    """Nobody needs this pair."""
    counters = arrays.counters
    counters[ALIVE + PAIRS] -= 1
    arrays.pair_rows[row].cell = END
    arrays.pair_rows[row].following = counters[FREE + PAIRS] - 1
    counters[FREE + PAIRS] = row + 1


@bare
def take_entry(arrays: ScoreArrays) -> Number:
    """A free row for an entry."""
    counters = arrays.counters
    counters[ALIVE + ENTRIES] += 1
    row = counters[FREE + ENTRIES] - 1
    if row == END:
        row = counters[TOP + ENTRIES]
        counters[TOP + ENTRIES] += 1
    else:
        counters[FREE + ENTRIES] = arrays.entry_rows[row].older + 1
    return row


@bare
def give_entry(arrays: ScoreArrays, row: int) -> None:
    """Nobody needs this entry."""
    counters = arrays.counters
    counters[ALIVE + ENTRIES] -= 1
    held = np.int64(arrays.entry_rows[row].sum)
    if held & LARGE_SUM:
        _give_large(arrays, held ^ LARGE_SUM)
    arrays.entry_rows[row].pair = END
    arrays.entry_rows[row].older = counters[FREE + ENTRIES] - 1
    counters[FREE + ENTRIES] = row + 1


@bare
def take_large(arrays: ScoreArrays) -> Number:
    """A free row for a large sum."""
    counters = arrays.counters
    counters[ALIVE + LARGE] += 1
    row = counters[FREE + LARGE] - 1
    if row == END:
        row = counters[TOP + LARGE]
        counters[TOP + LARGE] += 1
    else:
        counters[FREE + LARGE] = arrays.large[row, 0] + 1
    return row


@bare
def _give_large(arrays: ScoreArrays, row: Number) -> None:
    counters = arrays.counters
    counters[ALIVE + LARGE] -= 1
    arrays.large[row, 0] = counters[FREE + LARGE] - 1
    counters[FREE + LARGE] = row + 1


@bare
def take_poster(arrays: ScoreArrays) -> Number:
    """A free row for the own posts of a cell, with none in it."""
    counters, posts = arrays.counters, arrays.cells.posts
    counters[ALIVE + POSTERS] += 1
    row = counters[FREE + POSTERS] - 1
    if row == END:
        row = counters[TOP + POSTERS]
        counters[TOP + POSTERS] += 1
    else:
        counters[FREE + POSTERS] = posts[row, 0] + 1
    posts[row] = 0
    return row


@bare
def _give_poster(arrays: ScoreArrays, row: Number) -> None:
    counters = arrays.counters
    counters[ALIVE + POSTERS] -= 1
    arrays.cells.posts[row, 0] = counters[FREE + POSTERS] - 1
    counters[FREE + POSTERS] = row + 1


@bare
def take_crowd(arrays: ScoreArrays) -> Number:
    """A free row for the counts of a cell."""
    counters, crowds = arrays.counters, arrays.cells.crowds
    counters[ALIVE + CROWDS] += 1
    row = counters[FREE + CROWDS] - 1
    if row == END:
        row = counters[TOP + CROWDS]
        counters[TOP + CROWDS] += 1
    else:
        counters[FREE + CROWDS] = crowds[row, 0, 0] + 1
    return row


@bare
def _give_crowd(arrays: ScoreArrays, row: Number) -> None:
    counters = arrays.counters
    counters[ALIVE + CROWDS] -= 1
    arrays.cells.crowds[row, 0, 0] = counters[FREE + CROWDS] - 1
    counters[FREE + CROWDS] = row + 1
