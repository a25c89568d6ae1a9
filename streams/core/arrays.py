"""Arrays that grow, and arrays as bytes for snapshots."""

import math
from mmap import MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_T = TypeVar("_T", bound=np.generic)
_LARGE: Final = 1 << 18
_HUGE: Final = 1 << 25
"""Above, pages of 2 MB are quicker, and what is left of the last one does not matter."""
_SMALLER = ("<i1", "<i2", "<i4")


def grown(array: npt.NDArray[_T], length: int, fill: Any = 0) -> npt.NDArray[_T]:
    """``array`` with room for ``length`` entries along its last axis, the new ones ``fill``.

    The same array if it has the room; else a copy that is larger by a half at least, so that
    growing one by one costs constant time per entry.
    """
    capacity = array.shape[-1]
    if length <= capacity:
        return array
    larger = np.full(
        (*array.shape[:-1], max(length, capacity + capacity // 2, 64)), fill, array.dtype
    )
    larger[..., :capacity] = array
    return larger


def fresh(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros, of which only what is written to takes memory.

    A large array has pages of its own, which go back to the system with it: those of the heap may
    have been used before, and have to be cleared, all at once.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < _LARGE:
        return np.zeros(shape, dtype)
    pages = mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)
    if size >= _HUGE:
        pages.madvise(MADV_HUGEPAGE)
    return np.ndarray(shape, dtype, buffer=pages)


def run_starts(values: Ints) -> Ints:
    """Where in a sorted array each run of equal values begins."""
    differs = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return np.flatnonzero(differs)


def pack(array: npt.NDArray[Any]) -> list[Any]:
    """Integers or booleans as ``[type, bytes]``, in the smallest type that holds them all."""
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    name = next((n for n in _SMALLER if np.iinfo(n).min <= low and high <= np.iinfo(n).max), "<i8")
    return [name, array.astype(name).tobytes()]


def unpack(packed: list[Any], dtype: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
    """A writable one-dimensional array from what ``pack`` gave."""
    name, data = packed
    return np.frombuffer(data, name).astype(dtype)
