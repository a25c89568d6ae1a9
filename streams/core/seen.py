"""Which interactions count: duplicates, undos, and undos that arrive before what they undo.

The law. Let ``A`` be the newest ``at`` among the deliveries of an interaction, and ``U`` the newest
``at`` among the undos of it and of its record. The interaction counts exactly if ``A > U``. That
depends on the set of events only, not on their order nor on repeats, as long as the horizon holds
all of them and an interaction always names the same record. What counts is the first delivery that
made it count; it differs between orders at most in what the deliveries themselves disagree in.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

NEVER: Final = -1
"""The time of what has not happened; before every real time."""

LARGEST_RECORD: Final = 512
"""Interactions of one record that may count at the same time, so that the undo of a record gives a
bounded number of rows: they share one offset and cannot be split between frames."""


class Verdict(Enum):
    """What the store says to a delivery of an interaction."""

    NEW = "new"
    DUPLICATE = "duplicate"
    UNDONE = "undone"
    FULL = "full"


class Entry(NamedTuple):
    """What is known of one interaction: it counts exactly if ``target`` is not empty.

    ``newest``: the newest time among its deliveries; ``undone``: among its undos while it does not
    count; ms, or NEVER.
    The others say what was added: the row's time in ms, target, index of the network, class,
    weight (1024 = 1.0), amount, and hash of actor and record (0: none).
    """

    newest: int
    undone: int
    at: int = 0
    target: str = ""
    network: int = 0
    class_: int = 0
    weight: int = 0
    amount: int = 0
    record: int = 0


_COLUMNS: Final[tuple[tuple[str, npt.DTypeLike], ...]] = (
    ("newest", np.int64),
    ("undone", np.int64),
    ("at", np.int64),
    ("network", np.uint8),
    ("class_", np.uint8),
    ("weight", np.int64),
    ("amount", np.uint32),
    ("record", np.uint64),
)


class _Generation:
    """What was touched in one stretch of ``horizon`` offsets."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.undone_records: dict[int, int] = {}
        # Record → keys that counted here. Never cleaned up: who uses it looks at the entries.
        self.keys_of: dict[int, tuple[int, ...]] = {}

    def index(self, key: int, record: int) -> None:
        keys = self.keys_of.get(record, ())
        if key not in keys:
            self.keys_of[record] = (*keys, key)

    def snapshot(self) -> dict[str, Any]:
        """Columns as bytes; the targets as one text, which is why they may hold no line end."""
        entries = self.entries.values()
        columns: dict[str, Any] = {"keys": _pack(self.entries, np.uint64, len(entries))}
        for name, dtype in _COLUMNS:
            columns[name] = _pack(map(attrgetter(name), entries), dtype, len(entries))
        columns["targets"] = "\n".join(map(attrgetter("target"), entries))
        records = self.undone_records
        columns["records"] = _pack(records, np.uint64, len(records))
        columns["records_undone"] = _pack(records.values(), np.int64, len(records))
        return columns

    @classmethod
    def restore(cls, columns: Mapping[str, Any]) -> "_Generation":
        generation = cls()
        keys = _unpack(columns["keys"], np.uint64)
        fields: dict[str, Any] = {n: _unpack(columns[n], dtype) for n, dtype in _COLUMNS}
        fields["target"] = columns["targets"].split("\n") if keys else []
        rows = zip(*(fields[name] for name in Entry._fields), strict=True)
        generation.entries = dict(zip(keys, map(Entry._make, rows), strict=True))
        for key, entry in generation.entries.items():
            if entry.record and entry.target:
                generation.index(key, entry.record)
        records = _unpack(columns["records"], np.uint64)
        undone = _unpack(columns["records_undone"], np.int64)
        generation.undone_records = dict(zip(records, undone, strict=True))
        return generation


