"""The rows of the seen store: arrays of numbers, no object per interaction.

An interaction takes 45 bytes of columns, about 20 of indexes and its share of a target's text. The
columns are of the standard library's ``array``: reading or writing one number of it is several
times faster than with numpy, and numpy works on the whole of it without a copy.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints, pack, run_starts, unpack
from streams.core.hash_index import HashIndex
from streams.core.texts import Texts

Column: TypeAlias = "array[int]"


class Added(NamedTuple):
    """What few combinations there are of: index of the network, class, weight, amount."""

    network: int
    class_: int
    weight: int
    amount: int


class SeenRows:
    """One row an interaction: counting ones with what was added, the others with their undo.

    ``key``: of the interaction. ``newest``: the newest time among its deliveries. ``time``: of a
    counting row, when what was added happened; of another one, the newest of its undos. ``young``:
    whether it was touched since ``age``. Times in ms. Columns may be written where no method is.
    """

    def __init__(self) -> None:
        self.key: Column = array("Q")
        self.newest: Column = array("q")
        self.time: Column = array("q")
        self.young: Column = array("B")
        self._record: Column = array("Q")
        # numbers of the target and of what was added, + 1; 0: the row does not count
        self._target: Column = array("I")
        self._added: Column = array("I")
        # the counting rows of a record are a linked list: row + 1 of the next, 0 at the end
        self._next: Column = array("I")
        # bound once, for it is the hot path
        self._to = (
            *(self.key.append, self.newest.append, self.time.append, self.young.append),
            *(self._record.append, self._target.append, self._added.append, self._next.append),
        )
        self._targets = Texts()
        self._kinds: list[Added] = []
        self._kind_of: dict[tuple[int, int, int, int], int] = {}
        self._rows = HashIndex(self.key)
        self.find = self._rows.find
        """The row of a key, -1 if there is none."""
        self._heads = HashIndex(self._record)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.key)

    def append(self, key: int, newest: int, time: int) -> None:
        """A new row, which does not count, for a key that has none."""
        self._append(key, newest, time, 0, 0, 0, 0)

    def counts(self, row: int) -> bool:
        """Whether the row counts."""
        return self._target[row] != 0

    def append_counting(
        self, key: int, at: int, target: str, added: tuple[int, int, int, int], record: int
    ) -> None:
        """A new row, which counts, for a key that has none; ``record`` 0: none."""
        kind = self._kind_of.get(added) or self._new_kind(added)
        number = self._targets.number(target) + 1
        following = self._heads.find(record) + 1 if record else 0
        self._append(key, at, at, record, number, kind, following)
        if record:
            self._heads.put(record, len(self.key) - 1)

    def let_count(
        self, row: int, at: int, target: str, added: tuple[int, int, int, int], record: int
    ) -> None:
        """Let a row count that does not."""
        self.newest[row] = self.time[row] = at
        self._target[row] = self._targets.number(target) + 1
        self._added[row] = self._kind_of.get(added) or self._new_kind(added)
        if record:
            self._next[row] = self._heads.find(record) + 1
            self._record[row] = record
            self._heads.put(record, row)

    def _append(
        self, key: int, newest: int, time: int, record: int, target: int, added: int, following: int
    ) -> None:
        to_key, to_newest, to_time, to_young, to_record, to_target, to_added, to_next = self._to
        to_key(key)
        to_newest(newest)
        to_time(time)
        to_young(1)
        to_record(record)
        to_target(target)
        to_added(added)
        to_next(following)
        self._rows.put(key, len(self.key) - 1)

    def _new_kind(self, added: tuple[int, int, int, int]) -> int:
        self._kinds.append(Added(*added))
        number = self._kind_of[added] = len(self._kinds)
        return number

    def take_back(self, row: int) -> tuple[str, Added, int]:
        """Let a counting row count no more; returns target, what was added, and record."""
        record = self._record[row]
        result = self._targets[self._target[row] - 1], self._kinds[self._added[row] - 1], record
        if record:
            self._unlink(row, record)
        self._target[row] = self._added[row] = self._record[row] = self._next[row] = 0
        return result

    def _unlink(self, row: int, record: int) -> None:
        following = self._next[row]
        at = self._heads.find(record)
        if at != row:
            while self._next[at] != row + 1:
                at = self._next[at] - 1
            self._next[at] = following
        elif following:
            self._heads.put(record, following - 1)
        else:
            self._heads.remove(record)

    def counting(self, record: int) -> Iterator[int]:
        """The counting rows of a record; none of them may be changed meanwhile."""
        row = self._heads.find(record)
        while row >= 0:
            yield row
            row = self._next[row] - 1

    def is_full(self, record: int, most: int) -> bool:
        """Whether at least ``most`` rows of a record count."""
        row = self._heads.find(record)
        while row >= 0 and most > 0:
            row = self._next[row] - 1
            most -= 1
        return most <= 0

    def age(self) -> None:
        """Forget the rows that were not touched since the last time."""
        kept = np.flatnonzero(_view(self.young))
        for column in self._columns().values():
            _fill(column, _view(column)[kept])
        _fill(self.young, np.zeros(len(kept), np.uint8))
        targets, used = _renumbered(_view(self._target))
        _fill(self._target, targets)
        self._targets = Texts(self._targets[number] for number in used)
        added, used = _renumbered(_view(self._added))
        _fill(self._added, added)
        self._set_kinds([self._kinds[number] for number in used])
        self._rebuild()

    def _columns(self) -> dict[str, Column]:
        """The columns that a snapshot holds."""
        return {
            "key": self.key,
            "newest": self.newest,
            "time": self.time,
            "young": self.young,
            "record": self._record,
            "target": self._target,
            "added": self._added,
        }

    def _set_kinds(self, kinds: list[Added]) -> None:
        self._kinds = kinds
        self._kind_of = {added: kind for kind, added in enumerate(kinds, 1)}

    def _rebuild(self) -> None:
        """What follows from the columns."""
        self._rows.rebuild(np.arange(len(self)))
        record = _view(self._record)
        linked = np.flatnonzero(record)
        linked = linked[np.argsort(record[linked], kind="stable")]
        following = np.zeros(len(self), np.uint32)
        following[linked[1:]] = linked[:-1] + 1
        firsts = run_starts(record[linked])
        following[linked[firsts]] = 0
        lasts = np.append(firsts[1:], len(linked))[: len(firsts)] - 1
        _fill(self._next, following)
        del record
        self._heads.rebuild(linked[lasts])

    def snapshot(self) -> dict[str, Any]:
        """The rows as numbers and bytes, made so that they compress well."""
        newest, time = _view(self.newest), _view(self.time)
        return {
            "key": self.key.tobytes(),
            "newest": pack(np.diff(newest, prepend=0)),
            "time": pack(newest - time),
            "young": self.young.tobytes(),
            "record": self._record.tobytes(),
            "target": pack(_view(self._target)),
            "added": pack(_view(self._added)),
            "targets": self._targets.snapshot(),
            "kinds": [list(added) for added in self._kinds],
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> "SeenRows":
        """The rows of a snapshot."""
        rows = cls()
        newest = np.cumsum(unpack(snapshot["newest"]))
        for name, column in rows._columns().items():
            if name in ("key", "young", "record"):
                column.frombytes(snapshot[name])
            elif name == "newest":
                _fill(column, newest)
            elif name == "time":
                _fill(column, newest - unpack(snapshot[name]))
            else:
                _fill(column, unpack(snapshot[name]))
        rows._targets = Texts.restore(snapshot["targets"])
        rows._set_kinds([Added(*values) for values in snapshot["kinds"]])
        rows._rebuild()
        return rows


class UndoneRecords:
    """The newest undo of each record that was undone as a whole."""

    def __init__(self) -> None:
        self._record: Column = array("Q")
        self._undone: Column = array("q")
        self._young: Column = array("B")
        self._rows = HashIndex(self._record)

    def __len__(self) -> int:
        """Number of records."""
        return len(self._record)

    def get(self, record: int, otherwise: int) -> int:
        """Time in ms of the newest undo, ``otherwise`` if there is none."""
        row = self._rows.find(record)
        return otherwise if row < 0 else self._undone[row]

    def add(self, record: int, at: int) -> None:
        """The record was undone at ``at``."""
        row = self._rows.find(record)
        if row >= 0:
            self._undone[row] = max(at, self._undone[row])
            self._young[row] = 1
            return
        self._record.append(record)
        self._undone.append(at)
        self._young.append(1)
        self._rows.put(record, len(self._record) - 1)

    def age(self) -> None:
        """Forget the records that were not undone since the last time."""
        kept = np.flatnonzero(_view(self._young))
        for column in (self._record, self._undone):
            _fill(column, _view(column)[kept])
        _fill(self._young, np.zeros(len(kept), np.uint8))
        self._rows.rebuild(np.arange(len(kept)))

    def snapshot(self) -> list[bytes]:
        """Records, times, and which were undone since the last ageing."""
        return [c.tobytes() for c in (self._record, self._undone, self._young)]

    @classmethod
    def restore(cls, snapshot: list[bytes]) -> "UndoneRecords":
        """The undos of a snapshot."""
        undone = cls()
        columns = (undone._record, undone._undone, undone._young)
        for column, data in zip(columns, snapshot, strict=True):
            column.frombytes(data)
        undone._rows.rebuild(np.arange(len(undone._record)))
        return undone


def _view(column: Column) -> npt.NDArray[Any]:
    """The column for numpy; it cannot grow while this is held."""
    return np.frombuffer(column, column.typecode)


def _fill(column: Column, values: npt.NDArray[Any]) -> None:
    """Have the column hold exactly ``values``."""
    filled: Column = array(column.typecode)
    filled.frombytes(values.astype(column.typecode).tobytes())
    column[:] = filled


def _renumbered(numbers: npt.NDArray[Any]) -> tuple[Ints, list[int]]:
    """Numbers (+ 1; 0: none) made dense, and which of them are in use, ascending."""
    used = np.unique(numbers[numbers > 0])
    dense = np.where(numbers > 0, np.searchsorted(used, numbers) + 1, 0)
    return dense, (used.astype(np.int64) - 1).tolist()
