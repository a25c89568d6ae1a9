"""The seen store in plain dictionaries: what the one of arrays must agree with."""

from streams.kernels.generation import NEVER
from streams.kernels.seen import LARGEST_RECORD
from tests.support.seen import Entry, Verdict


class _Generation:
    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.undone_records: dict[int, int] = {}
        # Record → keys that counted here. Never cleaned up: who uses it looks at the entries.
        self.keys_of: dict[int, tuple[int, ...]] = {}

    def index(self, key: int, record: int) -> None:
        keys = self.keys_of.get(record, ())
        if key not in keys:
            self.keys_of[record] = (*keys, key)


class PlainSeenStore:
    """As ``SeenStore``, an object per interaction."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self._end = horizon
        self._current = _Generation()
        self._previous = _Generation()

    def __len__(self) -> int:
        return len(self._current.entries) + len(self._previous.entries)

    def admit(self, offset: int, key: int, record: int, at: int) -> Verdict:
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
        # The undos so far are older than this delivery: none of them can matter any more.
        self._current.entries[key] = Entry(
            at, NEVER, at, target, network, class_, weight, amount, record
        )
        if record:
            self._current.index(key, record)

    def undo(self, offset: int, key: int, at: int) -> Entry | None:
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
        self._rotate(offset)
        self._current.undone_records[record] = max(at, self._record_undone(record))
        return [
            (key, entry)
            for key in self._counting(record)
            if (entry := self.undo(offset, key, at)) is not None
        ]

    def _rotate(self, offset: int) -> None:
        if offset < self._end:
            return
        steps, _ = divmod(offset - self._end, self._horizon)
        self._previous = self._current if steps == 0 else _Generation()
        self._current = _Generation()
        self._end += (steps + 1) * self._horizon

    def _touch(self, offset: int, key: int) -> Entry | None:
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
