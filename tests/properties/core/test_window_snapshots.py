"""Snapshots that hold only what changed, and copies made of them and gone on with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import windows as module
from tests.support.cells import NamedWindows, new_windows
from tests.support.histories import NOW, batches, histories
from tests.support.weighed import Row


@pytest.fixture(autouse=True, scope="module")
def small() -> object:
    """Snapshots that are whole only where they must be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WHOLE", 1)
        yield


def copy_of(snapshots: list[dict[str, object]]) -> NamedWindows:
    windows = new_windows()
    windows.load(snapshots)
    return NamedWindows(windows)


@given(histories().flatmap(batches), st.lists(st.integers(0, 900), max_size=9))
def test_the_snapshots_that_are_needed_hold_everything(
    parts: list[list[Row]], steps: list[int]
) -> None:
    one, now = NamedWindows(), NOW - 2000
    kept: list[dict[str, object]] = []
    for number, part in enumerate(parts):
        now += steps[number] if number < len(steps) else 0
        one.advance(now)
        one.windows.free(one.windows.empty())
        one.apply(part)
        kept.append(one.windows.snapshot(number))
        oldest = one.windows.oldest_needed(number)
        again = copy_of(kept[oldest:])
        assert again.held() == one.held()
        assert again.newest() == one.newest()
        assert again.known_since() == one.known_since()
        if number % 2:
            one = again
    one.advance(now + 30)
    again = copy_of([*kept, one.windows.snapshot(len(parts))])
    assert again.held() == one.held()


def test_a_quiet_state_keeps_only_its_turn() -> None:
    one = NamedWindows()
    one.advance(1000)
    one.apply([Row(target=f"twitter:{i}") for i in range(100)])
    first = one.windows.snapshot(0)
    one.apply([Row(target="twitter:7", actor="ben")])
    second = one.windows.snapshot(1)
    assert len(second["slice"]["accounts"][1]) <= 2 < len(first["slice"]["accounts"][1])
    assert one.windows.oldest_needed(1) == 0
    assert copy_of([first, second]).held() == one.held()
    for number in range(2, 102):
        one.apply([Row(target=f"twitter:{i}", actor=f"actor {number}") for i in range(50)])
        last = one.windows.snapshot(number)
    assert one.windows.oldest_needed(101) >= 101 - 50, "however much changes, all have their turn"
    assert last["top"] == 100
