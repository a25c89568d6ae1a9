"""Short names compared as numbers: two words of 8 bytes each, the first byte lowest, then zeros."""

from typing import Final

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import inlined, kernel
from streams.kernels.json_text import UNUSUAL
from streams.kernels.memory import word_at

Hashes = npt.NDArray[np.uint64]
Small = npt.NDArray[np.uint8]

LONGEST_NAME: Final = 16
"""Bytes of the longest name that is known here."""

_ALL_BITS: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS: Final = np.uint64(64)
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


@inlined
def slot_of(low: np.uint64, high: np.uint64, slots: int) -> np.int64:
    """Where a name is looked for first; ``slots`` is a power of two."""
    mixed = (low ^ (high * _FACTOR)) * _FACTOR
    return np.int64(mixed >> np.uint64(32)) & (slots - 1)


@kernel
def _name_at(data: int, place: int, size: int) -> tuple[np.uint64, np.uint64]:
    """The two words of a name of 1 to LONGEST_NAME bytes."""
    low, high = word_at(data, place), np.uint64(0)
    if size > 8:
        high = word_at(data, place + 8) & (_ALL_BITS >> (_BITS - np.uint64(8 * (size - 8))))
    else:
        low &= _ALL_BITS >> (_BITS - np.uint64(8 * size))
    return low, high


@kernel
def network_at(data: int, place: int, size: int, names: Hashes, networks: Small) -> np.int64 | int:
    """The network of the name in ``data[place:place + size]``; else UNUSUAL.

    ``names``: uint64[slots, 2], at the place that ``slot_of`` gives or the next free one after it;
    zeros: free. ``networks``: uint8[slots], which network.
    """
    if size < 1 or size > LONGEST_NAME:
        return UNUSUAL
    low, high = _name_at(data, place, size)
    slot = slot_of(low, high, len(names))
    while names[slot, 0] != 0:
        if names[slot, 0] == low and names[slot, 1] == high:
            return np.int64(networks[slot])
        slot = (slot + 1) & (len(names) - 1)
    return UNUSUAL


@kernel
def is_name(data: int, place: int, size: int, name: Hashes) -> bool:
    """Whether ``name`` (its two words) is what ``data[place:place + size]`` says."""
    fits = False
    if 1 <= size <= LONGEST_NAME:
        low, high = _name_at(data, place, size)
        fits = bool(low == name[0] and high == name[1])
    return fits
