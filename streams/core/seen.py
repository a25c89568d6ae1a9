"""Which interactions count: duplicates, undos, and undos that arrive before what they undo.

The law. Let ``A`` be the newest ``at`` among the deliveries of an interaction, and ``U`` the newest
``at`` among the undos of it and of its record. The interaction counts exactly if ``A > U``. That
depends on the set of events only, not on their order nor on repeats, as long as the horizon holds
all of them and an interaction always names the same record. What counts is the first delivery that
made it count; it differs between orders at most in what the deliveries themselves disagree in.

The kernels of ``streams.kernels.seen`` decide; here is what they decide on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.core.generations import appended, empty, restored, unsaved, with_room
from streams.kernels.generation import GONE, ROWS
from streams.kernels.seen import settle


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

    ``current`` and ``previous``: what was touched since ``end - horizon``, and what was touched in
    the stretch before and not since. Who tells the kernels of an offset from ``end`` on calls
    ``rotate`` before, and ``reserve`` where they ask for room.
    """

    def __init__(self, horizon: int) -> None:
        if horizon < 1:
            raise ValueError(f"the horizon must be at least 1 offset, not {horizon}")
        self._horizon = horizon
        self.end = horizon
        self.current = empty()
        self.previous = empty()
        # Generations so far, this one included; it numbers them in snapshots.
        self._generation = 0
        # The first snapshot that holds rows of current and of previous; None: there is none yet.
        self._current_since: int | None = None
        self._previous_since: int | None = None
        # Rows that the last snapshot held.
        self.saved = 0

    def __len__(self) -> int:
        """Number of interactions remembered, counting or not."""
        current, previous = self.current.counts, self.previous.counts
        return int(current[ROWS] + previous[ROWS] - previous[GONE])

    def rotate(self, offset: int) -> None:
        """Begin another generation if ``offset`` is beyond this one."""
        if offset < self.end:
            return
        steps, _ = divmod(offset - self.end, self._horizon)
        self.end += (steps + 1) * self._horizon
        self._generation += steps + 1
        size = 0 if steps else int(self.current.counts[ROWS])
        self.previous = empty() if steps else self.current
        self._previous_since = None if steps else self._current_since
        self.current = with_room(empty(), size)
        self._current_since = None

    def reserve(self, events: int) -> None:
        """Make room for so many events, and for all that a single one may take."""
        self.current = with_room(self.current, events)

    def rebase(self, offsets: int) -> None:
        """Go on in a log whose offset 0 is what would have been offset ``offsets`` so far."""
        self.end -= offsets

    def snapshot(self, number: int, *, whole: bool) -> dict[str, Any]:
        """What has changed since the last snapshot, or all of it; as numbers, texts and bytes."""
        if whole:
            self._current_since = self._previous_since = None
        if self._current_since is None:
            self._current_since = number
        if self._previous_since is None:
            self._previous_since = number
        self.saved = sum(unsaved(g, whole=whole) for g in (self.current, self.previous))
        return {
            "whole": whole,
            "end": self.end,
            "generation": self._generation,
            "current": appended(self.current, whole=whole),
            "previous": appended(self.previous, whole=whole),
        }

    def oldest_needed(self, number: int) -> int:
        """The oldest snapshot without which the newest one, ``number``, cannot be restored."""
        return min(
            number if since is None else since
            for since in (self._current_since, self._previous_since)
        )

    @classmethod
    def restore(
        cls, snapshots: Sequence[tuple[int, Mapping[str, Any]]], horizon: int
    ) -> "SeenStore":
        """The store of numbered snapshots. Another ``horizon`` holds from the newest one's end on.

        They are consecutive; the first one is not newer than the oldest one needed.
        """
        store = cls(horizon)
        _, newest = snapshots[-1]
        store.end, store._generation = newest["end"], newest["generation"]
        parts: dict[int, list[tuple[int, Mapping[str, Any]]]] = {}
        for taken, snapshot in snapshots:
            generation = snapshot["generation"]
            if snapshot["whole"]:
                parts.clear()
            parts.setdefault(generation, []).append((taken, snapshot["current"]))
            parts.setdefault(generation - 1, []).append((taken, snapshot["previous"]))
        current = parts[store._generation]
        previous = parts[store._generation - 1]
        store.current, records = restored([part for _, part in current])
        store.previous, earlier = restored([part for _, part in previous])
        store._current_since, store._previous_since = current[0][0], previous[0][0]
        store.reserve(0)
        settle(store.current, store.previous, records, earlier)
        return store
