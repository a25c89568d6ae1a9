"""Actors in arrays and kernels equal those of a dictionary, also after snapshots and restarts."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.model import load_model
from streams.core.actors import Actors
from streams.core.days import HOURS
from streams.kernels.classes import class_now

MODEL = msgspec.structs.replace(load_model(2), sel=(2, 4), fresh_h=48)
HASHES = [1, 65, 129, 1 << 63, (1 << 63) + 64, 7]  # some of them share a first slot


@dataclass
class Plain:
    """The twin: what is known of actors, one by one."""

    day: int = -1
    first: int = 1 << 40
    tier: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    given: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    today: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[int, int] = field(default_factory=dict)

    def give(self, kind: int, actor: int) -> int:
        before = sum(self.given[actor, day] for day in range(self.day - 30, self.day))
        before += self.today[kind, actor]
        self.today[kind, actor] += 1
        young = (self.day - self.seen.get(actor, self.day)) * HOURS < MODEL.fresh_h
        if young and not self.tier[actor] and (self.day - self.first) * HOURS >= MODEL.fresh_h:
            return 0
        return MODEL.ordinary_class + self.tier[actor] - sum(before >= step for step in MODEL.sel)

    def turn(self, day: int, first: int, tiers: dict[int, int], *, whole: bool) -> None:
        for (_, actor), count in self.today.items():
            if count:
                self.given[actor, self.day] += count
                self.seen.setdefault(actor, self.day)
        self.today.clear()
        if whole:
            self.tier.clear()
        self.tier |= tiers
        self.day, self.first = day, min(self.first, first)


actors = st.sampled_from(HASHES)
gifts = st.tuples(
    st.just("give"),
    st.tuples(st.integers(0, 4), st.lists(st.tuples(actors, st.booleans()), max_size=8)),
)
turns = st.tuples(
    st.just("turn"),
    st.tuples(
        st.sampled_from([1, 1, 1, 2, 3, 29, 40]),
        st.dictionaries(actors, st.integers(0, 3)),
        st.booleans(),
    ),
)
keeps = st.tuples(st.just("keep"), st.booleans())


def give(known: Actors, plain: Plain, kind: int, given: list[tuple[int, bool]]) -> None:
    engagers = np.array([actor for actor, _ in given], np.uint64)
    gives = np.array([gives for _, gives in given], np.bool_)
    found = known.known(kind, engagers, gives)
    assert [actor >= 0 for actor in found.actor.tolist()] == gives.tolist()
    for place, (actor, counts) in enumerate(given):
        if counts:
            assert class_now(found, place) == plain.give(kind, actor)
    weights = [MODEL.kind_weights[kind] * weight for weight in MODEL.class_weights]
    assert found.weights.tolist() == weights


@given(st.lists(st.one_of(gifts, gifts, turns, keeps), max_size=40))
def test_actors_equal_their_twin(steps: list[tuple[str, Any]]) -> None:
    known, plain = Actors(MODEL), Plain()
    kept: list[dict[str, Any]] = []
    known.turn(100, 99, {}, whole=True)
    plain.turn(100, 99, {}, whole=True)
    for what, step in steps:
        if what == "give":
            give(known, plain, *step)
        elif what == "turn":
            later, tiers, whole = step
            day = plain.day + later
            known.turn(day, 99, tiers, whole=whole)
            plain.turn(day, 99, tiers, whole=whole)
        else:
            snapshot = known.snapshot(len(kept), whole=step)
            kept.append(msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot)))
            known = Actors.restore(kept[known.oldest_needed :], MODEL)
    assert len(known) <= len(HASHES)
