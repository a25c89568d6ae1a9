"""Telling the seen store of rows that were given before."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.borrowing import borrowed
from streams.kernels.compiling import kernel
from streams.kernels.generation import has_room
from streams.kernels.hashing import partition_at
from streams.kernels.seen import (
    ENTRIES,
    NEW,
    Added,
    admit,
    keep,
    take_back,
    undo,
    undo_record,
)
from streams.kernels.weigh import END, Source, key_of

Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Recalled(NamedTuple):
    """Rows with the offsets at which they are told; see ``schemas.frames.ROW_SCHEMA``."""

    data: npt.NDArray[np.uint8]
    offsets: Longs
    at: Longs
    target: Longs
    target_size: Longs
    network: Longs
    class_: Longs
    weight: Longs
    amount: Longs
    undo: Flags
    engager: Hashes
    id: Hashes
    record: Hashes
    undone_at: Longs
    whole_record: Flags
    partitions: np.uint64


@kernel
def recall(source: Source, past: Recalled, start: int) -> int:
    """Remember the rows from ``start`` on; returns the place of the first one left out.

    It stops before one that begins another generation, or for which there might be no room.
    """
    source, past = borrowed(source), borrowed(past)
    for place in range(start, len(past.offsets)):
        if past.offsets[place] >= source.progress[END]:
            return place
        if not has_room(source.current, ENTRIES):
            return place
        key = key_of(past.id[place], past.engager[place])
        _add(source, past, place, key)
        if past.undo[place]:
            _undo(source, key, past.undone_at[place])
            if past.whole_record[place]:
                at = past.undone_at[place]
                for each in undo_record(source.current, source.previous, past.record[place], at):
                    _undo(source, each, at)
    return len(past.offsets)


@kernel
def _add(source: Source, past: Recalled, place: int, key: np.uint64) -> None:
    at, record = past.at[place], past.record[place]
    verdict, row = admit(source.current, source.previous, key, record, at)
    if verdict != NEW:
        return
    start, size = past.target[place], past.target_size[place]
    added = Added(
        key,
        at,
        start,
        size,
        int(partition_at(past.data, start, size, past.partitions)),
        int(past.network[place]),
        int(past.class_[place]),
        past.weight[place],
        past.amount[place],
        record,
    )
    keep(source.current, row, past.data, added)


@kernel
def _undo(source: Source, key: np.uint64, at: int) -> None:
    row = undo(source.current, source.previous, key, at)
    if row >= 0:
        take_back(source.current, row, at)
