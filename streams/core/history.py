"""When each pair did what: the pane log once more, but in the order of the pairs.

Only an undo needs it, to find what is left of a pair that lost its newest interaction; without undo
it is never built. Entries are kept in sorted runs, each at least twice as long as the next, so that
an entry is merged a logarithmic number of times and a look-up searches a few runs.
"""

from collections.abc import Iterable

import numpy as np

from streams.core.arrays import Ints
from streams.core.panes import CLASS_BITS, NO_HOUR, Entries

_HOUR_BITS = 27
_PAIR_SHIFT = _HOUR_BITS + CLASS_BITS
_PENDING_ROWS = 1 << 16


class History:
    """Counts by (pair, hour, class)."""

    def __init__(self) -> None:
        self._runs: list[Entries] = []
        self._pending: list[Entries] = []
        self._pending_rows = 0

    @classmethod
    def of_panes(cls, panes: Iterable[tuple[int, Entries]]) -> "History":
        """The history of a whole pane log: pairs of an hour and its entries."""
        history = cls()
        for hour, entries in panes:
            history.add(np.full(len(entries), hour), entries, NO_HOUR)
        return history

    def add(self, hours: Ints, entries: Entries, since: int) -> None:
        """Add entries of the given hours; what is older than ``since`` may be forgotten."""
        keys = (entries.pairs << _PAIR_SHIFT) | (hours << CLASS_BITS) | entries.classes
        self._pending.append(Entries(keys, np.zeros_like(keys), entries.counts))
        self._pending_rows += len(keys)
        if self._pending_rows > _PENDING_ROWS:
            self._settle(since)

    def newest(self, pairs: Ints, classes: int, since: int, now: int) -> Ints:
        """int64[classes, pairs]: the newest hour at which each pair has a class of at least c.

        Of the hours ``since`` to ``now``; ``NO_HOUR`` where there is none. ``pairs`` must be
        ascending and distinct.
        """
        self._settle(since)
        found = Entries.joined([_of(run, pairs) for run in self._runs]).merged()
        hours = (found.keys >> CLASS_BITS) & ((1 << _HOUR_BITS) - 1)
        inside = np.flatnonzero((found.counts > 0) & (hours >= since) & (hours <= now))
        hours, keys = hours[inside], found.keys[inside]
        best = keys & ((1 << CLASS_BITS) - 1)
        place = np.searchsorted(pairs, keys >> _PAIR_SHIFT)
        newest = np.full((classes, len(pairs)), NO_HOUR, np.int64)
        np.maximum.at(newest, (best, place), hours)
        # of class c at least: the newest of class c or any higher one
        result: Ints = np.maximum.accumulate(newest[::-1])[::-1]
        return result

    def _settle(self, since: int) -> None:
        """Make a run of what is pending, and merge runs until each is twice as long as the next."""
        if self._pending_rows:
            self._runs.append(Entries.joined(self._pending).merged())
        self._pending, self._pending_rows = [], 0
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = Entries.joined([self._runs.pop(-2), self._runs.pop()]).merged()
            hours = (last.keys >> CLASS_BITS) & ((1 << _HOUR_BITS) - 1)
            self._runs.append(last.taken(np.flatnonzero(hours >= since)))


def _of(run: Entries, pairs: Ints) -> Entries:
    """The entries of the given pairs in a run."""
    starts = np.searchsorted(run.keys, pairs << _PAIR_SHIFT)
    stops = np.searchsorted(run.keys, (pairs + 1) << _PAIR_SHIFT)
    lengths = stops - starts
    before = np.cumsum(lengths) - lengths
    places = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return run.taken(places)