class SeenStore:
    """Remembers interactions and undos for at least ``horizon`` offsets after their last event.

    Two generations: at each multiple of ``horizon`` offsets the older one is forgotten. So what is
    remembered follows from the offsets alone, and a replay of them gives the same state. A key is
    any unsigned 64-bit number that stands for one interaction of one actor; a record's number
    stands for one record of one actor, 0 for none.
    """

    def __init__(self, horizon: int) -> None:
        if horizon < 1:
            raise ValueError(f"the horizon must be at least 1 offset, not {horizon}")
        self._horizon = horizon
        self._end = horizon
        self._current = _Generation()
        self._previous = _Generation()

    def __len__(self) -> int:
        """Number of interactions remembered, counting or not."""
        return len(self._current.entries) + len(self._previous.entries)

    def admit(self, offset: int, key: int, record: int, at: int) -> Verdict:
        """Judge a delivery. NEW changes nothing yet: ``keep`` must follow if it is to count."""
        entry = self._touch(offset, key)
        if entry is not None and at <= entry.newest:
            return Verdict.DUPLICATE
        if entry is not None and entry.target:
            self._current.entries[key] = entry._replace(newest=at)
            return Verdict.DUPLICATE
        undone = NEVER if entry is None else entry.undone
        if record:
            undone = max(undone, self._record_undone(record))
        if at <= undone:
            self._current.entries[key] = Entry(at, undone)
            return Verdict.UNDONE
        if record and self._is_full(record):
            return Verdict.FULL
        return Verdict.NEW

    def keep(
        self,
        key: int,
        at: int,
        target: str,
        network: int,
        class_: int,
        weight: int,
        amount: int,
        record: int,
    ) -> None:
        """Remember what was added for the delivery just admitted as NEW."""
        # The undos so far are older than this delivery: none of them can matter any more.
        self._current.entries[key] = Entry(
            at, NEVER, at, target, network, class_, weight, amount, record
        )
        if record:
            self._current.index(key, record)

    def undo(self, offset: int, key: int, at: int) -> Entry | None:
        """What an undo of one interaction takes back, if anything; it waits for the rest."""
        entry = self._touch(offset, key)
        if entry is None:
            self._current.entries[key] = Entry(NEVER, at)
            return None
        if entry.target and entry.newest <= at:
            self._current.entries[key] = Entry(entry.newest, at)
            return entry
        if at > entry.undone and not entry.target:
            self._current.entries[key] = entry._replace(undone=at)
        return None

    def undo_record(self, offset: int, record: int, at: int) -> list[tuple[int, Entry]]:
        """What an undo of a whole record takes back, by key; it waits for what comes later."""
        self._rotate(offset)
        self._current.undone_records[record] = max(at, self._record_undone(record))
        return [
            (key, entry)
            for key in self._counting(record)
            if (entry := self.undo(offset, key, at)) is not None
        ]

    def snapshot(self) -> dict[str, Any]:
        """The whole store as numbers, texts and bytes; equal stores give equal snapshots."""
        return {
            "end": self._end,
            "current": self._current.snapshot(),
            "previous": self._previous.snapshot(),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], horizon: int) -> "SeenStore":
        """The store of a snapshot. Another ``horizon`` than before holds from its end on."""
        store = cls(horizon)
        store._end = snapshot["end"]
        store._current = _Generation.restore(snapshot["current"])
        store._previous = _Generation.restore(snapshot["previous"])
        return store

    def _rotate(self, offset: int) -> None:
        if offset < self._end:
            return
        steps, _ = divmod(offset - self._end, self._horizon)
        self._previous = self._current if steps == 0 else _Generation()
        self._current = _Generation()
        self._end += (steps + 1) * self._horizon

    def _touch(self, offset: int, key: int) -> Entry | None:
        """The entry of ``key``, brought into the current generation so that it lives on."""
        if offset >= self._end:
            self._rotate(offset)
        entry = self._current.entries.get(key)
        if entry is None:
            entry = self._previous.entries.pop(key, None)
            if entry is not None:
                self._current.entries[key] = entry
                if entry.record and entry.target:
                    self._current.index(key, entry.record)
        return entry

    def _record_undone(self, record: int) -> int:
        return max(
            self._current.undone_records.get(record, NEVER),
            self._previous.undone_records.get(record, NEVER),
        )

    def _counting(self, record: int) -> list[int]:
        """Keys of the interactions of ``record`` that count, in ascending order."""
        current, previous = self._current, self._previous
        found = []
        for key in {*current.keys_of.get(record, ()), *previous.keys_of.get(record, ())}:
            entry = current.entries.get(key) or previous.entries.get(key)
            if entry is not None and entry.target and entry.record == record:
                found.append(key)
        return sorted(found)

    def _is_full(self, record: int) -> bool:
        indexed = sum(len(g.keys_of.get(record, ())) for g in (self._current, self._previous))
        return indexed >= LARGEST_RECORD and len(self._counting(record)) >= LARGEST_RECORD


def _pack(values: Iterable[int], dtype: npt.DTypeLike, count: int) -> bytes:
    return np.fromiter(values, dtype, count).tobytes()


def _unpack(data: bytes, dtype: npt.DTypeLike) -> list[int]:
    numbers: list[int] = np.frombuffer(data, dtype).tolist()
    return numbers
