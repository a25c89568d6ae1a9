"""The rows that follow from a fetch as columns, those of each target partition together."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.borrowing import borrowed
from streams.kernels.compiling import kernel

Longs = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]


class Told(NamedTuple):
    """Columns of ``Decoded`` that go into rows as they are; texts by place and size."""

    offsets: Longs
    received_at: Longs
    engager: Hashes
    actor: Longs
    actor_size: Longs
    target_size: Longs
    object: Longs
    object_size: Longs


class Rows(NamedTuple):
    """Columns of ``schemas.frames.ROW_SCHEMA``, all of one length; texts by place and size."""

    offset: Longs
    part: npt.NDArray[np.uint16]
    at: Longs
    received_at: Longs
    network: Small
    class_: Small
    weight: Longs
    amount: npt.NDArray[np.uint32]
    undo: npt.NDArray[np.bool_]
    engager: Hashes
    id: Hashes
    record: Hashes
    undone_at: Longs
    whole_record: npt.NDArray[np.bool_]
    actor: Longs
    actor_size: Longs
    target: Longs
    target_size: Longs
    object: Longs
    object_size: Longs


@kernel
def spread(made: npt.NDArray[np.void], told: Told, undone: int, rows: Rows, starts: Longs) -> None:
    """Fill ``rows`` from ``made``, ordered by target partition, else in the same order.

    ``undone``: where the targets of undone rows begin in the buffer of the texts. ``starts``:
    int64[partitions + 1], all 0; becomes where the rows of each partition begin, and the end.
    """
    made, told, rows = borrowed(made), borrowed(told), borrowed(rows)
    for number in range(len(made)):
        starts[made[number].partition + 1] += 1
    for partition in range(1, len(starts)):
        starts[partition] += starts[partition - 1]
    following = starts.copy()
    for number in range(len(made)):
        new = made[number]
        place, row = new.place, following[new.partition]
        following[new.partition] += 1
        rows.offset[row] = told.offsets[place]
        rows.part[row] = new.part
        rows.at[row] = new.at
        rows.received_at[row] = told.received_at[place]
        rows.network[row] = new.network
        rows.class_[row] = new.class_
        rows.weight[row] = new.weight
        rows.amount[row] = new.amount
        rows.undo[row] = new.undo != 0
        rows.engager[row] = told.engager[place]
        rows.id[row] = new.id
        rows.record[row] = new.record
        rows.undone_at[row] = new.undone_at
        rows.whole_record[row] = new.whole_record != 0
        rows.actor[row] = told.actor[place]
        rows.actor_size[row] = told.actor_size[place]
        rows.target[row] = new.target + (undone if new.undo else 0)
        rows.target_size[row] = new.target_size
        # The object is not kept for the sake of memory: an undo of a record may concern several,
        # one of a single interaction says it itself or does not.
        rows.object[row] = told.object[place]
        rows.object_size[row] = told.object_size[place] if told.target_size[place] >= 0 else -1
