"""Distinct engagers per cell, horizon and class, exact under expiry and undo.

A pair is an engager of a cell. For each class c a pair has the newest hour at which it did
something with a class of at least c; it counts for c in a horizon as long as that hour lies in it.
So an interaction moves an hour forward, a pane that leaves a horizon takes the pairs along whose
newest hour it is, and an undo of a pair's newest interaction moves the hour back.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints, grown
from streams.core.pair_index import UNKNOWN, PairIndex, first_of_each
from streams.core.panes import NO_HOUR

_Hours = npt.NDArray[np.int32]


class Engagers:
    """Pairs with their newest hours, and ``distinct`` counts int64[classes, horizons, cells]."""

    def __init__(self, horizons: Sequence[int], classes: int) -> None:
        self._horizons = tuple(horizons)
        self._index = PairIndex()
        self.size = 0
        """Number of pairs."""
        self.cell: Ints = np.empty(0, np.int64)
        self.engager: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self.latest: _Hours = np.empty((classes, 0), np.int32)
        """int32[classes, pairs]: newest hour with a class of at least c. One that has left the
        longest horizon may stay: it is as good as none."""
        self.distinct: Ints = np.zeros((classes, len(self._horizons), 0), np.int64)
        self._mark: _Hours = np.empty(0, np.int32)

    def pairs(self, cells: Ints, engagers: npt.NDArray[np.uint64]) -> Ints:
        """The pair of each (cell, engager hash), made where it is new."""
        found = self._index.find(cells, engagers, self.cell[: self.size], self.engager[: self.size])
        missing = np.flatnonzero(found == UNKNOWN)
        if len(missing):
            fresh, which = first_of_each(cells[missing], engagers[missing])
            found[missing] = self.size + which
            self._add(cells[missing[fresh]], engagers[missing[fresh]])
        return found

    def _add(self, cells: Ints, engagers: npt.NDArray[np.uint64]) -> None:
        start, self.size = self.size, self.size + len(cells)
        self.cell = grown(self.cell, self.size)
        self.engager = grown(self.engager, self.size)
        self.latest = grown(self.latest, self.size, NO_HOUR)
        self._mark = grown(self._mark, self.size)
        self.cell[start : self.size] = cells
        self.engager[start : self.size] = engagers
        self._index.add(self.cell[: self.size], self.engager[: self.size], start)
        self.reserve(int(cells.max()) + 1)

    def load(self, cells: Ints, engagers: npt.NDArray[np.uint64]) -> None:
        """Make the pairs 0, 1, 2 ... of an empty instance, in this order."""
        self._index = PairIndex()
        if len(cells):
            self._add(cells, engagers)

    def keep(self, used: Ints) -> None:
        """Forget all pairs but ``used`` (ascending), which get the numbers 0, 1, 2 ..."""
        latest = self.latest[:, used]
        cells, engagers = self.cell[used], self.engager[used]
        self.size, self.cell, self.engager = 0, np.empty(0, np.int64), np.empty(0, np.uint64)
        self.latest = latest
        self.load(cells, engagers)

    def reserve(self, cells: int) -> None:
        """Make room in ``distinct`` for cells below ``cells``."""
        self.distinct = grown(self.distinct, cells)

    def count(self, pairs: Ints, hours: Ints, classes: Ints, counts: Ints, now: int) -> Ints:
        """Count interactions (``counts`` > 0) and undos (< 0) of hours up to ``now``.

        Returns the pairs, ascending and distinct, that lost an interaction at one of their newest
        hours; the caller finds out what is left of them and calls ``fall_back``.
        """
        undone = counts < 0
        some_undone = bool(undone.any())
        added = ~undone if some_undone else slice(None)
        self._advance(pairs[added], hours[added].astype(np.int32), classes[added], now)
        if not some_undone:
            return pairs[:0]
        lost, at = pairs[undone], hours[undone]
        newest = (self.latest[:, lost] == at).any(0)
        result: Ints = np.unique(lost[newest])
        return result

    def _advance(self, pairs: Ints, hours: _Hours, classes: Ints, now: int) -> None:
        highest = int(classes.max()) if len(classes) else -1
        for c in range(highest + 1):
            latest = self.latest[c]
            newer = hours > latest[pairs]
            if c:
                newer &= classes >= c
            which = np.flatnonzero(newer)
            if len(which):
                moved = pairs[which]
                each = self._distinct(moved)
                before = latest[each]
                np.maximum.at(latest, moved, hours[which])
                self._recount(c, each, before, latest[each], now)

    def fall_back(self, pairs: Ints, latest: Ints, now: int) -> Ints:
        """Set the newest hours of ``pairs`` to int64[classes, pairs]; returns those of class 0."""
        was = self.latest[:, pairs]
        self.latest[:, pairs] = latest
        for c in range(len(was)):
            self._recount(c, pairs, was[c], self.latest[c, pairs], now)
        newest: Ints = was[0].astype(np.int64)
        return newest

    def leave(self, horizon: int, hour: int, pairs: Ints) -> None:
        """A pane leaves a horizon (its index), ``pairs`` being all that have entries in it."""
        cells = self.cell[pairs]
        for latest, distinct in zip(self.latest, self.distinct[:, horizon], strict=True):
            np.subtract.at(distinct, cells[latest[pairs] == hour], 1)

    def _recount(self, c: int, pairs: Ints, before: _Hours, after: _Hours, now: int) -> None:
        """Pairs (distinct) whose newest hour for class c was ``before`` and is ``after``."""
        cells = self.cell[pairs]
        for distinct, hours in zip(self.distinct[c], self._horizons, strict=True):
            since = now - hours
            change = (after >= since).astype(np.int64) - (before >= since)
            moved = np.flatnonzero(change)
            if len(moved):
                np.add.at(distinct, cells[moved], change[moved])

    def _distinct(self, pairs: Ints) -> Ints:
        """Each pair once."""
        # linear, without sorting: of several places that write one mark, one is the last
        places = np.arange(len(pairs), dtype=np.int32)
        self._mark[pairs] = places
        result: Ints = pairs[self._mark[pairs] == places]
        return result
