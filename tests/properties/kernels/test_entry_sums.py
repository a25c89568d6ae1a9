"""Weights and counts of entries are exact, whatever their size and sign."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.kernels.entry_sums import add_to, count_of, weight_of
from streams.kernels.rows import give_entry, take_entry
from streams.kernels.score_arrays import ALIVE, LARGE, ScoreArrays
from tests.support.cells import new_windows

ENTRIES = 4
_EDGES = [0, 1, 127, 128, (1 << 24) - 1, 1 << 24, 1 << 40]

numbers = st.integers(-300, 300) | st.sampled_from([sign * n for n in _EDGES for sign in (-1, 1)])
steps = st.tuples(st.integers(0, ENTRIES - 1), numbers, numbers, st.booleans())


def entries() -> ScoreArrays:
    windows = new_windows()
    windows.make_room_for_entries(ENTRIES)
    for entry in range(ENTRIES):
        assert take_entry(windows.arrays) == entry
        windows.arrays.entry_rows[entry]["sum"] = 0
    return windows.arrays


@given(st.lists(steps, max_size=30))
def test_sums_of_entries_are_exact(said: list[tuple[int, int, int, bool]]) -> None:
    arrays = entries()
    sums = np.zeros((ENTRIES, 2), np.int64)
    for entry, weight, count, again in said:
        if again:
            give_entry(arrays, entry)
            assert take_entry(arrays) == entry
            arrays.entry_rows[entry]["sum"] = 0
            sums[entry] = 0
        add_to(arrays, entry, weight, count)
        sums[entry] += weight, count
        assert [(weight_of(arrays, e), count_of(arrays, e)) for e in range(ENTRIES)] == [
            tuple(both) for both in sums.tolist()
        ]
    for entry in range(ENTRIES):
        give_entry(arrays, entry)
    assert arrays.counters[ALIVE + LARGE] == 0
