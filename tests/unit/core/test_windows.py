"""Windows of an account, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from streams.kernels.score_arrays import ALIVE, CELLS, ENTRIES, PAIRS, TOP
from tests.support.cells import NamedWindows, columns_of, sums_by_kind
from tests.support.weighed import Row

ZOE = ("twitter:zoe", 0)
RETWEET = 3 * 512


def at(now: int) -> NamedWindows:
    windows = NamedWindows()
    windows.advance(now)
    return windows


def weights(windows: NamedWindows) -> list[int]:
    cell = windows.held().get(ZOE)
    return list(cell.weights) if cell else [0] * 5


def test_an_interaction_now_is_in_every_horizon() -> None:
    windows = at(1000)
    windows.apply([Row(hour=1000)])
    assert weights(windows) == [RETWEET] * 5
    assert windows.held()[ZOE].interactions == (1,) * 5


@pytest.mark.parametrize(
    ("age", "horizons"),
    [
        (6, 5),
        (7, 4),
        (24, 4),
        (25, 3),
        (168, 3),
        (169, 2),
        (720, 2),
        (721, 1),
        (2160, 1),
        (2161, 0),
    ],
)
def test_a_horizon_holds_its_hours_and_the_current_one(age: int, horizons: int) -> None:
    expected = [0] * (5 - horizons) + [RETWEET] * horizons
    late = at(5000)
    late.apply([Row(hour=5000 - age)])
    assert weights(late) == expected
    aged = at(5000 - age)
    aged.apply([Row(hour=5000 - age)])
    for hour in range(5000 - age, 5001, 50):
        aged.advance(hour)
    aged.advance(5000)
    assert weights(aged) == expected


def test_what_is_ahead_waits_until_its_hour() -> None:
    windows = at(1000)
    windows.apply([Row(hour=1002), Row(hour=1000, actor="ben")])
    assert windows.held()[ZOE].interactions == (1,) * 5
    assert windows.newest() == {ZOE: 1000}
    moved = windows.advance(1002)
    assert moved.entered.tolist() == [0]
    assert windows.held()[ZOE].interactions == (2,) * 5
    assert windows.newest() == {ZOE: 1002}


def test_what_was_undone_ahead_never_counts() -> None:
    windows = at(1000)
    row = Row(hour=1002)
    windows.apply([row])
    windows.apply([row.undone])
    windows.advance(1010)
    assert windows.held() == {}
    assert windows.newest() == {}


def test_time_says_whom_it_changed() -> None:
    windows = at(1000)
    windows.apply([Row(hour=1000), Row(hour=1000, target="twitter:yan")])
    assert windows.advance(1006).left.tolist() == []
    assert windows.advance(1007).left.tolist() == [0, 1]


def test_the_hour_never_goes_back() -> None:
    windows = at(1000)
    windows.apply([Row(hour=1000)])
    before = windows.held()
    assert not len(windows.advance(900).left)
    assert windows.windows.now == 1000
    assert windows.held() == before


def test_a_jump_of_years_leaves_nothing_and_is_quick() -> None:
    windows = at(0)
    windows.apply([Row(hour=h, actor=f"actor {h}") for h in range(0, 3000, 3)])
    windows.advance(2999)
    assert windows.held()[ZOE].interactions == (2, 8, 56, 240, 720)
    moved = windows.advance(200_000)
    assert windows.held() == {}
    assert moved.left.tolist() == [0]
    windows.apply([Row(hour=200_000)])
    assert weights(windows) == [RETWEET] * 5


def test_kinds_are_counted_apart() -> None:
    windows = at(1000)
    windows.apply([Row(kind=0), Row(kind=4), Row(kind=4, actor="ben")])
    kinds = [[512, 1], [0, 0], [0, 0], [0, 0], [2 * 6 * 512, 2], [0, 0]]
    assert sums_by_kind(windows.windows, 0) == [kinds] * 5


def test_amount_multiplies_weight_only() -> None:
    windows = at(1000)
    windows.apply([Row(amount=7)])
    assert weights(windows) == [7 * RETWEET] * 5
    assert windows.held()[ZOE].interactions == (1,) * 5
    assert windows.held()[ZOE].distinct[0] == (1,) * 5


def test_undo_takes_back_exactly_what_was_added() -> None:
    windows = at(1000)
    row, other = Row(hour=990, amount=5), Row(hour=990, amount=2)
    windows.apply([row, other])
    windows.apply([row.undone])
    assert weights(windows) == [0, *[2 * RETWEET] * 4]
    assert windows.newest() == {ZOE: 990}
    windows.apply([other.undone])
    assert windows.held() == {}
    assert windows.newest() == {}


def test_undo_of_the_newest_falls_back_to_the_one_before() -> None:
    windows = at(1000)
    rows = [Row(hour=1000), Row(hour=700, actor="ben"), Row(hour=900, actor="ben")]
    windows.apply(rows)
    assert windows.newest() == {ZOE: 1000}
    windows.apply([rows[0].undone])
    assert windows.newest() == {ZOE: 900}
    windows.apply([rows[2].undone])
    assert windows.newest() == {ZOE: 700}


def test_what_was_undone_was_never_there() -> None:
    windows = at(1000)
    row = Row(hour=800)
    windows.apply([row, Row(hour=900)])
    assert windows.known_since() == {ZOE: 800}
    windows.apply([row.undone])
    assert windows.known_since() == {ZOE: 900}


def test_the_earliest_hour_is_found_again_after_a_long_silence() -> None:
    windows = at(5000)
    windows.apply([Row(hour=5000 - 2160), Row(hour=4900), Row(hour=4950, actor="ben")])
    assert windows.known_since() == {ZOE: 5000 - 720}
    windows.advance(5001)
    assert windows.known_since() == {ZOE: 4900}


def test_older_than_the_longest_horizon_counts_nowhere() -> None:
    windows = at(5000)
    row = Row(hour=100)
    windows.apply([row, replace(row, actor="ben")])
    windows.apply([row.undone])
    assert windows.held() == {}
    assert windows.windows.empty().tolist() == [0]


def test_rows_that_have_nothing_left_are_used_again() -> None:
    windows = at(1000)
    windows.apply([Row(actor=f"actor {i}") for i in range(9000)])
    windows.apply([Row(actor="ada", hour=3200), Row(actor="ben", hour=1001)])
    windows.advance(3161)
    counters = windows.windows.arrays.counters
    assert windows.held()[ZOE].distinct[0] == (0, 0, 0, 0, 1)
    assert counters[ALIVE + PAIRS] == counters[ALIVE + ENTRIES] == 2
    windows.apply([Row(actor="ben", hour=3161), Row(actor="cid", hour=3161)])
    assert windows.held()[ZOE].distinct[0] == (2, 2, 2, 2, 2)
    assert counters[TOP + PAIRS] == 9002
    windows.advance(3200)
    assert windows.held()[ZOE].distinct[0] == (1, 1, 3, 3, 3)
    windows.advance(6000)
    assert counters[ALIVE + PAIRS] == counters[ALIVE + ENTRIES] == 0
    windows.windows.free(windows.windows.empty())
    assert windows.windows.accounts == counters[ALIVE + CELLS] == 0


@pytest.mark.parametrize(("class_", "kind"), [(7, 0), (200, 0), (0, 6)])
def test_classes_and_kinds_of_a_later_version_are_refused(class_: int, kind: int) -> None:
    later = columns_of([Row(), Row()])._replace(
        classes=np.array([0, class_], np.uint8), kinds=np.array([0, kind], np.uint8)
    )
    windows = at(1000).windows
    for take in (windows.apply, windows.recall):
        with pytest.raises(ValueError, match="unknown here"):
            take(later)
    assert not windows.accounts
