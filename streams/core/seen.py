"""Which interactions count: duplicates, undos, and undos that arrive before what they undo.

The law. Let ``A`` be the newest ``at`` among the deliveries of an interaction, and ``U`` the newest
``at`` among the undos of it and of its record. The interaction counts exactly if ``A > U``. That
depends on the set of events only, not on their order nor on repeats, as long as the horizon holds
all of them and an interaction always names the same record. What counts is the first delivery that
made it count; it differs between orders at most in what the deliveries themselves disagree in.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from streams.core.seen_rows import SeenRows, UndoneRecords

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


class SeenStore:
    """Remembers interactions and undos for at least ``horizon`` offsets after their last event.

    Every ``horizon`` offsets what was not touched since the last time is forgotten. So what is
    remembered follows from the offsets alone, and a replay of them gives the same state. A key is
    any unsigned 64-bit number that stands for one interaction of one actor; a record's number
    stands for one record of one actor, 0 for none.

    Offsets must not fall. They may be negative, which counts as the first stretch: so the past may
    be told at offsets below 0, as long as that is no more than should be remembered. Where a log
    starts again, tell its past at offsets of its own (0, 1, 2 …), then ``rebase``: so what is old
    is forgotten at the right time.
    """

    def __init__(self, horizon: int) -> None:
        if horizon < 1:
            raise ValueError(f"the horizon must be at least 1 offset, not {horizon}")
        self._horizon = horizon
        self._end = horizon
        self._rows = SeenRows()
        self._undone_records = UndoneRecords()
        # the key that was just found to be missing, None if it was put in since
        self._new: int | None = None

    def __len__(self) -> int:
        """Number of interactions remembered, counting or not."""
        return len(self._rows)

    def admit(self, offset: int, key: int, record: int, at: int) -> Verdict:
        """Judge a delivery. NEW changes nothing yet: ``keep`` must follow if it is to count."""
        if offset >= self._end:
            self._rotate(offset)
        rows = self._rows
        row = rows.find(key)
        undone = NEVER
        if row < 0:
            self._new = key
        else:
            rows.young[row] = 1
            if at <= rows.newest[row]:
                return Verdict.DUPLICATE
            if rows.counts(row):
                rows.newest[row] = at
                return Verdict.DUPLICATE
            undone = rows.time[row]
        if record and len(self._undone_records):
            undone = max(undone, self._undone_records.get(record, NEVER))
        if at <= undone:
            if row < 0:
                rows.append(key, at, undone)
                self._new = None
            else:
                rows.newest[row], rows.time[row] = at, undone
            return Verdict.UNDONE
        if record and rows.is_full(record, LARGEST_RECORD):
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
        rows, added = self._rows, (network, class_, weight, amount)
        row = -1 if key == self._new else rows.find(key)
        if row < 0:
            rows.append_counting(key, at, target, added, record)
            self._new = None
        else:
            rows.let_count(row, at, target, added, record)

    def undo(self, offset: int, key: int, at: int) -> Entry | None:
        """What an undo of one interaction takes back, if anything; it waits for the rest."""
        row, rows = self._touch(offset, key), self._rows
        if row < 0:
            rows.append(key, NEVER, at)
            self._new = None
            return None
        if not rows.counts(row):
            rows.time[row] = max(at, rows.time[row])
            return None
        newest, added_at = rows.newest[row], rows.time[row]
        if newest > at:
            return None
        target, added, record = rows.take_back(row)
        rows.time[row] = at
        return Entry(newest, NEVER, added_at, target, *added, record)

    def undo_record(self, offset: int, record: int, at: int) -> list[tuple[int, Entry]]:
        """What an undo of a whole record takes back, by key; it waits for what comes later."""
        self._rotate(offset)
        self._undone_records.add(record, at)
        keys = sorted(self._rows.key[row] for row in self._rows.counting(record))
        return [(key, entry) for key in keys if (entry := self.undo(offset, key, at)) is not None]

    def rebase(self, offsets: int) -> None:
        """Go on in a log whose offset 0 is what would have been offset ``offsets`` so far."""
        self._end -= offsets

    def snapshot(self) -> dict[str, Any]:
        """The whole store as numbers, texts and bytes; equal stores give equal snapshots."""
        return {
            "end": self._end,
            "rows": self._rows.snapshot(),
            "undone_records": self._undone_records.snapshot(),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], horizon: int) -> "SeenStore":
        """The store of a snapshot. Another ``horizon`` than before holds from its end on."""
        store = cls(horizon)
        store._end = snapshot["end"]
        store._rows = SeenRows.restore(snapshot["rows"])
        store._undone_records = UndoneRecords.restore(snapshot["undone_records"])
        return store

    def _rotate(self, offset: int) -> None:
        if offset < self._end:
            return
        steps, _ = divmod(offset - self._end, self._horizon)
        self._end += (steps + 1) * self._horizon
        if steps:
            self._rows, self._undone_records = SeenRows(), UndoneRecords()
        else:
            self._rows.age()
            self._undone_records.age()

    def _touch(self, offset: int, key: int) -> int:
        """The row of ``key``, marked so that it lives on; -1 if there is none."""
        if offset >= self._end:
            self._rotate(offset)
        row = self._rows.find(key)
        if row >= 0:
            self._rows.young[row] = 1
        return row
