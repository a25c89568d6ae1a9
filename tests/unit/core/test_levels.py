"""A state goes on with the other setting of exact engagers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from schemas.hashing import hash64
from streams.core.score import ScorePartition
from streams.core.windows import NAMED
from tests.support.cells import columns_of
from tests.support.weighed import HOUR, MODEL, Row, frame

HOT = "twitter:zoe"

ROWS = [Row(actor=f"actor {i}", hour=1000 + i % 5) for i in range(4 * NAMED)]


def partition(*, exact: bool) -> ScorePartition:
    return ScorePartition(0, MODEL, once=True, exact_engagers=exact)


def restored(state: ScorePartition, *, exact: bool) -> ScorePartition:
    return ScorePartition.restore([state.snapshot(0)], MODEL, once=True, exact_engagers=exact)


def told(state: ScorePartition, rows: Sequence[Row]) -> tuple[int, int]:
    """Level and engagers of the account after some more rows of it."""
    (first,) = {*state.applied.values()} or {-1}
    more = [replace(row, offset=first + 1 + place) for place, row in enumerate(rows)]
    state.apply(frame(more), state.position + 1, 0.0)
    (update,) = state.updates(0.0, everything=True)
    assert update.interactions[-1] == state.rows
    return update.level, update.engagers[-1]


def sampled(level: int, rows: int) -> tuple[int, int]:
    """The level, and what the engagers of so many rows come to at it."""
    named = sum(hash64(row.actor) < 1 << (64 - level) for row in ROWS[:rows])
    return level, named << level


@pytest.mark.parametrize("exact", [True, False])
def test_up_to_the_limit_every_engager_counts(exact: bool) -> None:
    assert told(partition(exact=exact), ROWS[:NAMED]) == (0, NAMED)


def test_a_sampled_account_stays_at_its_level_when_all_are_to_be_counted() -> None:
    state = partition(exact=False)
    assert told(state, ROWS[: NAMED + 1000]) == sampled(1, NAMED + 1000)
    state = restored(state, exact=True)
    assert told(state, ROWS[NAMED + 1000 :]) == sampled(1, 4 * NAMED)
    assert sampled(1, 4 * NAMED)[1] > 2 * NAMED


@pytest.mark.parametrize(("exact", "level"), [(False, 2), (True, 0)])
def test_a_rebuilt_account_goes_on_with_the_level_of_its_last_update(
    exact: bool, level: int
) -> None:
    state, rows = partition(exact=exact), columns_of(ROWS[:100])
    state.recall_accounts([HOT, "twitter:nothing-left"])
    state.recall_rows(
        [HOT] * 100,
        rows.networks,
        rows.engagers,
        rows.hours,
        rows.classes,
        rows.kinds,
        rows.weights,
        rows.undo,
    )
    sums = np.zeros((15, 2), np.int64)
    state.recall_published([HOT, "twitter:nothing-left"], np.array([2, 5]), sums[0] + 9000, sums)
    state.resume(1005 * HOUR, {}, np.arange(1))
    update = next(u for u in state.updates(0.0, everything=True) if u.profile == HOT)
    assert (update.level, update.engagers[-1]) == sampled(level, 100)
    assert update.interactions[-1] == 100
    assert state._windows.cells.level[1] == 0


def test_an_exact_account_is_sampled_as_it_grows() -> None:
    state = partition(exact=True)
    assert told(state, ROWS[: 3 * NAMED]) == (0, 3 * NAMED)
    state = restored(state, exact=False)
    assert told(state, ROWS[:10]) == (0, 3 * NAMED), "nobody new"
    level, engagers = told(state, ROWS[3 * NAMED : 3 * NAMED + 1])
    assert (level, engagers) == sampled(level, 3 * NAMED + 1)
    assert engagers >> level <= NAMED < sampled(level - 1, 3 * NAMED + 1)[1] >> (level - 1)
