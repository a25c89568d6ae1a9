"""Rows that were stored, told to the seen store again."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams.kernels.past import Recalled


class Past(NamedTuple):
    """A row as it was stored, as far as it matters to what comes; see ``ROW_SCHEMA``."""

    at: int
    target: str
    network: int
    class_: int
    weight: int
    amount: int
    undo: bool
    engager: int
    id: int
    record: int
    undone_at: int
    whole_record: bool


def recalled(rows: Sequence[tuple[int, Past]], partitions: int) -> Recalled:
    """Rows with their offsets, in columns."""
    past = [row for _, row in rows]
    targets = [row.target.encode() for row in past]
    sizes = np.array([len(target) for target in targets], np.int64)
    return Recalled(
        data=np.frombuffer(b"".join(targets), np.uint8),
        offsets=np.array([offset for offset, _ in rows], np.int64),
        at=np.array([row.at for row in past], np.int64),
        target=np.cumsum(sizes) - sizes,
        target_size=sizes,
        network=np.array([row.network for row in past], np.int64),
        class_=np.array([row.class_ for row in past], np.int64),
        weight=np.array([row.weight for row in past], np.int64),
        amount=np.array([row.amount for row in past], np.int64),
        undo=np.array([row.undo for row in past], np.bool_),
        engager=np.array([row.engager for row in past], np.uint64),
        id=np.array([row.id for row in past], np.uint64),
        record=np.array([row.record for row in past], np.uint64),
        undone_at=np.array([row.undone_at for row in past], np.int64),
        whole_record=np.array([row.whole_record for row in past], np.bool_),
        partitions=np.uint64(partitions),
    )
