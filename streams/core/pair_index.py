"""Numbers of pairs (cell, engager) by hash, many at a time and without an object per pair."""

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints
from streams.core.hash_index import STEP_SHIFT, first_places, occupy

Hashes = npt.NDArray[np.uint64]

_SMALLEST = 64
_FEW = 32
_MASK = 0xFFFF_FFFF_FFFF_FFFF
_SPREAD = 0x9E37_79B9_7F4A_7C15
UNKNOWN = -1


class PairIndex:
    """Finds pairs in columns of cells and engagers, which are the caller's."""

    def __init__(self) -> None:
        self._slots = np.zeros(_SMALLEST, np.uint32)
        self._used = 0

    def find(self, cells: Ints, engagers: Hashes, cell: Ints, engager: Hashes) -> Ints:
        """The pair of each row of ``cells`` and ``engagers``, or UNKNOWN.

        ``cell`` and ``engager``: the columns, cell and engager of each pair.
        """
        if len(cells) <= _FEW:
            return self._find_few(cells, engagers, cell, engager)
        found = np.full(len(cells), UNKNOWN, np.int64)
        mask = np.uint64(len(self._slots) - 1)
        places, steps = first_places(_hashes(cells, engagers), mask)
        rows = np.arange(len(cells))
        while True:
            numbers = self._slots[places]
            taken = np.flatnonzero(numbers)
            if not len(taken):
                return found
            rows, pairs = rows[taken], numbers[taken].astype(np.int64) - 1
            same = (cell[pairs] == cells[rows]) & (engager[pairs] == engagers[rows])
            found[rows[same]] = pairs[same]
            left = np.flatnonzero(~same)
            rows, steps = rows[left], steps[taken[left]]
            places = (places[taken[left]] + steps) & mask

    def add(self, cell: Ints, engager: Hashes, start: int) -> None:
        """Pairs ``start`` to the end of the columns are new, and distinct."""
        size, self._used = len(self._slots), len(cell)
        if 3 * self._used > 2 * size:
            while 2 * self._used > size:
                size *= 2
            self._slots, start = np.zeros(size, np.uint32), 0
        if self._used - start <= _FEW:
            self._add_few(cell[start:], engager[start:], start)
            return
        numbers = np.arange(start + 1, self._used + 1, dtype=np.uint32)
        occupy(self._slots, _hashes(cell[start:], engager[start:]), numbers)

    def _find_few(self, cells: Ints, engagers: Hashes, cell: Ints, engager: Hashes) -> Ints:
        """As ``find``, one after the other: numpy's calls would take longer than the work."""
        found = []
        slots = self._slots.data
        mask = len(slots) - 1
        for one_cell, one_engager in zip(cells.tolist(), engagers.tolist(), strict=True):
            place, step = _first_place(one_cell, one_engager, mask)
            while (pair := slots[place] - 1) >= 0:
                if engager[pair] == one_engager and cell[pair] == one_cell:
                    break
                place = (place + step) & mask
            found.append(pair)
        return np.array(found, np.int64)

    def _add_few(self, cells: Ints, engagers: Hashes, start: int) -> None:
        slots = self._slots.data
        mask = len(slots) - 1
        pairs = zip(cells.tolist(), engagers.tolist(), strict=True)
        for number, (cell, engager) in enumerate(pairs, start + 1):
            place, step = _first_place(cell, engager, mask)
            while slots[place]:
                place = (place + step) & mask
            slots[place] = number


def first_of_each(cells: Ints, engagers: Hashes) -> tuple[Ints, Ints]:
    """Which rows show a pair for the first time, ascending, and of each row which of them it is."""
    order = np.lexsort((engagers, cells))
    cells, engagers = cells[order], engagers[order]
    starts = np.ones(len(order), np.bool_)
    starts[1:] = (cells[1:] != cells[:-1]) | (engagers[1:] != engagers[:-1])
    firsts = order[starts]  # the sort is stable: of equal rows the first one comes first
    by_appearance = np.argsort(firsts)
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(len(firsts))
    which = np.empty(len(order), np.int64)
    which[order] = rank[np.cumsum(starts) - 1]
    return firsts[by_appearance], which


def _hashes(cells: Ints, engagers: Hashes) -> Hashes:
    result: Hashes = engagers ^ (cells.astype(np.uint64) + np.uint64(1)) * np.uint64(_SPREAD)
    return result


def _first_place(cell: int, engager: int, mask: int) -> tuple[int, int]:
    """As ``first_places`` of ``_hashes``."""
    hashed = engager ^ (cell + 1) * _SPREAD & _MASK
    return hashed & mask, hashed >> STEP_SHIFT | 1
