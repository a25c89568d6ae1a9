"""Laws of the windows: they equal a count of all rows, whatever the order, batches and hours."""

from hypothesis import given
from hypothesis import strategies as st

from streams.kernels.score_arrays import ALIVE, ENTRIES, PAIRS
from tests.support.cells import NamedWindows, first_hours, newest_hours
from tests.support.histories import NOW, batches, histories, hours
from tests.support.weighed import Row, counted, live


def played(parts: list[list[Row]], clock: list[int]) -> NamedWindows:
    """Windows after the batches, with an hour of the clock before each of the first ones."""
    windows = NamedWindows()
    for number, part in enumerate(parts):
        if number < len(clock):
            windows.advance(clock[number])
        windows.apply(part)
    return windows


clocks = st.lists(hours().map(lambda hour: min(hour, NOW)), max_size=6).map(sorted)


@given(histories().flatmap(batches), clocks, st.integers(0, 3))
def test_windows_equal_a_count_of_all_rows_at_any_hour(
    parts: list[list[Row]], clock: list[int], later: int
) -> None:
    windows = played(parts, clock)
    rows = [row for part in parts for row in part]
    for now in (NOW, NOW + later, NOW + 6, NOW + 27, NOW + 700, NOW + 2160, NOW + 9999):
        windows.advance(now)
        assert windows.held() == counted(rows, now)
        assert windows.newest() == newest_hours(live(rows), now)
        assert windows.known_since() == first_hours(live(rows), now)


@given(histories().flatmap(batches), clocks, st.integers(1, 30))
def test_at_the_very_beginning_of_an_hour_nothing_of_it_counts_yet(
    parts: list[list[Row]], clock: list[int], later: int
) -> None:
    windows, rows = played(parts, clock), [row for part in parts for row in part]
    hour = max([*clock, NOW - 30]) + later
    windows.windows.advance(hour, entering=False)
    assert windows.held() == counted([row for row in rows if row.hour < hour], hour)
    windows.windows.enter()
    assert windows.held() == counted(rows, hour)
    assert windows.newest() == newest_hours(live(rows), hour)


@given(histories(), st.data())
def test_order_and_batches_do_not_matter(history: list[Row], data: st.DataObject) -> None:
    rows = live(history)
    shuffled = data.draw(st.permutations(rows).flatmap(batches))
    one, other = played([history], [NOW]), played(shuffled, data.draw(clocks))
    other.advance(NOW)
    assert one.held() == other.held()
    assert one.newest() == other.newest()
    assert one.known_since() == other.known_since()


@given(histories().flatmap(batches), clocks)
def test_add_and_undo_leave_nothing(parts: list[list[Row]], clock: list[int]) -> None:
    windows = played(parts, clock)
    left = live(row for part in parts for row in part)
    windows.apply([row.undone for row in left])
    for now in (NOW, NOW + 30):
        assert windows.held() == {}
        assert windows.newest() == {}
        windows.advance(now)
    windows.advance(NOW + 9999)
    assert windows.windows.arrays.counters[ALIVE + PAIRS] == 0
    assert windows.windows.arrays.counters[ALIVE + ENTRIES] == 0


@given(histories().flatmap(batches), clocks, st.integers(0, 8))
def test_a_restored_copy_goes_on_alike(parts: list[list[Row]], clock: list[int], cut: int) -> None:
    windows = played(parts[:cut], clock)
    copy = windows.restored()
    for part in [[], *parts[cut:]]:
        windows.apply(part)
        copy.apply(part)
        assert copy.held() == windows.held()
        assert copy.newest() == windows.newest()
    for now in (NOW, NOW + 6, NOW + 800):
        windows.advance(now)
        copy.advance(now)
        assert copy.held() == windows.held()
        assert copy.newest() == windows.newest()
        assert copy.known_since() == windows.known_since()
