"""One generation of the seen store: the interactions that were touched in one stretch of offsets.

Everything is appended, nothing is moved: a row's number stays. Who calls sees to it that there is
room; see ``has_room``.
"""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from streams.kernels.compiling import kernel, merged
from streams.kernels.hashing import hash64_at
from streams.kernels.memory import byte_at, word_at

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Table: TypeAlias = Any
"""An array of ROW, RECORD or TEXT: numpy's types do not know its columns."""

ROW: Final = np.dtype(
    [
        ("key", np.uint64),
        ("newest", np.int64),
        ("time", np.int64),
        ("weight", np.int64),
        ("amount", np.uint32),
        ("target", np.int32),
        ("record", np.int32),
        ("following", np.int32),
        ("network", np.uint8),
        ("class_", np.uint8),
    ],
    align=True,
)
"""An interaction. ``newest``: the newest time among its deliveries. ``time``: of a counting row,
when what was added happened; of another one, the newest of its undos; ms, or NEVER. ``target``:
number of its text + 1, or NOTHING or MOVED. The rest is of counting rows: ``record`` is the number
of its record + 1 (0: none), ``following`` the next counting row of that record + 1 (0: the end)."""

RECORD: Final = np.dtype(
    [
        ("hash", np.uint64),
        ("undone", np.int64),
        ("head", np.int32),
        ("counting", np.int32),
    ],
    align=True,
)
"""A record. ``undone``: its newest undo in ms, or NEVER; ``head``: its first counting row + 1;
``counting``: how many there are."""

TEXT: Final = np.dtype(
    [
        ("hash", np.uint64),
        ("place", np.int64),
        ("size", np.int32),
        ("partition", np.int32),
    ],
    align=True,
)
"""The text of a target, ``bytes[place:place + size]``, and the partition where it belongs."""

NEVER: Final = -1
"""The time of what has not happened; before every real time."""
NOTHING: Final = 0
"""In place of a target: the row does not count."""
MOVED: Final = -1
"""In place of a target: the row lives on in the next generation."""

ROWS, RECORDS, TEXTS, TEXT_BYTES, CHANGED, UNDONE, GONE, SAVED, SAVED_TEXTS, COUNTS = range(10)
"""Places in ``Generation.counts``: what is in use of each array; how many rows have MOVED; how many
rows and texts the last snapshot held (changes of other rows need no notice); how many places."""

LONGEST_TEXT: Final = 2048
"""Bytes that the text of a target has at most: 4 for each character of the longest account."""

_FINGERPRINT_BITS: Final = np.uint64(32)
_NUMBER: Final = np.uint64(0xFFFF_FFFF)
_FREE: Final = np.uint64(0)


class Generation(NamedTuple):
    """Tables with their indexes. A slot holds a number + 1 below the upper half of the hash."""

    counts: Any
    rows: Table
    row_slots: Hashes
    records: Table
    record_slots: Hashes
    texts: Table
    text_slots: Hashes
    bytes: Bytes
    changed: npt.NDArray[np.int32]
    """Rows below ``counts[SAVED]`` that have changed since, with repeats."""
    undone: npt.NDArray[np.int32]
    """Records that were undone since the last snapshot, with repeats."""


@merged
def has_room(generation: Generation, entries: int) -> Any:
    """Whether each table has room for so many more entries, and its index is not crowded."""
    counts = generation.counts
    rows, records, texts = counts[ROWS], counts[RECORDS], counts[TEXTS]
    return (
        rows + entries <= len(generation.rows)
        and 2 * (rows + entries) <= len(generation.row_slots)
        and records + entries <= len(generation.records)
        and 2 * (records + entries) <= len(generation.record_slots)
        and texts + entries <= len(generation.texts)
        and 2 * (texts + entries) <= len(generation.text_slots)
        and counts[TEXT_BYTES] + entries * LONGEST_TEXT <= len(generation.bytes)
        and counts[CHANGED] + entries <= len(generation.changed)
        and counts[UNDONE] + entries <= len(generation.undone)
    )


@merged
def _find(slots: Hashes, names: Hashes, value: np.uint64) -> int:
    """The number under which ``value`` stands in ``names``, -1 if it has none."""
    mask = np.uint64(len(slots) - 1)
    place = value & mask
    slot = slots[place]
    while slot != _FREE:
        if (slot ^ value) >> _FINGERPRINT_BITS == _FREE:
            number: int = np.int64(slot & _NUMBER) - 1  # type: ignore[assignment]
            if names[number] == value:
                return number
        place = (place + np.uint64(1)) & mask
        slot = slots[place]
    return -1


@merged
def _put(slots: Hashes, value: np.uint64, number: int) -> None:
    """Let ``number`` be found for ``value``, for which there is none yet."""
    mask = np.uint64(len(slots) - 1)
    place = value & mask
    while slots[place] != _FREE:
        place = (place + np.uint64(1)) & mask
    slots[place] = (value & ~_NUMBER) | np.uint64(number + 1)


