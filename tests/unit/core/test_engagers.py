"""Distinct engagers, worked out by hand."""

from dataclasses import replace

import pytest

from schemas.hashing import hash64
from streams.kernels.score_arrays import ALIVE, CROWDS, PAIRS, TOP
from tests.support.cells import NamedWindows, new_windows
from tests.support.weighed import Row, counted

ZOE = ("twitter:zoe", 0)


def at(now: int) -> NamedWindows:
    windows = NamedWindows()
    windows.advance(now)
    return windows


def distinct(windows: NamedWindows, horizon: int = 0) -> list[int]:
    """Engagers with a best class of at least 0, 1 .. 6."""
    cell = windows.held().get(ZOE)
    return [by_horizon[horizon] for by_horizon in cell.distinct] if cell else [0] * 7


def test_an_engager_counts_once_with_the_best_class() -> None:
    windows = at(1000)
    windows.apply([Row(cls=3), Row(cls=5), Row(cls=1), Row(actor="ben", cls=0)])
    assert distinct(windows) == [2, 1, 1, 1, 1, 1, 0]


def test_engagers_are_counted_per_network() -> None:
    windows = at(1000)
    windows.apply([Row(), Row(network=5)])
    assert windows.held()[ZOE].distinct[3] == (1,) * 5
    assert windows.held()["twitter:zoe", 5].distinct[3] == (1,) * 5


def test_repeats_in_one_batch_and_in_the_next_count_once() -> None:
    windows = at(1000)
    windows.apply([Row()] * 3)
    windows.apply([Row()] * 2)
    assert distinct(windows) == [1, 1, 1, 1, 0, 0, 0]


def test_the_best_class_of_a_horizon_leaves_with_its_hour() -> None:
    windows = at(1000)
    windows.apply([Row(cls=6, hour=994), Row(cls=2, hour=1000)])
    assert distinct(windows) == [1, 1, 1, 1, 1, 1, 1]
    windows.advance(1001)
    assert distinct(windows) == [1, 1, 1, 0, 0, 0, 0]
    assert distinct(windows, 1) == [1, 1, 1, 1, 1, 1, 1]
    windows.advance(1007)
    assert distinct(windows) == [0] * 7


def test_a_late_interaction_joins_the_horizons_of_its_own_hour() -> None:
    windows = at(1000)
    windows.apply([Row(cls=2, hour=1000)])
    windows.apply([Row(cls=4, hour=980)])
    assert distinct(windows, 0) == [1, 1, 1, 0, 0, 0, 0]
    assert distinct(windows, 1) == [1, 1, 1, 1, 1, 0, 0]


def test_undo_of_one_of_two_in_the_same_hour_changes_nothing() -> None:
    windows = at(1000)
    windows.apply([Row(), Row()])
    windows.apply([Row(undo=True)])
    assert distinct(windows) == [1, 1, 1, 1, 0, 0, 0]


def test_undo_of_the_best_class_leaves_the_second_best() -> None:
    windows = at(1000)
    windows.apply([Row(cls=5), Row(cls=3, hour=999)])
    windows.apply([Row(cls=5, undo=True)])
    assert distinct(windows) == [1, 1, 1, 1, 0, 0, 0]
    # and the hour of what is left is the older one
    windows.advance(1006)
    assert distinct(windows) == [0] * 7
    assert distinct(windows, 1) == [1, 1, 1, 1, 0, 0, 0]


def test_undo_falls_back_over_many_hours_and_classes() -> None:
    windows = at(3000)
    rows = [Row(hour=3000, cls=1), Row(hour=2990, cls=6), Row(hour=2000, cls=4), Row(hour=1000)]
    windows.apply(rows)
    assert [distinct(windows, j) for j in range(5)] == [
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ]
    windows.apply([rows[1].undone])
    assert [distinct(windows, j) for j in range(5)] == [
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 0, 0],
    ]
    windows.apply([rows[0].undone, rows[2].undone])
    assert [distinct(windows, j)[0] for j in range(5)] == [0, 0, 0, 0, 1]
    windows.apply([rows[3].undone])
    assert windows.held() == {}


def test_added_and_undone_in_one_batch_is_nothing() -> None:
    windows = at(1000)
    windows.apply([Row(), Row(undo=True), Row(actor="ben")])
    assert distinct(windows) == [1, 1, 1, 1, 0, 0, 0]


def sampled(rows: list[Row], level: int) -> tuple[int, ...]:
    """Engagers whose hash has so many leading zero bits, scaled."""
    named = {row.actor for row in rows if hash64(row.actor) >> (64 - level) == 0}
    return (len(named),) * 5


