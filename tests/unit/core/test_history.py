"""What is left of pairs after an undo."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import history as module
from streams.core.arrays import Ints
from streams.core.history import History
from streams.core.panes import NO_HOUR, Entries


def entries(rows: list[tuple[int, int, int, int]]) -> tuple[Ints, Entries]:
    """Hours and entries of (pair, hour, class, count)."""
    pairs, hours, classes, counts = np.array(rows, np.int64).reshape(-1, 4).T
    nothing = np.zeros_like(pairs)
    return hours, Entries.of(pairs, classes, nothing, nothing, counts)


def test_finds_the_newest_hour_of_each_class_that_is_left() -> None:
    history = History()
    history.add(*entries([(1, 100, 3, 1), (1, 110, 1, 1), (1, 120, 5, 1), (2, 105, 0, 1)]), 0)
    history.add(*entries([(1, 120, 5, -1), (3, 90, 6, 1)]), 0)
    newest = history.newest(np.array([1, 2, 4]), 7, 0, 200)
    assert newest[:, 0].tolist() == [110, 110, 100, 100, NO_HOUR, NO_HOUR, NO_HOUR]
    assert newest[:, 1].tolist() == [105, *[NO_HOUR] * 6]
    assert newest[:, 2].tolist() == [NO_HOUR] * 7


def test_looks_at_no_hour_outside_the_given_ones() -> None:
    history = History()
    history.add(*entries([(1, 100, 0, 1), (1, 110, 0, 1), (1, 120, 0, 1)]), 0)
    assert history.newest(np.array([1]), 1, 105, 115).tolist() == [[110]]
    assert history.newest(np.array([1]), 1, 111, 119).tolist() == [[NO_HOUR]]


steps = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(90, 99), st.integers(0, 6)), max_size=9),
    max_size=12,
)


@given(steps, st.integers(0, 12), st.data())
def test_equals_a_plain_count(
    steps: list[list[tuple[int, int, int]]], few: int, data: st.DataObject
) -> None:
    history, counts = History(), dict[tuple[int, int, int], int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PENDING_ROWS", few)
        for since, step in enumerate(steps, 84):
            rows = [(*key, 1) for key in step]
            live = [key for key, count in counts.items() if count > 0 and key[1] >= since]
            if live:
                rows += [(*key, -1) for key in data.draw(st.sets(st.sampled_from(live)))]
            for pair, hour, cls, count in rows:
                counts[pair, hour, cls] = counts.get((pair, hour, cls), 0) + count
            young = [row for row in rows if row[1] >= since]
            history.add(*entries(young), since)
            newest = history.newest(np.array([0, 2, 3]), 7, since, 97)
            for place, pair in enumerate([0, 2, 3]):
                for c in range(7):
                    hours = [
                        hour
                        for (p, hour, cls), count in counts.items()
                        if p == pair and cls >= c and count > 0 and since <= hour <= 97
                    ]
                    assert newest[c, place] == max(hours, default=NO_HOUR)
