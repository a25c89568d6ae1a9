"""Deciding a whole fetch: what becomes of each record, and which rows follow."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from streams.kernels.borrowing import borrowed
from streams.kernels.classes import Known, class_now
from streams.kernels.compiling import kernel, merged
from streams.kernels.generation import (
    LONGEST_TEXT,
    Bytes,
    Generation,
    Hashes,
    Table,
    has_room,
    record_hash,
)
from streams.kernels.seen import (
    DUPLICATE,
    ENTRIES,
    FULL,
    NEW,
    Added,
    admit,
    keep,
    take_back,
    undo,
    undo_record,
)

Longs = npt.NDArray[np.int64]
Small = npt.NDArray[np.uint8]

INTERACTION, HEARTBEAT = 0, 1
"""What a record is; anything else is BAD."""

ACCEPTED, DUPLICATES, UNDONE, UNMATCHED, SELF, LATE, DEAD, HEARTBEATS = range(8)
"""Places of the totals, as in ``schemas.frames.OUTCOMES``."""

APPLIED, CLOCK, END = range(3)
"""Places of the progress: last offset decided, newest event time in ms, and the offset from which
on the store begins another generation."""

_HOUR_MS: Final = 3_600_000
_ODD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_NO_RECORD: Final = np.uint64(0)

MADE_ROW: Final = np.dtype(
    [
        ("place", np.int64),
        ("at", np.int64),
        ("weight", np.int64),
        ("id", np.uint64),
        ("record", np.uint64),
        ("undone_at", np.int64),
        ("target", np.int64),
        ("target_size", np.int32),
        ("partition", np.int32),
        ("amount", np.uint32),
        ("part", np.uint16),
        ("network", np.uint8),
        ("class_", np.uint8),
        ("undo", np.uint8),
        ("whole_record", np.uint8),
    ],
    align=True,
)
"""A row to be sent: what its record, at ``place`` in the fetch, does not say itself. ``target``:
where its text begins, in the buffer of the fetch, or on an undo in the one of the undone targets.
"""


class Fetch(NamedTuple):
    """Columns of ``streams.core.decoded.Decoded``."""

    data: Bytes
    offsets: Longs
    what: Small
    at: Longs
    amount: Longs
    network: Small
    undo: npt.NDArray[np.bool_]
    self_: npt.NDArray[np.bool_]
    id: Hashes
    engager: Hashes
    record: Hashes
    target: Longs
    target_size: Longs
    target_partition: Longs


class Made(NamedTuple):
    """What follows from a fetch. ``counts``: int64[MADE], how much of the others is in use.

    ``rows``: of type MADE_ROW; ``texts``: targets of undone rows; ``dead``: where unusable records
    stand in the fetch.
    """

    counts: Any
    rows: Table
    texts: Bytes
    dead: Longs


MADE_ROWS, MADE_TEXTS, MADE_DEAD, MADE = range(4)
"""Places in ``Made.counts``, and how many there are."""


class Source(NamedTuple):
    """A source: its seen store, ``progress`` and ``totals``, and what an interaction weighs.

    ``weight``: of an amount of 1; ``class_``: of its actor; both where ``known``, which says it by
    actor, is empty. ``longest_h``: the longest horizon.
    """

    current: Generation
    previous: Generation
    progress: Longs
    totals: Longs
    weight: int
    class_: int
    longest_h: int
    known: Known


@merged
def key_of(identity: np.uint64, engager: np.uint64) -> np.uint64:
    """The key of an interaction in the seen store, from the hashes of its id and its actor.

    The key stands for both together: nobody can retract or forestall what another actor did, and
    what counts does not depend on which actors share a partition. As XOR goes both ways, the store
    needs no second number to tell the hash of the id again.
    """
    return identity ^ (engager * _ODD)


@kernel
def decide(source: Source, fetch: Fetch, start: int, made: Made) -> int:
    """Decide the records from ``start`` on; returns the place of the first one left undecided.

    It stops before one that begins another generation, or for which there might be no room.
    """
    source, fetch, made = borrowed(source), borrowed(fetch), borrowed(made)
    progress, totals = source.progress, source.totals
    for place in range(start, len(fetch.offsets)):
        if fetch.offsets[place] <= progress[APPLIED]:
            continue
        what = fetch.what[place]
        if what == INTERACTION:
            if not fetch.self_[place]:
                begins = fetch.offsets[place] >= progress[END]
                if begins or not has_room(source.current, ENTRIES) or _is_full(made):
                    return place
            progress[CLOCK] = max(progress[CLOCK], fetch.at[place])
            if fetch.self_[place]:
                totals[SELF] += 1
            elif fetch.undo[place]:
                _undo(source, fetch, place, made)
            else:
                _add(source, fetch, place, made)
        elif what == HEARTBEAT:
            progress[CLOCK] = max(progress[CLOCK], fetch.at[place])
            totals[HEARTBEATS] += 1
        else:
            _bury(totals, made, place)
        progress[APPLIED] = fetch.offsets[place]
    return len(fetch.offsets)


@merged
def _is_full(made: Made) -> Any:
    """Whether the rows of one more undo of a record might not fit."""
    return made.counts[MADE_ROWS] + ENTRIES > len(made.rows) or made.counts[
        MADE_TEXTS
    ] + ENTRIES * LONGEST_TEXT > len(made.texts)


@merged
def _bury(totals: Longs, made: Made, place: int) -> None:
    totals[DEAD] += 1
    made.dead[made.counts[MADE_DEAD]] = place
    made.counts[MADE_DEAD] += 1


@merged
def _add(source: Source, fetch: Fetch, place: int, made: Made) -> None:
    at, record, totals = fetch.at[place], fetch.record[place], source.totals
    key = key_of(fetch.id[place], fetch.engager[place])
    verdict, row = admit(source.current, source.previous, key, record, at)
    if verdict != NEW:
        if verdict == FULL:
            _bury(totals, made, place)
        elif verdict == DUPLICATE:
            totals[DUPLICATES] += 1
        else:
            totals[UNDONE] += 1
        return
    if at // _HOUR_MS < source.progress[CLOCK] // _HOUR_MS - source.longest_h:
        totals[LATE] += 1
        return
    totals[ACCEPTED] += 1
    class_, weight = source.class_, source.weight
    if len(source.known.actor):
        class_ = class_now(source.known, place)
        weight = source.known.weights[class_]
    added = Added(
        key,
        at,
        fetch.target[place],
        fetch.target_size[place],
        fetch.target_partition[place],
        int(fetch.network[place]),
        class_,
        weight * fetch.amount[place],
        fetch.amount[place],
        record,
    )
    keep(source.current, row, fetch.data, added)
    number = made.counts[MADE_ROWS]
    made.counts[MADE_ROWS] += 1
    new = made.rows[number]
    new.place = place
    new.at = at
    new.weight = added.weight
    new.id = fetch.id[place]
    new.record = record
    new.undone_at = 0
    new.target = added.place
    new.target_size = added.size
    new.partition = added.partition
    new.amount = added.amount
    new.part = 0
    new.network = added.network
    new.class_ = added.class_
    new.undo = 0
    new.whole_record = 0


@kernel
def _undo(source: Source, fetch: Fetch, place: int, made: Made) -> None:
    current, previous, totals = source.current, source.previous, source.totals
    at, engager = fetch.at[place], fetch.engager[place]
    record = fetch.record[place]
    whole_record = record != _NO_RECORD and fetch.target_size[place] < 0
    if whole_record:
        keys = undo_record(current, previous, record, at)
    else:
        keys = np.empty(1, np.uint64)
        keys[0] = key_of(fetch.id[place], engager)
    part = 0
    for key in keys:
        row = undo(current, previous, key, at)
        if row >= 0:
            number = _retract(current, row, place, made)
            new = made.rows[number]
            new.id = key_of(key, engager)
            new.undone_at = at
            new.part = part
            new.whole_record = whole_record
            take_back(current, row, at)
            part += 1
    totals[UNDONE] += part
    if part == 0:
        totals[UNMATCHED] += 1


@kernel
def _retract(current: Generation, row: int, place: int, made: Made) -> int:
    """A row to be sent that takes back what a row of the store added; its number."""
    number: int = made.counts[MADE_ROWS]
    start: int = made.counts[MADE_TEXTS]
    entry = current.rows[row]
    text = current.texts[entry.target - 1]
    made.counts[MADE_ROWS] += 1
    made.counts[MADE_TEXTS] += text.size
    for byte in range(text.size):
        made.texts[start + byte] = current.bytes[text.place + byte]
    new = made.rows[number]
    new.place = place
    new.at = entry.time
    new.weight = entry.weight
    new.record = record_hash(current, row)
    new.target = start
    new.target_size = text.size
    new.partition = text.partition
    new.amount = entry.amount
    new.network = entry.network
    new.class_ = entry.class_
    new.undo = 1
    return number
