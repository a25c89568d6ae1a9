"""How much room the arrays of the windows get, and arrays that have got more of it."""

from typing import Any, Final

import numpy.typing as npt

from streams.core.arrays import fresh

SMALLEST: Final = 64
"""Rows or slots of an array that is in use at all."""
_FILLED: Final = (5, 8)
"""So many slots of so many are taken at most."""
_TIGHTLY_FILLED: Final = (5, 6)
"""Likewise, where a slot tells most rows apart without a look at them."""


def more(capacity: int, needed: int) -> int:
    """A capacity that doubles at least: memory that is not used yet is only a number."""
    return max(needed, 2 * capacity, SMALLEST)


def slots_for(slots: int, rows: int) -> int:
    """How many slots an index of so many rows has that had ``slots``: a power of two."""
    most, of = _FILLED
    while rows * of > slots * most:
        slots *= 2
    return slots


def tight_slots_for(slots: int, rows: int) -> int:
    """How many slots an index of so many rows has that had ``slots``: a third more at a time."""
    most, of = _TIGHTLY_FILLED
    while rows * of > slots * most:
        slots += slots // 3
    return slots


def enlarged(array: npt.NDArray[Any], capacity: int, used: int) -> npt.NDArray[Any]:
    """A copy of the first ``used`` rows with room for ``capacity``; the rest is not touched."""
    larger = fresh((capacity, *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger
