"""Generations of the seen store: how they grow, and what snapshots hold of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints, pack, unpack
from streams.kernels.generation import (
    CHANGED,
    COUNTS,
    LONGEST_TEXT,
    NEVER,
    NOTHING,
    RECORD,
    RECORDS,
    ROW,
    ROWS,
    SAVED,
    SAVED_TEXTS,
    TEXT,
    TEXT_BYTES,
    TEXTS,
    UNDONE,
    Generation,
    Hashes,
    add_texts,
    add_undone,
    index,
)
from streams.kernels.seen import ENTRIES

_PLAIN: Final = ("weight", "amount", "network", "class_")
"""Columns of rows that a snapshot holds as they are."""
_WAITING: Final = -2
"""In place of a target in a snapshot: there was no delivery yet, ``newest`` is NEVER."""
_SHORT: Final = 32
"""Bytes of a usual target."""

_T = TypeVar("_T", bound=np.generic)


def empty() -> Generation:
    """A generation of nothing, without room for anything."""
    return Generation(
        counts=np.zeros(COUNTS, np.int64),
        rows=np.empty(0, ROW),
        row_slots=np.zeros(1, np.uint64),
        records=np.empty(0, RECORD),
        record_slots=np.zeros(1, np.uint64),
        texts=np.empty(0, TEXT),
        text_slots=np.zeros(1, np.uint64),
        bytes=np.empty(0, np.uint8),
        changed=np.empty(0, np.int32),
        undone=np.empty(0, np.int32),
    )


def with_room(generation: Generation, events: int) -> Generation:
    """The generation with room for so many events, and for all that a single one may take."""
    entries, counts = events + ENTRIES, generation.counts
    rows = _larger(generation.rows, int(counts[ROWS]) + entries)
    records = _larger(generation.records, int(counts[RECORDS]) + entries)
    texts = _larger(generation.texts, int(counts[TEXTS]) + entries)
    text_bytes = ENTRIES * LONGEST_TEXT + events * _SHORT
    return generation._replace(
        rows=rows,
        row_slots=_slots(generation.row_slots, rows, rows["key"][: counts[ROWS]]),
        records=records,
        record_slots=_slots(generation.record_slots, records, records["hash"][: counts[RECORDS]]),
        texts=texts,
        text_slots=_slots(generation.text_slots, texts, texts["hash"][: counts[TEXTS]]),
        bytes=_larger(generation.bytes, int(counts[TEXT_BYTES]) + text_bytes),
        changed=_log(generation.changed, counts, CHANGED, entries),
        undone=_log(generation.undone, counts, UNDONE, entries),
    )


def _larger(array: npt.NDArray[_T], length: int) -> npt.NDArray[_T]:
    """``array`` with room for ``length`` entries, by half more at least if it must grow.

    What is beyond its entries is not touched, so that it takes no memory before it is used.
    """
    if length <= len(array):
        return array
    larger = np.empty(max(length, len(array) + len(array) // 2), array.dtype)
    larger[: len(array)] = array
    return larger


def _slots(slots: Hashes, table: npt.NDArray[np.void], names: Hashes) -> Hashes:
    """Slots for all entries that ``table`` has room for, filled with ``names``."""
    size = 1 << (2 * len(table)).bit_length()
    if size <= len(slots):
        return slots
    larger = np.zeros(size, np.uint64)
    index(larger, names)
    return larger


def _log(
    log: npt.NDArray[np.int32], counts: Ints, place: int, entries: int
) -> npt.NDArray[np.int32]:
    """Numbers noted, with room for more; repeats go before it grows."""
    if counts[place] + entries > len(log):
        once = np.unique(log[: counts[place]])
        log[: len(once)] = once
        counts[place] = len(once)
    return _larger(log, int(counts[place]) + entries)


def unsaved(generation: Generation, *, whole: bool) -> int:
    """How many rows ``appended`` gives, about."""
    counts = generation.counts
    return int(counts[ROWS] if whole else counts[ROWS] - counts[SAVED] + counts[CHANGED])


def appended(generation: Generation, *, whole: bool) -> dict[str, Any]:
    """What is new since the last snapshot, or all of it; the next one begins behind it."""
    counts = generation.counts
    if whole:
        counts[SAVED] = counts[SAVED_TEXTS] = counts[CHANGED] = 0
    rows, texts = int(counts[SAVED]), int(counts[SAVED_TEXTS])
    changed = np.unique(generation.changed[: counts[CHANGED]])
    new_texts = generation.texts[texts : counts[TEXTS]]
    start = int(new_texts["place"][0]) if len(new_texts) else 0
    undone = generation.undone[: counts[UNDONE]]
    if whole:
        records = generation.records[: counts[RECORDS]]
        undone = np.flatnonzero(records["undone"] != NEVER).astype(np.int32)
    undone_records = np.sort(generation.records[np.unique(undone)], order="hash")
    result = {
        "rows": _packed(generation, np.arange(rows, counts[ROWS])),
        "changed": [pack(changed), _packed(generation, changed)],
        "texts": generation.bytes[start : counts[TEXT_BYTES]].tobytes() if len(new_texts) else b"",
        "text_sizes": pack(new_texts["size"]),
        "text_partitions": pack(new_texts["partition"]),
        "undone_records": undone_records["hash"].tobytes(),
        "undone_at": pack(undone_records["undone"]),
    }
    _mark(generation)
    return result


def _mark(generation: Generation) -> None:
    """From here on things are new to the next snapshot."""
    counts = generation.counts
    counts[SAVED], counts[SAVED_TEXTS] = counts[ROWS], counts[TEXTS]
    counts[CHANGED] = counts[UNDONE] = 0


def _packed(generation: Generation, places: npt.NDArray[Any]) -> dict[str, Any]:
    """Some rows, made so that they compress well."""
    rows = generation.rows[places]
    linked = rows["record"] > 0
    records = generation.records["hash"][rows["record"][linked] - 1]
    waiting = rows["newest"] == NEVER
    newest = np.where(waiting, rows["time"], rows["newest"])
    return {
        "key": rows["key"].tobytes(),
        "newest": pack(np.diff(newest, prepend=0)),
        "time": pack(newest - rows["time"]),
        "target": pack(np.where(waiting & (rows["target"] == NOTHING), _WAITING, rows["target"])),
        "linked": pack(linked),
        "record": records.tobytes(),
        **{name: pack(rows[name]) for name in _PLAIN},
    }


def _unpacked(packed: Mapping[str, Any]) -> tuple[npt.NDArray[np.void], Hashes]:
    """The rows of ``_packed``, each still of no record, and the hash of its record or 0."""
    key = np.frombuffer(packed["key"], np.uint64)
    rows = np.zeros(len(key), ROW)
    newest = np.cumsum(unpack(packed["newest"]))
    target = unpack(packed["target"])
    rows["key"] = key
    rows["time"] = newest - unpack(packed["time"])
    rows["newest"] = np.where(target == _WAITING, NEVER, newest)
    rows["target"] = np.where(target == _WAITING, NOTHING, target)
    for name in _PLAIN:
        rows[name] = unpack(packed[name])
    records = np.zeros(len(key), np.uint64)
    records[unpack(packed["linked"], np.bool_)] = np.frombuffer(packed["record"], np.uint64)
    return rows, records


def restored(parts: Sequence[Mapping[str, Any]]) -> tuple[Generation, Hashes]:
    """A generation from all that was ever ``appended`` to it, and the record of each of its rows.

    Which of its rows are linked to a record, and which have moved, is left to ``settle``.
    """
    tables = [_unpacked(part["rows"]) for part in parts]
    rows, records = (np.concatenate(columns) for columns in zip(*tables, strict=True))
    for part in parts:
        places, changed = part["changed"]
        rows[unpack(places)], records[unpack(places)] = _unpacked(changed)
    sizes, undone_at = _joined(parts, "text_sizes"), _joined(parts, "undone_at")
    generation = with_room(empty(), max(len(rows) + len(undone_at), len(sizes)))
    generation.counts[ROWS] = len(rows)
    generation.rows[: len(rows)] = rows
    index(generation.row_slots, generation.rows["key"][: len(rows)])
    data = np.frombuffer(b"".join(part["texts"] for part in parts), np.uint8)
    generation = generation._replace(bytes=_larger(generation.bytes, len(data)))
    add_texts(generation, data, sizes, _joined(parts, "text_partitions"))
    undone = np.frombuffer(b"".join(part["undone_records"] for part in parts), np.uint64)
    add_undone(generation, undone, undone_at)
    _mark(generation)
    return generation, records


def _joined(parts: Sequence[Mapping[str, Any]], name: str) -> Ints:
    return np.concatenate([unpack(part[name]) for part in parts])