@kernel
def index(slots: Hashes, names: Hashes) -> None:
    """Fill empty ``slots`` with all of ``names``, which are distinct."""
    for number in range(len(names)):
        _put(slots, names[number], number)


@merged
def row_of(generation: Generation, key: np.uint64) -> int:
    """The row of an interaction, -1 if there is none."""
    return _find(generation.row_slots, generation.rows.key, key)


@merged
def add_row(generation: Generation, key: np.uint64, newest: int, time: int) -> int:
    """A new row, which does not count, for a key that has none."""
    row: int = generation.counts[ROWS]
    generation.counts[ROWS] += 1
    added = generation.rows[row]
    added.key = key
    added.newest = newest
    added.time = time
    added.weight = 0
    added.amount = 0
    added.target = NOTHING
    added.record = 0
    added.following = 0
    added.network = 0
    added.class_ = 0
    _put(generation.row_slots, key, row)
    return row


@merged
def note_change(generation: Generation, row: int) -> None:
    """Tell the next snapshot that a row has changed."""
    counts = generation.counts
    if row < counts[SAVED]:
        generation.changed[counts[CHANGED]] = row
        counts[CHANGED] += 1


@merged
def record_of(generation: Generation, record: np.uint64) -> int:
    """The number of a record, -1 if it has none."""
    return _find(generation.record_slots, generation.records.hash, record)


@kernel
def record_added(generation: Generation, record: np.uint64) -> int:
    """The number of a record, a new one if it has none."""
    number = record_of(generation, record)
    if number < 0:
        number = generation.counts[RECORDS]
        generation.counts[RECORDS] += 1
        added = generation.records[number]
        added.hash = record
        added.undone = NEVER
        added.head = 0
        added.counting = 0
        _put(generation.record_slots, record, number)
    return number


@kernel
def link(generation: Generation, row: int, record: np.uint64) -> None:
    """Let a counting row be one of a record."""
    number = record_added(generation, record)
    entry = generation.records[number]
    generation.rows[row].record = number + 1
    generation.rows[row].following = entry.head
    entry.head = row + 1
    entry.counting += 1


@kernel
def unlink(generation: Generation, row: int) -> None:
    """Let a row be one of no record, if it is one of any."""
    rows = generation.rows
    number = rows[row].record - 1
    if number < 0:
        return
    entry = generation.records[number]
    if entry.head == row + 1:
        entry.head = rows[row].following
    else:
        before = entry.head - 1
        while rows[before].following != row + 1:
            before = rows[before].following - 1
        rows[before].following = rows[row].following
    entry.counting -= 1
    rows[row].record = 0
    rows[row].following = 0


@merged
def record_hash(generation: Generation, row: int) -> np.uint64:
    """The record of a row, 0 for none."""
    number = generation.rows[row].record - 1
    return generation.records[number].hash if number >= 0 else np.uint64(0)


@merged
def _same(one: Bytes, place: int, other: Bytes, start: int, size: int) -> bool:
    done = 0
    while done + 8 <= size:
        if word_at(one, place + done) != word_at(other, start + done):
            return False
        done += 8
    while done < size:
        if byte_at(one, place + done) != byte_at(other, start + done):
            return False
        done += 1
    return True


@merged
def text_added(generation: Generation, data: Bytes, start: int, size: int, partition: int) -> int:
    """The number of the text ``data[start:start + size]``, a new one if it has none."""
    hashed = hash64_at(data, start, size)
    while True:
        number = _find(generation.text_slots, generation.texts.hash, hashed)
        if number < 0:
            break
        text = generation.texts[number]
        if text.size == size and _same(generation.bytes, text.place, data, start, size):
            return number
        hashed += np.uint64(1)  # two texts with one hash: the next one is the second's
    counts = generation.counts
    place: int = counts[TEXT_BYTES]
    new: int = counts[TEXTS]
    counts[TEXTS] += 1
    counts[TEXT_BYTES] += size
    added = generation.texts[new]
    added.hash = hashed
    added.place = place
    added.size = size
    added.partition = partition
    for byte in range(size):
        generation.bytes[place + byte] = data[start + byte]
    _put(generation.text_slots, hashed, new)
    return new


@kernel
def add_texts(generation: Generation, data: Bytes, sizes: Longs, partitions: Longs) -> None:
    """Number texts that lie one after the other in ``data``."""
    place = 0
    for text in range(len(sizes)):
        text_added(generation, data, place, sizes[text], partitions[text])
        place += sizes[text]


@kernel
def note_undone(generation: Generation, record: np.uint64, at: int) -> int:
    """The number of a whole record that was undone at ``at``."""
    number = record_added(generation, record)
    entry = generation.records[number]
    entry.undone = max(entry.undone, at)
    return number


@kernel
def add_undone(generation: Generation, records: Hashes, at: Longs) -> None:
    """Note undos of whole records."""
    for number in range(len(records)):
        note_undone(generation, records[number], at[number])
