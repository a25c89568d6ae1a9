"""Row numbers by 64-bit hash, without an object per row.

Open addressing with double hashing: where a slot is taken, the step to the next one comes from the
hash's upper bits, so that rows that agree in the lower bits only do not queue up behind each other.
A slot takes four bytes, and a third to two thirds of the slots are in use.
"""

from array import array
from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

MOST_ROWS: Final = (1 << 32) - 2

STEP_SHIFT: Final = 40
_SMALLEST: Final = 64
_FREE, _GONE = 0, MOST_ROWS + 1
"""Contents of a slot that no row has, and of one that a row had; else a row's number plus 1."""


class HashIndex:
    """Finds the row of a hash in a column of hashes that grows at its end.

    ``column`` (unsigned 64-bit) is the caller's. Who writes a hash into a row tells the index with
    ``put``; who changes rows otherwise calls ``rebuild``.
    """

    __slots__ = ("_column", "_mask", "_missed", "_place", "_slots", "_used")

    def __init__(self, column: "array[int]") -> None:
        self._column = column
        self._slots = array("I", bytes(4 * _SMALLEST))
        self._mask = _SMALLEST - 1
        self._used = 0
        # the hash that was not found last, and the free slot where the search for it ended
        self._missed = -1
        self._place = 0

    def find(self, value: int) -> int:
        """The row that was put for ``value``, -1 if there is none."""
        if value == self._missed:
            return -1
        slots, mask = self._slots, self._mask
        place = value & mask
        if row := slots[place]:
            column = self._column
            if row != _GONE and column[row - 1] == value:
                return row - 1
            step = value >> STEP_SHIFT | 1
            place = (place + step) & mask
            while row := slots[place]:
                if row != _GONE and column[row - 1] == value:
                    return row - 1
                place = (place + step) & mask
        self._missed, self._place = value, place
        return -1

    def put(self, value: int, row: int) -> None:
        """Let ``row``, which holds ``value`` already, be the one that is found for it."""
        place = self._place if value == self._missed else self._place_of(value)
        slots = self._slots
        if slots[place] == _FREE:
            self._missed = -1
            self._used += 1
            slots[place] = row + 1
            if 3 * self._used > 2 * len(slots):
                self._grow()
        else:
            slots[place] = row + 1

    def remove(self, value: int) -> None:
        """Let no row be found for ``value`` any more."""
        place = self._place_of(value)
        if self._slots[place] != _FREE:
            self._slots[place] = _GONE

    def rebuild(self, rows: npt.NDArray[np.int64]) -> None:
        """Find exactly ``rows``, whose hashes must be distinct."""
        size = _SMALLEST
        while 2 * len(rows) > size:
            size *= 2
        hashes = np.frombuffer(self._column, np.uint64)[rows]
        slots = np.zeros(size, np.uint32)
        occupy(slots, hashes, (rows + 1).astype(np.uint32))
        self._slots = array("I")
        self._slots.frombytes(slots.tobytes())
        self._mask, self._used, self._missed = size - 1, len(rows), -1

    def _place_of(self, value: int) -> int:
        """The slot of ``value``, or the free one where it belongs."""
        slots, mask, column = self._slots, self._mask, self._column
        place = value & mask
        step = value >> STEP_SHIFT | 1
        while (row := slots[place]) and (row == _GONE or column[row - 1] != value):
            place = (place + step) & mask
        return place

    def _grow(self) -> None:
        slots = np.frombuffer(self._slots, np.uint32)
        rows = slots[(slots != _FREE) & (slots != _GONE)].astype(np.int64) - 1
        del slots  # lets go of the buffer
        rows.sort()
        self.rebuild(rows)


def occupy(slots: npt.NDArray[np.uint32], hashes: Hashes, numbers: npt.NDArray[np.uint32]) -> None:
    """Write each number (not 0) into the first free slot that the search for its hash comes by.

    ``slots``: a power of two of them, more than are taken; ``hashes`` may repeat.
    """
    mask = np.uint64(len(slots) - 1)
    places, steps = first_places(hashes, mask)
    while len(numbers):
        free = slots[places] == _FREE
        slots[places[free]] = numbers[free]
        # of several that chose one slot, the last one has it now
        left = np.flatnonzero(slots[places] != numbers)
        numbers, steps = numbers[left], steps[left]
        places = (places[left] + steps) & mask


def first_places(hashes: Hashes, mask: np.uint64) -> tuple[Hashes, Hashes]:
    """Where the search for each hash begins, and its step from there."""
    return hashes & mask, hashes >> np.uint64(STEP_SHIFT) | np.uint64(1)
