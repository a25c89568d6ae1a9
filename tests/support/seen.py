"""The seen store one event at a time, as its plain twin takes them."""

from enum import Enum
from typing import Any, NamedTuple

import msgspec
import numpy as np

from streams.core.seen import SeenStore
from streams.kernels import seen
from streams.kernels.generation import NEVER


class Verdict(Enum):
    """What the store says to a delivery of an interaction."""

    NEW = seen.NEW
    DUPLICATE = seen.DUPLICATE
    UNDONE = seen.UNDONE_BEFORE
    FULL = seen.FULL


class Entry(NamedTuple):
    """What is known of one interaction: it counts exactly if ``target`` is not empty.

    ``newest``: the newest time among its deliveries; ``undone``: among its undos while it does not
    count; ms, or NEVER. The others say what was added.
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


class Store:
    """A store that is told one event after the other."""

    def __init__(self, horizon: int) -> None:
        self.seen = SeenStore(horizon)
        self.horizon = horizon
        self.snapshots: list[tuple[int, dict[str, Any]]] = []
        self._row = -1

    def __len__(self) -> int:
        return len(self.seen)

    def admit(self, offset: int, key: int, record: int, at: int) -> Verdict:
        self._at(offset)
        verdict, self._row = seen.admit(
            self.seen.current, self.seen.previous, np.uint64(key), np.uint64(record), at
        )
        return Verdict(verdict)

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
        data = np.frombuffer(target.encode(), np.uint8)
        added = seen.Added(
            np.uint64(key),
            at,
            0,
            len(data),
            0,
            network,
            class_,
            weight,
            amount,
            np.uint64(record),
        )
        seen.keep(self.seen.current, self._row, data, added)

    def undo(self, offset: int, key: int, at: int) -> Entry | None:
        self._at(offset)
        row = seen.undo(self.seen.current, self.seen.previous, np.uint64(key), at)
        if row < 0:
            return None
        entry = self._entry(row)
        seen.take_back(self.seen.current, row, at)
        return entry

    def undo_record(self, offset: int, record: int, at: int) -> list[tuple[int, Entry]]:
        self._at(offset)
        keys = seen.undo_record(self.seen.current, self.seen.previous, np.uint64(record), at)
        undone = [(int(key), self.undo(offset, int(key), at)) for key in keys]
        return [(key, entry) for key, entry in undone if entry is not None]

    def rebase(self, offsets: int) -> None:
        self.seen.rebase(offsets)

    def snapshot(self, *, whole: bool = False) -> bytes:
        """Take a snapshot; those that are still needed are kept."""
        number = self.snapshots[-1][0] + 1 if self.snapshots else 0
        packed = msgspec.msgpack.encode(self.seen.snapshot(number, whole=whole))
        oldest = self.seen.oldest_needed(number)
        self.snapshots.append((number, msgspec.msgpack.decode(packed)))
        self.snapshots = [each for each in self.snapshots if each[0] >= oldest]
        return packed

    def restored(self, horizon: int | None = None) -> "Store":
        """The store of the snapshots."""
        store = Store(horizon or self.horizon)
        store.seen = SeenStore.restore(self.snapshots, store.horizon)
        store.snapshots = list(self.snapshots)
        return store

    def _at(self, offset: int) -> None:
        self.seen.rotate(offset)
        self.seen.reserve(1)

    def _entry(self, row: int) -> Entry:
        current = self.seen.current
        held = current.rows[row]
        text = current.texts[held["target"] - 1]
        raw = current.bytes[text["place"] : text["place"] + text["size"]].tobytes()
        return Entry(
            int(held["newest"]),
            NEVER,
            int(held["time"]),
            raw.decode(),
            int(held["network"]),
            int(held["class_"]),
            int(held["weight"]),
            int(held["amount"]),
            int(current.records[held["record"] - 1]["hash"]) if held["record"] else 0,
        )
