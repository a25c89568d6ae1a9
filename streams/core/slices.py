"""Slices of the score state as what MessagePack can hold, and back."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.core.arrays import pack, unpack
from streams.kernels.slices import Slice

_DTYPES: Final[dict[str, npt.DTypeLike]] = {
    "accounts": np.int32,
    "name_sizes": np.uint16,
    "names": np.uint8,
    "levels": np.uint8,
    "cells_of": np.uint8,
    "networks": np.uint8,
    "pairs_of": np.uint32,
    "engagers": np.uint64,
    "entries_of": np.uint32,
    "hours": np.uint32,
    "codes": np.uint8,
    "weights": np.int64,
    "counts": np.int64,
}
"""The type of each column."""


def new_slice(
    accounts: npt.NDArray[np.int32], names: int, cells: int, pairs: int, entries: int
) -> Slice:
    """A slice of accounts with room for so many bytes of names, cells, pairs and entries."""
    sizes = {
        **dict.fromkeys(("accounts", "name_sizes", "levels", "cells_of"), len(accounts)),
        **dict.fromkeys(("networks", "pairs_of"), cells),
        **dict.fromkeys(("engagers", "entries_of"), pairs),
        **dict.fromkeys(("hours", "codes", "weights", "counts"), entries),
        "names": names,
    }
    slice_ = Slice(**{name: np.zeros(sizes[name], dtype) for name, dtype in _DTYPES.items()})
    slice_.accounts[:] = accounts
    return slice_


def packed(slice_: Slice) -> dict[str, Any]:
    """Column → type and bytes; a number in the smallest type that holds its column."""
    columns = slice_._asdict()
    hashes = columns.pop("engagers")
    return {name: pack(column) for name, column in columns.items()} | {"engagers": hashes.tobytes()}


def unpacked(columns: dict[str, Any]) -> Slice:
    """The slice that was packed."""
    hashes = np.frombuffer(columns["engagers"], "<u8").astype(np.uint64)
    names = _DTYPES.keys() - {"engagers"}
    return Slice(engagers=hashes, **{name: unpack(columns[name], _DTYPES[name]) for name in names})
