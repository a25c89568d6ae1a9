"""The whole state of one target partition: frames of ``weighed`` in, updates of scores out.

Pure: no I/O and no reading of the time; ``now`` is a monotonic wall time in seconds. Frames must
come in the order of the partition's log.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.frames import Frame
from schemas.kinds import POST, ROW_KINDS
from schemas.model import Model
from schemas.texts import TextColumn
from schemas.topics import INTERACTION_TOPICS, Topic
from streams.core.arrays import Ints
from streams.core.clock import PartitionClock, Source
from streams.core.days import HOUR_MS, HOURS, day_of
from streams.core.emission import Emission
from streams.core.midnights import Midnights, Said, tiers_of
from streams.core.moved import Moved
from streams.core.rows import rows_of
from streams.core.updates import NO_UPDATES, Updates, formula_of, standings_of, write
from streams.core.windows import Windows
from streams.kernels.score_arrays import Columns
from streams.kernels.updates import Common

_FORMAT = 4


class Applied(Enum):
    """What became of a frame."""

    NEW = "new"
    """Its rows beyond the last applied one count now."""
    OLD = "old"
    """Nothing in it was new."""
    HOLE = "hole"
    """Rows before it are missing; nothing was applied, and its source must send again."""


class ScorePartition:
    """Windows, clock and emission of the accounts of one partition.

    ``position``: last offset of ``weighed`` read, -1 before any; ``applied``: per source, the last
    source offset whose rows are included; ``epoch``: set by whoever owns the partition;
    ``sequence``: of the last update. ``rows``, ``holes``, ``lost``: rows, holes and source offsets
    given up since the beginning.
    """

    def __init__(
        self,
        partition: int,
        model: Model,
        *,
        once: bool,
        idle_seconds: float = 10.0,
        emit_seconds: float = 0.25,
        exact_engagers: bool = True,
        partitions: int = 0,
    ) -> None:
        """``partitions``: of the topics, where days are closed."""
        self.partition = partition
        self.position = -1
        self.applied: dict[Source, int] = {}
        self.epoch = 0
        self.sequence = 0
        self.rows = 0
        self.holes = 0
        self.lost = 0
        self._number = 0
        self._guard_until: float | None = None
        self._model = model
        self._formula = formula_of(model)
        self._midnights = Midnights() if model.by_actor else None
        expected = [(t.value, p) for t in INTERACTION_TOPICS for p in range(partitions)]
        self._clock = PartitionClock(
            once=once, idle_seconds=idle_seconds, expected=expected if model.by_actor else ()
        )
        self._windows = Windows(
            model.horizons_h, len(model.class_weights), len(ROW_KINDS), exact=exact_engagers
        )
        self._emission = Emission(model, emit_seconds)

    @property
    def clock(self) -> int:
        """Event time in ms UTC that the partition has reached; 0 before any."""
        return self._clock.value

    @property
    def idle_sources(self) -> frozenset[Source]:
        """Sources that fell silent and are not waited for."""
        return self._clock.idle

    @property
    def accounts(self) -> int:
        """Number of accounts that have anything in the longest horizon, or had it just now."""
        return self._windows.accounts

    def apply(self, frame: Frame, offset: int, now: float) -> Applied:
        """Apply the frame at ``offset`` of ``weighed``; the first occurrence of a row wins."""
        if offset <= self.position:
            return Applied.OLD
        self.position = offset
        header = frame.header
        source = (header.topic.value, header.partition)
        applied, reached = self.applied.get(source, -1), self._clock.reached(source)
        if header.first > applied + 1:
            self.holes += 1
            # its source is not silent, but its clock says nothing about the rows before
            if header.topic is not Topic.POSTS:
                self._clock.hear(source, 0, now)
            self._pass_time()
            return Applied.HOLE
        if header.topic is not Topic.POSTS:
            if self._midnights is not None and not reached and header.clock:
                self._midnights.hear(header.clock)
            self._clock.hear(source, header.clock, now)
        if not self._day_is_over():
            self._pass_time()
        if header.last <= applied:
            self._pass_time()
            return Applied.OLD
        self.applied[source] = header.last
        new = frame.beyond(applied)
        if self._midnights is None or not self._midnights.hold(new, reached):
            self._count(new)
        self._pass_time()  # a day is closed with what the frame brought of it
        return Applied.NEW

    def recall_accounts(self, targets: list[str]) -> Ints:
        """Make accounts that were there before; returns their numbers.

        A state is recalled into a new instance: first the accounts, then rows and what was
        published of them, at last ``resume``.
        """
        accounts = self._windows.make(TextColumn.of(targets)).astype(np.int64)
        self._emission.reserve(self._windows.top)
        return accounts

    def recall_rows(
        self,
        targets: list[str],
        networks: npt.NDArray[np.uint8],
        engagers: npt.NDArray[np.uint64],
        hours: Ints,
        classes: npt.NDArray[np.uint8],
        kinds: npt.NDArray[np.uint8],
        weights: Ints,
        undo: npt.NDArray[np.bool_],
    ) -> None:
        """Take in rows of before, in any order; ``resume`` counts them."""
        names = TextColumn.of(targets)
        self._windows.recall(
            Columns(
                names.data, names.places, networks, engagers, hours, classes, kinds, weights, undo
            )
        )
        self._emission.reserve(self._windows.top)

    def recall_published(self, profiles: list[str], levels: Ints, score: Ints, sums: Ints) -> Ints:
        """What was published last of profiles (distinct); returns the number of each one's account.

        ``sums``: weights, interactions and engagers, int64[3 * horizons, profiles]. ``levels``: an
        account goes on with that of its engagers at least, unless all are counted.
        """
        accounts = self.recall_accounts(profiles)
        self._windows.raise_levels(accounts, levels)
        self._emission.recall(accounts, score, sums)
        return accounts

    def resume(self, clock: int, sources: Mapping[Source, int], behind: Ints) -> None:
        """Go on at event time ``clock`` (ms), which ``sources`` have reached as they say.

        ``behind``: accounts with rows that their last update did not include.
        """
        self._clock.load(
            {"value": clock, "sources": [(*s, at, False) for s, at in sorted(sources.items())]}
        )
        self._windows.begin(clock // HOUR_MS)
        self._emission.fall_due(np.arange(self._windows.top))
        self._emission.touch(behind)

    def tick(self, now: float) -> None:
        """Wall time passes without a frame."""
        self._clock.tick(now)
        self._pass_time()

    def _count(self, frame: Frame) -> None:
        if not len(frame):
            return
        rows = rows_of(frame)
        accounts = self._windows.apply(rows)
        self._emission.reserve(self._windows.top)
        # an undo of what is still ahead leaves nothing behind that could touch the account later;
        # so every account that ever received anything is published, whatever came first
        is_post = rows.kinds == POST
        self._emission.touch(accounts[((rows.hours <= self._windows.now) | rows.undo) & ~is_post])
        if is_post.any():
            self._emission.touch_known(accounts[is_post])
        self.rows += len(frame)

    def _pass_time(self) -> None:
        """Bring the windows to the hour of the clock, closing the days before it."""
        if self._midnights is not None and self._day_is_over():
            self._close_days(self._midnights, day_of(self.clock))
        self._reach(self.clock // HOUR_MS)

    def _day_is_over(self) -> bool:
        """Whether there is a day to be closed."""
        midnights = self._midnights
        return midnights is not None and day_of(self.clock) - 1 > midnights.closed

    def _close_days(self, midnights: Midnights, day: int) -> None:
        """Close all days before ``day``; who waits for one between would hold the clock back."""
        is_new = day * HOURS > self._windows.now
        self._reach(day * HOURS, entering=False)
        tiers = tiers_of(self._windows, self._formula, self._model)
        self.sequence = midnights.close(day - 1, tiers, self.epoch, self.sequence)
        if is_new:
            self._touch(self._windows.enter())
        for frame in midnights.released():
            self._count(frame)

    def standing(self) -> list[Said]:
        """What must be told on ``standing`` now: what changed at midnights, and which they were."""
        return [] if self._midnights is None else self._midnights.owed()

    def _reach(self, hour: int, *, entering: bool = True) -> None:
        """Let the windows be at an hour; what this changes falls due."""
        before = self._windows.now
        if hour <= before:
            return
        fade_from = self._model.longest_h - self._model.fade_h
        fading = self._windows.newest_between(before - self._model.longest_h, hour - fade_from)
        self._emission.fall_due(fading)
        moved = self._windows.advance(hour, entering=entering)
        self._emission.fall_due(moved.left)
        self._touch(moved)
        # one that still posts does not leave when all that it received has left, but it is told
        self._emission.finish(self._windows.bereft(moved.left))
        self._forget_empty()

    def _touch(self, moved: Moved) -> None:
        self._emission.touch(moved.entered)
        self._emission.touch_known(moved.posted)

    def _forget_empty(self) -> None:
        """Accounts without anything in the longest horizon leave after their last update."""
        empty = self._windows.empty()
        gone = empty[self._emission.finish(empty)]
        self._emission.free(gone)
        self._windows.free(gone)

    def updates(self, now: float, *, everything: bool = False) -> Updates:
        """What must be published now, each with the next sequence number.

        ``everything``: also what still waits, and every score that differs at all from its last
        update. All updates describe the state at ``position`` and in the hour of ``clock``.
        """
        accounts = self._emission.candidates(now, everything=everything)
        if not len(accounts):
            return NO_UPDATES
        cells = self._windows.cells
        found = standings_of(accounts, cells, self._windows.now, self._formula)
        decision = self._emission.decide(
            accounts, found.score, found.said, now, everything=everything
        )
        common = Common(
            self._model.version,
            self.clock,
            self.partition,
            self.position,
            self.epoch,
            self.sequence + 1,
        )
        self.sequence += len(decision.places)
        return write(accounts, decision, cells, found, common)

    def guard(self, until: float) -> None:
        """An owner before may publish until wall time ``until``, of rows not applied here yet.

        Its updates may lie behind ours in the log, or tell of rows that cancel out when they are
        applied here in one go. So all that is touched is published, and at the end once more.
        """
        self._guard_until = until
        self._emission.guard()

    def pass_guard(self, now: float, *, caught_up: bool) -> None:
        """End the guard after its time, once all is applied that the owner before can have read.

        ``caught_up``: whether the state stands at the end of ``weighed``.
        """
        if self._guard_until is not None and now >= self._guard_until and caught_up:
            self._guard_until = None
            self._emission.end_guard()

    def positions(self) -> dict[str, int]:
        """Input topic → next offset."""
        return {Topic.WEIGHED.value: self.position + 1}

    def version(self) -> object:
        """Time and publishing change the state too, not only what is read."""
        return self.position, self.sequence, self._windows.now, self.idle_sources

    def missing_before(self, frame: Frame) -> int:
        """How many source offsets between what is applied and ``frame`` never came."""
        header = frame.header
        applied = self.applied.get((header.topic.value, header.partition), -1)
        return max(0, header.first - applied - 1)

    def is_new_source(self, frame: Frame) -> bool:
        """Whether nothing of the frame's source was applied yet."""
        return (frame.header.topic.value, frame.header.partition) not in self.applied

    def give_up_before(self, frame: Frame) -> None:
        """What is missing before ``frame`` is lost for good: go on at it."""
        header = frame.header
        self.lost += self.missing_before(frame)
        self.applied[header.topic.value, header.partition] = header.first - 1

    def pass_over(self, offset: int) -> None:
        """The record at ``offset`` of ``weighed`` is no frame."""
        self.position = max(self.position, offset)

    def snapshot(self, number: int) -> dict[str, Any]:
        """The complete state, of what MessagePack can hold; it shares nothing with this object."""
        self._number = number
        held = {} if self._midnights is None else {"midnights": self._midnights.snapshot()}
        return held | {
            "format": _FORMAT,
            "model": self._model.version,
            "partition": self.partition,
            "position": self.position,
            "applied": [[*source, offset] for source, offset in sorted(self.applied.items())],
            "epoch": self.epoch,
            "sequence": self.sequence,
            "rows": self.rows,
            "holes": self.holes,
            "lost": self.lost,
            "clock": self._clock.snapshot(),
            "windows": self._windows.snapshot(number),
            "emission": self._emission.snapshot(self._windows.copied(number)),
        }

    def oldest_needed(self) -> int:
        """The windows may be spread over several snapshots; all else is whole in each."""
        return self._windows.oldest_needed(self._number)

    @classmethod
    def restore(
        cls,
        snapshots: Sequence[dict[str, Any]],
        model: Model,
        *,
        once: bool,
        idle_seconds: float = 10.0,
        emit_seconds: float = 0.25,
        exact_engagers: bool = True,
        partitions: int = 0,
    ) -> "ScorePartition":
        """The state that the last of ``snapshots`` was taken of.

        Only when an account was last published in wall time is not in it: the first update after
        a restore may come sooner than ``emit_seconds`` after the one before. Raises ``ValueError``
        if the snapshot is of another format or model.
        """
        snapshot = snapshots[-1]
        found = (snapshot.get("format"), snapshot.get("model"))
        if found != (_FORMAT, model.version):
            raise ValueError(
                f"state of format {found[0]} and score model {found[1]}; this version reads "
                f"format {_FORMAT} and score model {model.version}"
            )
        self = cls(
            snapshot["partition"],
            model,
            once=once,
            idle_seconds=idle_seconds,
            emit_seconds=emit_seconds,
            exact_engagers=exact_engagers,
            partitions=partitions,
        )
        if model.by_actor:
            self._midnights = Midnights.restore(snapshot["midnights"])
        self.position = snapshot["position"]
        self.applied = {(topic, part): offset for topic, part, offset in snapshot["applied"]}
        self.epoch = snapshot["epoch"]
        self.sequence = snapshot["sequence"]
        self.rows = snapshot["rows"]
        self.holes = snapshot["holes"]
        self.lost = snapshot["lost"]
        self._clock.load(snapshot["clock"])
        self._windows.load([each["windows"] for each in snapshots])
        self._emission.load([each["emission"] for each in snapshots], self._windows.top)
        return self
