"""Laws of a target partition: frames of several sources, interleaved, re-sent, with restarts."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import Frame
from schemas.kinds import POST
from schemas.score import ScoreUpdate
from streams.core.score import Applied, ScorePartition
from tests.support.cells import NamedWindows
from tests.support.histories import NOW, histories
from tests.support.oracle import load_oracle
from tests.support.weighed import (
    HOUR,
    MODEL,
    Row,
    counted,
    frame,
    live,
    numbered,
    plain_score,
    source_of,
)

SOURCES = (-1, 0, 1, 2)


def split(rows: list[Row], source: int, cuts: set[int]) -> list[Frame]:
    """A source's rows as frames cut at the given offsets, and a last one that says ``NOW``."""
    mine = [r for r in rows if r.source == source]
    end = len(mine)
    bounds = [0, *sorted(c for c in cuts if 0 < c < end), end] if end else []
    frames, clock = [], 0
    for first, stop in pairwise(bounds):
        clock = max(clock, *(min(r.hour, NOW) * HOUR for r in mine[first:stop]))
        frames.append(frame(mine[first:stop], clock=clock))
    return [*frames, frame([], source=source, first=end, clock=NOW * HOUR)]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Row], list[Frame]]:
    """A history and a log of it: frames cut and interleaved anyhow, some sent again."""
    rows = numbered(draw(histories()))
    queues = []
    for source in SOURCES:
        frames = split(rows, source, draw(st.sets(st.integers(1, 20), max_size=4)))
        other = split(rows, source, draw(st.sets(st.integers(1, 20), max_size=4)))
        again = draw(st.integers(0, len(frames)))
        # the owner of the source died after ``again`` frames, and the next one began anew
        queues.append([*frames[:again], *(other if again < len(frames) else [])])
    turns = draw(st.permutations([s for s, queue in enumerate(queues) for _ in queue]))
    return rows, [queues[source].pop(0) for source in turns]


def through_bytes(state: ScorePartition) -> ScorePartition:
    data = msgspec.msgpack.encode(state.snapshot(0))
    return ScorePartition.restore([msgspec.msgpack.decode(data)], MODEL, once=True)


def newest(updates: list[ScoreUpdate]) -> dict[str, ScoreUpdate]:
    return {update.profile: update for update in updates}


def totals(rows: list[Row], profile: str, now: int) -> tuple[tuple[int, ...], ...]:
    """Weights, interactions and engagers of an account, summed over its networks."""
    cells = [c for (target, _), c in counted(rows, now).items() if target == profile]
    numbers = [(c.weights, c.interactions, c.distinct[0]) for c in cells]
    return tuple(
        tuple(sum(n[which][j] for n in numbers) for j in range(len(MODEL.horizons_h)))
        for which in range(3)
    )


@given(logs(), st.booleans())
def test_every_update_describes_all_rows_up_to_its_position(
    log: tuple[list[Row], list[Frame]], everything: bool
) -> None:
    rows, frames = log
    state = ScorePartition(0, MODEL, once=True)
    sequence = 0
    for offset, one in enumerate(frames):
        assert state.apply(one, offset, offset) is not Applied.HOLE
        seen = [r for r in rows if r.offset <= state.applied.get(source_key(r.source), -1)]
        hour = state.clock // HOUR
        for update in state.updates(offset, everything=everything):
            sequence += 1
            assert (update.position, update.clock, update.sequence) == (
                offset,
                state.clock,
                sequence,
            )
            assert update.score == plain_score(seen, update.profile, hour)
            numbers = (update.weights, update.interactions, update.engagers)
            assert numbers == totals(seen, update.profile, hour)


def source_key(number: int) -> tuple[str, int]:
    topic, partition = source_of(number)
    return topic.value, partition


@given(logs())
def test_in_the_end_every_account_has_its_score(log: tuple[list[Row], list[Frame]]) -> None:
    rows, frames = log
    state = ScorePartition(0, MODEL, once=True)
    updates: list[ScoreUpdate] = []
    for offset, one in enumerate(frames):
        state.apply(one, offset, offset / 7)
        updates += state.updates(offset / 7)
    updates += state.updates(len(frames), everything=True)
    known = {r.target for r in rows if (r.hour <= NOW or r.undo) and r.kind != POST}
    last = newest(updates)
    assert last.keys() == known
    for profile in known:
        assert last[profile].score == plain_score(rows, profile, NOW)
    assert list(state.updates(1e9, everything=True)) == []
    assert state.rows == len(rows)
    changes = {p: 1000 + sum(u.change for u in updates if u.profile == p) for p in known}
    assert changes == {p: last[p].score for p in known}


@given(logs(), st.integers(0, 30))
def test_a_restart_anywhere_publishes_the_same(
    log: tuple[list[Row], list[Frame]], cut: int
) -> None:
    _, frames = log
    state = ScorePartition(0, MODEL, once=True, emit_seconds=0)
    again = state
    for offset, one in enumerate(frames):
        if offset == cut:
            again = through_bytes(state)
        assert (
            again.apply(one, offset, offset) is state.apply(one, offset, offset) or again is state
        )
        if again is not state:
            assert list(again.updates(offset)) == list(state.updates(offset))
        elif offset % 2:
            list(state.updates(offset))
    here, there = NamedWindows(state._windows), NamedWindows(again._windows)
    assert here.held() == there.held()
    assert here.newest() == there.newest()
    assert here.known_since() == there.known_since()


@pytest.fixture(scope="module")
def oracle(test_data: Path) -> Any:
    return load_oracle(test_data)


@given(history=histories())
def test_equals_the_reference_from_rows_to_score(oracle: Any, history: list[Row]) -> None:
    rows = numbered(history)
    state = ScorePartition(0, MODEL, once=True)
    for offset, one in enumerate(f for s in SOURCES for f in split(rows, s, set())):
        state.apply(one, offset, 0)
    scores = {u.profile: u.score for u in state.updates(0, everything=True)}
    left = live(rows)
    if not left:
        return
    targets = sorted({r.target for r in left})
    actors = sorted({r.actor for r in left})
    # the reference knows no amounts: repeat the row, which changes neither W nor D
    columns = np.array(
        [
            (
                r.network,
                len(targets) + actors.index(r.actor),
                targets.index(r.target),
                r.hour,
                r.kind,
                r.cls,
            )
            for r in left
            if r.kind != POST
            for _ in range(r.amount)
        ],
        np.int64,
    ).reshape(-1, 6)
    own = [(r.network, targets.index(r.target), r.hour) for r in left if r.kind == POST]
    posts = np.array(own, np.int64).reshape(-1, 3).T
    everybody = len(targets) + len(actors)
    expected = oracle.score_events(*columns.T, NOW, everybody, 15, posts=posts)
    assert {t: scores.get(t, 1000) for t in targets} == dict(
        zip(targets, expected.tolist(), strict=False)
    )
