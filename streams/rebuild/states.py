"""Stored rows → the states of weigh and score, by the same code that first made them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from schemas.model import Model
from schemas.topics import Topic
from streams.core.arrays import Ints, grown
from streams.core.days import HOUR_MS
from streams.core.past import Past as PastRow
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.rebuild.past import Past
from streams.rebuild.reader import Block
from streams.sinks.progress import Source

_GENERATIONS: Final = 2
"""Of the seen store: what is further back than so many horizons is forgotten in any case."""
_PLACE_BITS: Final = 44

Tell = Callable[[int], None]
"""Told how many rows were just read."""


class Rows(Protocol):
    """What is read; ``Stored`` says what each gives."""

    def alike_rows(self, source: Source, since: int) -> Iterable[Block]: ...  # noqa: D102
    def other_rows(self, source: Source, most: int) -> list[PastRow]: ...  # noqa: D102
    def newest_times(self) -> dict[Source, int]: ...  # noqa: D102
    def accounts(self, partition: int, hour: int) -> Iterable[Block]: ...  # noqa: D102
    def rows(self, partition: int, since: int) -> Iterable[Block]: ...  # noqa: D102
    def published(self, partition: int) -> Iterable[Block]: ...  # noqa: D102


@dataclass(slots=True)
class Rebuilder:
    """Makes the states of one partition after the other."""

    past: Past
    stored: Rows
    model: Model
    horizon: int
    tell: Tell
    newest: dict[Source, int] = field(init=False)

    def __post_init__(self) -> None:
        self.newest = self.stored.newest_times()

    def weigh(self, partition: int) -> WeighPartition:
        """The state of weigh."""
        state = WeighPartition(partition, self.past.partitions, self.model, self.horizon)
        for source in self.past.sources:
            if source[1] == partition:
                self._recall(state, source)
        return state

    def _recall(self, state: WeighPartition, source: Source) -> None:
        weigh = state.source(Topic(source[0]))
        earlier = (
            self.stored.other_rows(source, _GENERATIONS * self.horizon) if self.past.others else []
        )
        for place, row in enumerate(earlier):
            weigh.recall(place, row)
        self.tell(len(earlier))
        before = len(earlier)
        starts = self.past.starts(source)
        if self.past.same is not None:
            base = starts[self.past.log]
        else:
            base = sum(each.ends.get(source, 0) for each in self.past.alike)
        end = base + self.past.cut(source) + 1
        for places, *columns in self.stored.alike_rows(source, end - _GENERATIONS * self.horizon):
            for place, values in zip(places, zip(*columns, strict=True), strict=True):
                weigh.recall(before + place, PastRow._make(values))
            self.tell(len(places))
        resumed = self.past.resumed(source, before + base, self.newest.get(source, 0))
        weigh.resume(resumed.base, resumed.clock, resumed.applied, resumed.totals)

    def score(self, partition: int, *, once: bool, exact_engagers: bool) -> ScorePartition:
        """The state of score."""
        resumed = {
            source: self.past.resumed(source, 0, self.newest.get(source, 0))
            for source in self.past.sources
        }
        clock, sources = self.past.clock(partition, resumed)
        state = ScorePartition(partition, self.model, once=once, exact_engagers=exact_engagers)
        state.position = self.past.position(partition)
        state.applied = self.past.applied(partition)
        hour = clock // HOUR_MS
        rows, updates = _Newest(self.past), _Newest(self.past)
        received: Ints = np.empty(0, np.int64)
        for targets, logs, places, has_received in self.stored.accounts(partition, hour):
            accounts = state.recall_accounts(list(targets))
            rows.add(accounts, logs, places)
            received = np.union1d(received, accounts[np.array(has_received, np.bool_)])
        for block in self.stored.rows(partition, max(0, hour - self.model.longest_h)):
            self._recall_rows(state, block)
        ahead = [
            self._recall_published(state, b, updates) for b in self.stored.published(partition)
        ]
        published = updates.of(state.accounts)
        after = rows.of(state.accounts) > published
        # one that only posts is not published
        after[np.setdiff1d(np.flatnonzero(published == 0), received)] = False
        state.resume(clock, sources, np.concatenate([np.flatnonzero(after), *ahead]))
        return state

    def _recall_rows(self, state: ScorePartition, block: Block) -> None:
        targets, networks, engagers, hours, classes, kinds, weights, undo = block
        state.recall_rows(
            list(targets),
            np.array(networks, np.uint8),
            np.array(engagers, np.uint64),
            np.array(hours, np.int64),
            np.array(classes, np.uint8),
            np.array(kinds, np.uint8),
            np.array(weights, np.int64),
            np.array(undo, np.bool_),
        )
        self.tell(len(targets))

    def _recall_published(self, state: ScorePartition, block: Block, updates: "_Newest") -> Ints:
        """Returns the accounts whose update says what the state cannot know."""
        profiles, logs, places, ahead, models, levels, scores, *sums = block
        accounts = state.recall_published(
            list(profiles),
            np.array(levels, np.int64),
            np.array(scores, np.int64),
            np.array(sums, np.int64),
        )
        updates.add(accounts, logs, places)
        differs = np.array(models, np.int64) != self.model.version
        unknown: Ints = accounts[np.array(ahead, np.bool_) | differs]
        return unknown


class _Newest:
    """The newest place in ``weighed``, over all logs of a chain, by account."""

    def __init__(self, past: Past) -> None:
        self._logs = np.array([each.log for each in past.logs], np.uint64)
        self._places: Ints = np.empty(0, np.int64)

    def add(self, accounts: Ints, logs: Sequence[int], places: Sequence[int]) -> None:
        """Places (-1: before any) in the given logs (0: nowhere) of accounts, with repeats."""
        order = np.searchsorted(self._logs, np.array(logs, np.uint64)) + 1
        keys = (order << _PLACE_BITS) + np.array(places, np.int64) + 1
        keys[np.array(logs, np.uint64) == 0] = 0
        self._places = grown(self._places, 1 + int(accounts.max(initial=-1)))
        np.maximum.at(self._places, accounts, keys)

    def of(self, accounts: int) -> Ints:
        """One number for each of accounts 0 to ``accounts - 1``; a higher one is newer."""
        return grown(self._places, accounts)[:accounts]
