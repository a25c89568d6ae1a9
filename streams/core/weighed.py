"""What became of a fetch, in columns as they travel in frames."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from schemas.dead_letter import DeadLetter
from schemas.frames import Columns
from schemas.texts import TextColumn
from streams.core.decoded import Decoded
from streams.core.records import Bytes, Longs
from streams.kernels.gather import gather
from streams.kernels.generation import LONGEST_TEXT
from streams.kernels.seen import ENTRIES
from streams.kernels.weigh import MADE, MADE_ROW, MADE_ROWS, MADE_TEXTS, Fetch, Made
from streams.kernels.weighed import Rows, Told, spread

_SHORT: Final = 32
"""Bytes of a usual target."""
_MOST_TEXT: Final = ENTRIES * LONGEST_TEXT
"""Bytes of the targets that one undo may take back."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What became of a batch. ``rows``: target partition → its rows, by offset and part."""

    rows: dict[int, Columns]
    dead: list[DeadLetter]


def fetch_of(decoded: Decoded) -> Fetch:
    """What the kernel needs of a decoded fetch."""
    return Fetch(
        decoded.data,
        decoded.offsets,
        decoded.what,
        decoded.at,
        decoded.amount,
        decoded.network,
        decoded.undo,
        decoded.self_,
        decoded.id,
        decoded.engager,
        decoded.record,
        decoded.target.places,
        decoded.target.sizes,
        decoded.target_partition,
    )


def room_for(records: int) -> Made:
    """Room for what usually follows from so many records."""
    return Made(
        np.zeros(MADE, np.int64),
        np.empty(records + ENTRIES, MADE_ROW),
        np.empty(_MOST_TEXT + records * _SHORT, np.uint8),
        np.empty(records, np.int64),
    )


def roomy(made: Made, records: int) -> Made:
    """What was made so far, with room for what usually follows from so many more records."""
    rows, texts = int(made.counts[MADE_ROWS]), int(made.counts[MADE_TEXTS])
    if rows + records + ENTRIES <= len(made.rows) and texts + _MOST_TEXT <= len(made.texts):
        return made
    more = room_for(rows + records)
    more.rows[:rows] = made.rows[:rows]
    larger = np.concatenate((made.texts[:texts], more.texts))
    return made._replace(rows=more.rows, texts=larger)


def rows_by_partition(
    decoded: Decoded, made: Made, kind: int, partitions: int
) -> dict[int, Columns]:
    """The columns of each target partition that has rows; ``kind``: index in ROW_KINDS."""
    count = int(made.counts[MADE_ROWS])
    if not count:
        return {}
    data = decoded.data
    if undone := int(made.counts[MADE_TEXTS]):
        data = np.concatenate((data, made.texts[:undone]))
        data.setflags(write=False)  # as ``decoded.data`` is
    told = Told(
        decoded.offsets,
        decoded.received_at,
        decoded.engager,
        decoded.actor.places,
        decoded.actor.sizes,
        decoded.target.sizes,
        decoded.object.places,
        decoded.object.sizes,
    )
    rows = _empty(count)
    starts = np.zeros(partitions + 1, np.int64)
    spread(made.rows[:count], told, len(decoded.data), rows, starts)
    columns: Columns = {
        "offset": rows.offset,
        "part": rows.part,
        "at": rows.at,
        "received_at": rows.received_at,
        "kind": np.full(count, kind, np.uint8),
        "network": rows.network,
        "actor": _texts(data, rows.actor, rows.actor_size),
        "target": _texts(data, rows.target, rows.target_size),
        "object": _texts(data, rows.object, rows.object_size, optional=True),
        "class": rows.class_,
        "weight": rows.weight,
        "amount": rows.amount,
        "undo": rows.undo,
        "engager": rows.engager,
        "id": rows.id,
        "record": rows.record,
        "undone_at": rows.undone_at,
        "whole_record": rows.whole_record,
    }
    bounds = starts.tolist()
    if count == 1:
        return {bounds.index(1) - 1: columns}
    return {
        partition: {name: column[start:stop] for name, column in columns.items()}
        for partition, (start, stop) in enumerate(pairwise(bounds))
        if start < stop
    }


def _texts(data: Bytes, places: Longs, sizes: Longs, *, optional: bool = False) -> TextColumn:
    gathered, ends = gather(data, places, sizes)
    valid = sizes >= 0 if optional else None
    return TextColumn(gathered, ends, None if valid is None or valid.all() else valid)


def _empty(count: int) -> Rows:
    offset, at, received_at, weight, undone_at, *texts = np.empty((11, count), np.int64)
    actor, actor_size, target, target_size, object_, object_size = texts
    engager, id_, record = np.empty((3, count), np.uint64)
    network, class_ = np.empty((2, count), np.uint8)
    undo, whole_record = np.empty((2, count), np.bool_)
    return Rows(
        offset=offset,
        part=np.empty(count, np.uint16),
        at=at,
        received_at=received_at,
        network=network,
        class_=class_,
        weight=weight,
        amount=np.empty(count, np.uint32),
        undo=undo,
        engager=engager,
        id=id_,
        record=record,
        undone_at=undone_at,
        whole_record=whole_record,
        actor=actor,
        actor_size=actor_size,
        target=target,
        target_size=target_size,
        object=object_,
        object_size=object_size,
    )
