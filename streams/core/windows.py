"""Rolling windows of one partition: sums, interactions and distinct engagers per cell and horizon.

A cell is an account on one network. Panes are UTC hours; a horizon of h hours holds the panes
``now - h`` to ``now``. An interaction counts in the pane of its own time, however late it comes,
as long as that lies in the longest horizon. One that is ahead of ``now`` waits in its pane until
``now`` reaches it. Everything is an integer that is added and later subtracted, so the state
depends only on which rows came and on ``now``, not on their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints, grown, pack, run_starts, unpack
from streams.core.engagers import Engagers
from streams.core.history import History
from streams.core.panes import CLASS_BITS, CODE_BITS, KIND_BITS, NO_HOUR, Entries, Panes

_SPARE_PAIRS = 4096
_UNSEEN = 1 << 30


@dataclass(frozen=True, slots=True)
class Moved:
    """Cells that the passing of time changed, with repeats: panes ``entered``, panes ``left``."""

    entered: Ints
    left: Ints


class Windows:
    """Windows of all cells of a partition.

    ``weights`` and ``interactions``: int64[horizons, cells, kinds]. ``last``: hour of the newest
    interaction of a cell that still counts (one older than the longest horizon may stay: it is as
    good as ``NO_HOUR``). ``first``: the earliest hour of any interaction a cell ever received; it
    does not come back by an undo, since the account was known from then on.
    """

    def __init__(self, horizons: Sequence[int], classes: int, kinds: int) -> None:
        if classes > 1 << CLASS_BITS or kinds > 1 << KIND_BITS:
            raise ValueError(f"the pane log has no room for {classes} classes and {kinds} kinds")
        self.horizons = tuple(horizons)
        self.now = 0
        self.cells = 0
        self.engagers = Engagers(horizons, classes)
        self.panes = Panes()
        self.last: Ints = np.empty(0, np.int64)
        self.first: Ints = np.empty(0, np.int64)
        self._kinds = kinds
        # made when the first undo needs it
        self._history: History | None = None
        self._weights: Ints = np.zeros((len(self.horizons), 0), np.int64)
        self._interactions: Ints = np.zeros((len(self.horizons), 0), np.int64)

    @property
    def since(self) -> int:
        """The earliest hour that still counts in any horizon."""
        return self.now - self.horizons[-1]

    @property
    def weights(self) -> Ints:
        """int64[horizons, cells, kinds], a view."""
        return self._by_kind(self._weights)

    @property
    def interactions(self) -> Ints:
        """int64[horizons, cells, kinds], a view."""
        return self._by_kind(self._interactions)

    @property
    def distinct(self) -> Ints:
        """int64[classes, horizons, cells], a view; see ``Engagers``."""
        return self.engagers.distinct[:, :, : self.cells]

    def _by_kind(self, flat: Ints) -> Ints:
        shape = (len(self.horizons), self.cells, self._kinds)
        return flat[:, : self.cells * self._kinds].reshape(shape)

    def reserve(self, cells: int) -> None:
        """Make cells 0 to ``cells - 1`` exist."""
        if cells > self.cells:
            self.cells = cells
            self.last = grown(self.last, cells, NO_HOUR)
            self.first = grown(self.first, cells, _UNSEEN)
            self._weights = grown(self._weights, cells * self._kinds)
            self._interactions = grown(self._interactions, cells * self._kinds)
            self.engagers.reserve(cells)

    def apply(
        self,
        cells: Ints,
        engagers: npt.NDArray[np.uint64],
        hours: Ints,
        classes: Ints,
        kinds: Ints,
        weights: Ints,
        undo: npt.NDArray[np.bool_],
    ) -> None:
        """Count rows of existing cells; ``weights`` are positive, on an undo too."""
        np.minimum.at(self.first, cells, hours)
        signs = np.where(undo, -1, 1)
        weights = weights * signs
        if len(hours) and hours.min() < self.since:
            young = np.flatnonzero(hours >= self.since)
            cells, engagers, hours, classes = (
                cells[young],
                engagers[young],
                hours[young],
                classes[young],
            )
            kinds, weights, signs = kinds[young], weights[young], signs[young]
        pairs = self.engagers.pairs(cells, engagers)
        entries = Entries.of(pairs, classes, kinds, weights, signs)
        self.panes.append(hours, entries)
        if self._history is not None:
            self._history.add(hours, entries, self.since)
        if len(hours) and hours.max() > self.now:
            reached = np.flatnonzero(hours <= self.now)
            hours, entries = hours[reached], entries.taken(reached)
        self._count(hours, entries)

    def advance(self, now: int) -> Moved:
        """Let the hour be ``now``, if that is later than it was."""
        before = self.now
        if now <= before:
            return Moved(*(np.empty(0, np.int64) for _ in range(2)))
        left = [np.empty(0, np.int64)]
        for horizon, length in enumerate(self.horizons):
            hours = self.panes.hours(before - length, min(now - length, before + 1))
            left += [self._leave(horizon, hour) for hour in hours]
        self.now = now
        entered = [np.empty(0, np.int64)]
        for hour in self.panes.hours(before + 1, now + 1):
            entries = self.panes[hour].merged()
            entered.append(self.engagers.cell[entries.pairs])
            if hour >= self.since:
                self._count(np.full(len(entries), hour), entries)
        self.panes.drop(self.since)
        return Moved(np.concatenate(entered), np.concatenate(left))

    def _leave(self, horizon: int, hour: int) -> Ints:
        entries = self.panes[hour].merged()
        pairs = entries.pairs
        cells = self.engagers.cell[pairs]
        slots = cells * self._kinds + entries.kinds
        np.subtract.at(self._weights[horizon], slots, entries.weights)
        np.subtract.at(self._interactions[horizon], slots, entries.counts)
        self.engagers.leave(horizon, hour, pairs[run_starts(pairs)])
        return cells

    def _count(self, hours: Ints, entries: Entries) -> None:
        """Count entries of the hours ``since`` to ``now``, which are in their panes already."""
        if not len(hours):
            return
        pairs = entries.pairs
        cells = self.engagers.cell[pairs]
        slots = cells * self._kinds + entries.kinds
        oldest = int(hours.min())
        for horizon, length in enumerate(self.horizons):
            chosen: slice | Ints = slice(None)
            if oldest < self.now - length:
                chosen = np.flatnonzero(hours >= self.now - length)
            np.add.at(self._weights[horizon], slots[chosen], entries.weights[chosen])
            np.add.at(self._interactions[horizon], slots[chosen], entries.counts[chosen])
        added = entries.counts > 0
        np.maximum.at(self.last, cells[added], hours[added])
        lost = self.engagers.count(pairs, hours, entries.classes, entries.counts, self.now)
        if len(lost):
            self._fall_back(lost)

    def _fall_back(self, pairs: Ints) -> None:
        """Pairs lost an interaction at one of their newest hours: find what is newest now."""
        engagers = self.engagers
        if self._history is None:
            self._history = History.of_panes(self.panes.all())
        latest = self._history.newest(pairs, len(engagers.latest), self.since, self.now)
        was = engagers.fall_back(pairs, latest, self.now)
        cells = engagers.cell[pairs]
        fell = (latest[0] < was) & (was == self.last[cells])
        if fell.any():
            concerned = np.zeros(self.cells, np.bool_)
            concerned[cells[fell]] = True
            self.last[: self.cells][concerned] = NO_HOUR
            whose = engagers.cell[: engagers.size]
            some = np.flatnonzero(concerned[whose])
            np.maximum.at(self.last, whose[some], engagers.latest[0, some].astype(np.int64))

    def compact(self) -> None:
        """Merge all panes and, where most pairs have nothing left, forget those."""
        parts = [entries.pairs for _, entries in self.panes.all()]
        used = np.zeros(self.engagers.size, np.bool_)
        for pairs in parts:
            used[pairs] = True
        left = int(used.sum())
        if self.engagers.size > _SPARE_PAIRS + 2 * left:
            self._history = None
            self.panes.renumber(np.cumsum(used) - 1)
            self.engagers.keep(np.flatnonzero(used))

    def snapshot(self) -> dict[str, Any]:
        """The panes and what else cannot be counted again from them."""
        self.compact()
        hours, parts = [], []
        for hour, entries in self.panes.all():
            hours.append((hour, len(entries)))
            parts.append(entries)
        entries = Entries.joined(parts)
        engagers = self.engagers
        return {
            "now": self.now,
            "first": pack(self.first[: self.cells]),
            "pair_cell": pack(engagers.cell[: engagers.size]),
            "pair_engager": engagers.engager[: engagers.size].astype("<u8").tobytes(),
            "hours": pack(np.array(hours, np.int64).reshape(-1)),
            "pairs": pack(entries.pairs),
            "codes": pack(entries.codes),
            "weights": pack(entries.weights),
            "counts": pack(entries.counts),
        }

    def load(self, snapshot: dict[str, Any]) -> None:
        """Become, from an empty instance, the one that ``snapshot`` was taken of."""
        first = unpack(snapshot["first"])
        self.reserve(len(first))
        self.first[: self.cells] = first
        engager = np.frombuffer(snapshot["pair_engager"], "<u8").astype(np.uint64)
        self.engagers.load(unpack(snapshot["pair_cell"]), engager)
        pairs, codes = unpack(snapshot["pairs"]), unpack(snapshot["codes"])
        entries = Entries(
            pairs << CODE_BITS | codes, unpack(snapshot["weights"]), unpack(snapshot["counts"])
        )
        hours, lengths = unpack(snapshot["hours"]).reshape(-1, 2).T
        start = 0
        for hour, length in zip(hours.tolist(), lengths.tolist(), strict=True):
            self.panes.pane(hour, entries.part(start, start + length))
            start += length
        self.begin(snapshot["now"])

    def begin(self, now: int) -> None:
        """Let the hour be ``now`` where nothing was counted so far; all panes count at once."""
        self.now = now
        self.panes.drop(self.since)
        reached = [(hour, entries) for hour, entries in self.panes.all() if hour <= now]
        hours = np.array([hour for hour, _ in reached], np.int64)
        lengths = [len(entries) for _, entries in reached]
        self._count(np.repeat(hours, lengths), Entries.joined([entries for _, entries in reached]))
