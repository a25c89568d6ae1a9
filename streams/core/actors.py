"""What is known of the actors of one partition: the snapshot of a day, and what they give today.

A day is a UTC day since 1970. The snapshot holds for the sources of all topics and changes only
with ``turn``; within a day the class of an interaction hangs on the snapshot and on what its own
source brought before it, whatever the other sources did. Actors are known by the hash of their
account. They stay: when somebody was first seen must not be forgotten.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.kinds import KINDS
from schemas.model import Model
from streams.core.arrays import Ints, grown, pack, unpack
from streams.kernels.classes import FRESH, Hashes, Known, Numbers, index_actors, number_actors

CLOSED_DAYS: Final = 30
"""Days before today whose interactions make an actor selective or not."""

_DAY_H: Final = 24
_UNSEEN: Final = (1 << 31) - 1
_SMALLEST: Final = 64
_CROWD: Final = 4
"""How often all actors may be written in parts before they are written as a whole again."""
_FEW: Final = 10_000
_SNAPSHOT: Final = 500
"""What a snapshot costs a restore besides its rows, in rows."""


@dataclass(frozen=True, slots=True)
class _ClosedDay:
    """What actors (by number) gave on a day."""

    day: int
    actors: Ints
    given: Ints


class Actors:
    """The actors of a partition. ``day``: that of the snapshot, -1 before the first.

    ``first``: the first day of the instance, as far as it is known.
    """

    def __init__(self, model: Model) -> None:
        self.day = -1
        self.first = _UNSEEN
        self._model = model
        self._count = 0
        self._slots: Numbers = np.zeros(_SMALLEST, np.int32)
        self._hashes: Hashes = np.zeros(0, np.uint64)
        self._tier: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._seen: Numbers = np.zeros(0, np.int32)
        self._given: Numbers = np.zeros(0, np.int32)
        self._today: Numbers = np.zeros((len(KINDS), 0), np.int32)
        self._before: npt.NDArray[np.int8] = np.zeros(0, np.int8)
        self._changed: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._closed: deque[_ClosedDay] = deque()
        self._told_to = -1
        """The newest closed day that a snapshot holds."""
        self._whole = -1
        """Number of the last snapshot that held everything; -1: none."""
        self._written = 0
        """Rows in snapshots since, without that one."""

    def __len__(self) -> int:
        """How many actors there are."""
        return self._count

    def known(self, kind: int, engagers: Hashes, gives: npt.NDArray[np.bool_]) -> Known:
        """What decides on a fetch of ``kind`` (index in KINDS): its actors, and who of them gives.

        The arrays are this object's own, so that what is given today is counted here.
        """
        return self._known(kind, self._find(engagers, gives))

    def _known(self, kind: int, numbers: Numbers) -> Known:
        model = self._model
        return Known(
            numbers,
            self._before,
            self._given,
            self._today[kind],
            self._changed,
            np.array(model.sel, np.int64),
            model.kind_weights[kind] * model.class_array,
        )

    def turn(self, day: int, first: int, tiers: Mapping[int, int], *, whole: bool) -> None:
        """Begin ``day``, which is later than the one before: what was given today is closed.

        ``first``: first day of the instance, as its partition of ``standing`` has it. ``tiers``:
        hash of an account → tier at the midnight before ``day`` where it changed; ``whole``: of
        all that are not 0.
        """
        if day <= self.day:
            raise ValueError(f"day {day} cannot follow day {self.day}")
        self._close_today()
        if whole:
            self._changed[self._tier > 0] = 1
            self._tier[:] = 0
        if tiers:
            hashes = np.fromiter(tiers, np.uint64, len(tiers))
            numbers = self._find(hashes, np.ones(len(tiers), np.bool_))
            self._tier[numbers] = np.fromiter(tiers.values(), np.uint8, len(tiers))
            self._changed[numbers] = 1
        self.day, self.first = day, min(self.first, first)
        while self._closed and self._closed[0].day < day - CLOSED_DAYS:
            old = self._closed.popleft()
            self._given[old.actors] -= old.given.astype(np.int32)
        self._set_before(slice(None))

    def _close_today(self) -> None:
        given = self._today.sum(0)
        actors = np.flatnonzero(given)
        if not len(actors):
            return
        self._seen[actors] = np.minimum(self._seen[actors], self.day)
        self._given[actors] += given[actors].astype(np.int32)
        self._closed.append(_ClosedDay(self.day, actors, given[actors]))
        self._changed[actors] = 1
        self._today[:] = 0

    def _set_before(self, which: slice) -> None:
        """The classes before selectivity that follow from the snapshot."""
        model, tiers = self._model, self._tier[which]
        before = (model.ordinary_class + tiers).astype(np.int8)
        if (self.day - self.first) * _DAY_H >= model.epoch_h + model.fresh_h:
            age_h = (self.day - self._seen[which].astype(np.int64)) * _DAY_H
            before[(tiers == 0) & (age_h < model.fresh_h)] = FRESH
        self._before[which] = before

    def _find(self, hashes: Hashes, gives: npt.NDArray[np.bool_]) -> Numbers:
        before = self._count
        self._reserve(before + len(hashes))
        numbers = np.empty(len(hashes), np.int32)
        self._count = number_actors(
            self._slots, self._hashes, before, np.ascontiguousarray(hashes), gives, numbers
        )
        if self._count > before:
            self._set_before(slice(before, self._count))
        return numbers

    def _reserve(self, actors: int) -> None:
        if actors > len(self._hashes):
            self._hashes = grown(self._hashes, actors)
            self._tier = grown(self._tier, actors)
            self._seen = grown(self._seen, actors, _UNSEEN)
            self._given = grown(self._given, actors)
            self._today = grown(self._today, actors)
            self._before = grown(self._before, actors)
            self._changed = grown(self._changed, actors)
        if 2 * actors > len(self._slots):
            self._slots = np.zeros(1 << (2 * actors).bit_length(), np.int32)
            index_actors(self._slots, self._hashes, self._count)

    def snapshot(self, number: int, *, whole: bool = False) -> dict[str, Any]:
        """What changed since the last one, or everything where the parts have become many.

        ``number``: ascends by one, or ``whole`` is set. It shares nothing with this object.
        """
        whole = whole or self._whole < 0 or self._written > _CROWD * (self._count + _FEW)
        changed = np.arange(self._count) if whole else np.flatnonzero(self._changed[: self._count])
        self._changed[changed] = 0
        days = [d for d in self._closed if whole or d.day > self._told_to]
        if whole:
            self._whole, self._written = number, 0
        else:
            self._written += _SNAPSHOT + len(changed) + sum(len(d.actors) for d in days)
        if self._closed:
            self._told_to = self._closed[-1].day
        return {
            "number": number,
            "whole": self._whole,
            "written": self._written,
            "day": self.day,
            "first": self.first,
            "actors": pack(changed),
            "hashes": self._hashes[changed].astype("<u8").tobytes(),
            "tier": pack(self._tier[changed]),
            "seen": pack(self._seen[changed]),
            "today": [pack(self._today[kind][changed]) for kind in range(len(KINDS))],
            "days": [[d.day, pack(d.actors), pack(d.given)] for d in days],
        }

    @property
    def oldest_needed(self) -> int:
        """Number of the snapshot from which on all are needed; -1 before the first."""
        return self._whole

    @classmethod
    def restore(cls, snapshots: Sequence[Mapping[str, Any]], model: Model) -> "Actors":
        """The actors as they were at the last of consecutive snapshots, which hold what it needs.

        Older ones among them count for nothing.
        """
        self, last = cls(model), snapshots[-1]
        for held in (s for s in snapshots if s["number"] >= last["whole"]):
            self._take(held)
        self.day, self.first = last["day"], last["first"]
        self._whole, self._written = last["whole"], last["written"]
        while self._closed and self._closed[0].day < self.day - CLOSED_DAYS:
            self._closed.popleft()
        for day in self._closed:
            self._given[day.actors] += day.given.astype(np.int32)
        self._told_to = self._closed[-1].day if self._closed else -1
        self._slots = np.zeros(1 << max(2 * self._count, _SMALLEST).bit_length(), np.int32)
        index_actors(self._slots, self._hashes, self._count)
        self._set_before(slice(self._count))
        return self

    def _take(self, held: Mapping[str, Any]) -> None:
        actors = unpack(held["actors"])
        self._reserve(int(actors.max(initial=-1)) + 1)
        self._count = max(self._count, int(actors.max(initial=-1)) + 1)
        self._hashes[actors] = np.frombuffer(held["hashes"], "<u8")
        self._tier[actors] = unpack(held["tier"])
        self._seen[actors] = unpack(held["seen"])
        for kind, today in enumerate(held["today"]):
            self._today[kind][actors] = unpack(today)
        self._closed += [_ClosedDay(d, unpack(who), unpack(how)) for d, who, how in held["days"]]
