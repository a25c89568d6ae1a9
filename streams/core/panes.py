"""The pane log: per UTC hour, which engager did what to which cell, how often and how heavily.

It is the one thing the windows are made of: everything else they hold can be counted again from
it. An entry is (pair, class, kind) with a sum of weights and a number of interactions, where a pair
is an engager of a cell. An undo is an entry with both negative; when a pane is merged, entries of
the same key add up and what is nothing disappears.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streams.core.arrays import Ints, run_starts

KIND_BITS = 3
CLASS_BITS = 3
CODE_BITS = KIND_BITS + CLASS_BITS
NO_HOUR = -(1 << 30)
"""In place of an hour: never. Lower than any hour that a horizon can reach back to."""

_TAIL_ROWS = 2048
_TAIL_CHUNKS = 128


@dataclass(frozen=True, slots=True)
class Entries:
    """Columns of entries; all int64 and of the same length."""

    keys: Ints
    weights: Ints
    counts: Ints

    @staticmethod
    def of(pairs: Ints, classes: Ints, kinds: Ints, weights: Ints, counts: Ints) -> "Entries":
        """Entries of the given columns."""
        keys = (pairs << CODE_BITS) | (classes << KIND_BITS) | kinds
        return Entries(keys, weights, counts)

    @staticmethod
    def joined(parts: list["Entries"]) -> "Entries":
        """All entries of ``parts``, one after the other."""
        if not parts:
            return Entries(*(np.empty(0, np.int64) for _ in range(3)))
        if len(parts) == 1:
            return parts[0]
        return Entries(
            np.concatenate([p.keys for p in parts]),
            np.concatenate([p.weights for p in parts]),
            np.concatenate([p.counts for p in parts]),
        )

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.keys)

    @property
    def pairs(self) -> Ints:
        """The pair of each entry."""
        return self.keys >> CODE_BITS

    @property
    def codes(self) -> Ints:
        """Class and kind of each entry, the key without the pair."""
        return self.keys & ((1 << CODE_BITS) - 1)

    @property
    def classes(self) -> Ints:
        """The class of each entry."""
        return (self.keys >> KIND_BITS) & ((1 << CLASS_BITS) - 1)

    @property
    def kinds(self) -> Ints:
        """The kind of each entry."""
        return self.keys & ((1 << KIND_BITS) - 1)

    def part(self, start: int, stop: int) -> "Entries":
        """Entries ``start`` to ``stop - 1``."""
        return Entries(self.keys[start:stop], self.weights[start:stop], self.counts[start:stop])

    def taken(self, which: Ints) -> "Entries":
        """The entries at the given places."""
        return Entries(self.keys[which], self.weights[which], self.counts[which])

    def merged(self) -> "Entries":
        """One entry per key, ascending, without those that come to nothing."""
        if not len(self):
            return self
        order = np.argsort(self.keys, kind="stable")
        keys = self.keys[order]
        starts = run_starts(keys)
        weights = np.add.reduceat(self.weights[order], starts)
        counts = np.add.reduceat(self.counts[order], starts)
        left = (weights != 0) | (counts != 0)
        return Entries(keys[starts][left], weights[left], counts[left])


class Pane:
    """The entries of one hour: a merged body and a tail of what came since."""

    __slots__ = ("_body", "_rows", "_tail")

    def __init__(self, body: Entries | None = None) -> None:
        self._body = body if body is not None else Entries.joined([])
        self._tail: list[Entries] = []
        self._rows = 0

    def append(self, entries: Entries) -> None:
        """Add entries; now and then the tail is merged into the body, at constant cost a row."""
        self._tail.append(entries)
        self._rows += len(entries)
        if self._rows > _TAIL_ROWS + len(self._body) or len(self._tail) > _TAIL_CHUNKS:
            self.merged()

    def merged(self) -> Entries:
        """All entries, merged."""
        if self._tail:
            self._body = Entries.joined([self._body, *self._tail]).merged()
            self._tail, self._rows = [], 0
        return self._body


class Panes:
    """Panes by hour."""

    def __init__(self) -> None:
        self._panes: dict[int, Pane] = {}
        self._hours: list[int] = []

    def __getitem__(self, hour: int) -> Pane:
        """The pane of an hour that has one."""
        return self._panes[hour]

    def hours(self, since: int, before: int) -> list[int]:
        """Hours from ``since`` to ``before - 1`` that have a pane, ascending."""
        return self._hours[bisect_left(self._hours, since) : bisect_left(self._hours, before)]

    def append(self, hours: Ints, entries: Entries) -> None:
        """Add entries, each to the pane of its hour."""
        if not len(hours):
            return
        if hours[0] == hours[-1] and (hours == hours[0]).all():
            self.pane(int(hours[0])).append(entries)
            return
        order = np.argsort(hours, kind="stable")
        hours, entries = hours[order], entries.taken(order)
        starts = run_starts(hours).tolist()
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True):
            self.pane(int(hours[start])).append(entries.part(start, stop))

    def pane(self, hour: int, body: Entries | None = None) -> Pane:
        """The pane of an hour, made (of ``body``) if there was none."""
        pane = self._panes.get(hour)
        if pane is None:
            pane = self._panes[hour] = Pane(body)
            insort(self._hours, hour)
        return pane

    def drop(self, before: int) -> None:
        """Forget all panes of hours earlier than ``before``."""
        gone = bisect_left(self._hours, before)
        for hour in self._hours[:gone]:
            del self._panes[hour]
        del self._hours[:gone]

    def all(self) -> Iterator[tuple[int, Entries]]:
        """Each hour with its merged entries, ascending."""
        return ((hour, self._panes[hour].merged()) for hour in self._hours)

    def renumber(self, new: Ints) -> None:
        """Give pair p the number ``new[p]``; ``new`` must keep the order of the pairs in use."""
        for hour, entries in list(self.all()):
            keys = (new[entries.pairs] << CODE_BITS) | entries.codes
            self._panes[hour] = Pane(Entries(keys, entries.weights, entries.counts))