def test_above_the_limit_a_sample_of_the_engagers_is_named_and_sums_stay_exact() -> None:
    rows = [Row(actor=f"actor {i}", hour=1000 - i % 3, cls=0) for i in range(3000)]
    windows, other = NamedWindows(new_windows(named=256)), NamedWindows(new_windows(named=256))
    for one in (windows, other):
        one.advance(1000)
    windows.apply(rows)
    for start in range(0, 3000, 100):
        other.apply(rows[start : start + 100][::-1])
    assert windows.held() == other.held()
    level = int(windows.windows.cells.level[0])
    cell = windows.held()[ZOE]
    assert level == int(other.windows.cells.level[0]) >= 4
    assert cell.interactions == (3000,) * 5
    assert cell.distinct[0] == sampled(rows, level)
    assert 128 < cell.distinct[0][0] << level < 6000
    windows.apply([row.undone for row in rows[:2000]])
    cell = windows.held()[ZOE]
    assert cell.interactions == (1000,) * 5
    assert cell.distinct[0] == sampled(rows[2000:], level)
    copy = windows.restored()
    assert copy.held() == windows.held()
    for one in (windows, copy):
        one.apply([Row(actor="somebody else", cls=0, hour=1000)])
        one.advance(1007)
        assert one.held()[ZOE].interactions == (0, 1001, 1001, 1001, 1001)
        one.advance(4000)
        assert one.held() == {}
        assert one.windows.arrays.counters[ALIVE + PAIRS] == 0


def test_up_to_the_limit_every_engager_is_named() -> None:
    windows = NamedWindows(new_windows(named=256))
    windows.advance(1000)
    windows.apply([Row(actor=f"actor {i}", cls=0) for i in range(256)])
    assert windows.held()[ZOE].distinct[0] == (256,) * 5
    assert windows.windows.cells.level[0] == 0


def test_an_exact_state_is_sampled_once_engagers_come_to_a_worker_that_samples() -> None:
    exact = at(1000)
    rows = [Row(actor=f"actor {i}", hour=1000, cls=0) for i in range(1000)]
    exact.apply(rows)
    sampling = NamedWindows(new_windows(named=256))
    sampling.windows.load([exact.windows.snapshot(0)])
    assert sampling.held() == exact.held()
    rows.append(Row(actor="one more", hour=1000, cls=0))
    sampling.apply(rows[-1:])
    level = int(sampling.windows.cells.level[0])
    assert level >= 2
    named = sampling.held()[ZOE].distinct[0]
    assert named == sampled(rows, level)
    assert named[0] <= 256
    assert sampling.held()[ZOE].interactions == (1001,) * 5


def crowd(number: int) -> list[Row]:
    """One like each of so many actors."""
    return [Row(actor=f"actor-{i}", hour=1000) for i in range(number)]


@pytest.mark.parametrize("number", [254, 255, 256, 700])
def test_more_engagers_than_a_narrow_count_holds(number: int) -> None:
    windows = NamedWindows()
    windows.advance(1000)
    rows = crowd(number)
    for row in rows[:-2]:
        windows.apply([row])
    windows.apply(rows[-2:])
    assert windows.held() == counted(rows, 1000)
    better = [Row(actor=f"actor-{i}", cls=5, hour=1000) for i in range(0, number, 2)]
    gone = [row.undone for row in rows[::3]]
    windows.apply(better + gone)
    rows += better + gone
    for now in (1000, 1007, 1030, 1200, 2000, 3000, 3161, 4000):
        windows.advance(now)
        assert windows.held() == counted(rows, now), now


def test_a_crowd_in_one_batch_and_as_its_hour_is_reached() -> None:
    windows = NamedWindows()
    windows.advance(999)
    ahead = crowd(300)
    here = [Row(actor=f"actor-{i}", target="twitter:yan", hour=999) for i in range(600)]
    windows.apply(ahead + here)
    assert windows.held() == counted(ahead + here, 999)
    windows.advance(1000)
    assert windows.held() == counted(ahead + here, 1000)


def test_crowds_survive_a_restart_and_their_rows_are_used_again() -> None:
    windows = NamedWindows()
    windows.advance(1000)
    rows = [replace(row, target=f"twitter:t{i}") for i in range(4) for row in crowd(260)]
    windows.apply(rows)
    again = windows.restored()
    assert again.held() == windows.held() == counted(rows, 1000)
    counters = windows.windows.arrays.counters
    assert counters[TOP + CROWDS] == 4
    windows.advance(4000)
    assert windows.held() == {}
    windows.windows.free(windows.windows.empty())
    assert counters[ALIVE + CROWDS] == 0
    later = [replace(row, hour=4000, target="twitter:new") for row in crowd(300)]
    windows.apply(later)
    assert windows.held() == counted(later, 4000)
    assert counters[TOP + CROWDS] == 4, "no row was taken from behind the others"


def test_more_interactions_than_a_narrow_count_holds() -> None:
    windows = NamedWindows()
    windows.advance(1000)
    windows.apply([Row(hour=1000)])
    cells = windows.windows.cells
    cells.interactions[0] = (1 << 30) - 1, (1 << 30) - 2, 5, 1, 1
    windows.apply([Row(hour=1000, actor="ben")])
    assert windows.held()[ZOE].interactions == (1 << 30, (1 << 30) - 1, 6, 2, 2)
    assert cells.crowd[0] == 0
    windows.advance(1007)
    assert windows.held()[ZOE].interactions == ((1 << 30) - 2, (1 << 30) - 1, 6, 2, 2)
    assert windows.held()[ZOE].distinct[0] == (0, 2, 2, 2, 2)
