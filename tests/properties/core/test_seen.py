"""The law of the seen store: what counts depends on the set of events, not on their order."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.kernels.generation import NEVER
from tests.support.seen import Store, Verdict

HORIZON = 1000
RECORD_OF = {1: 0, 2: 7, 3: 7, 4: 8}
"""Interaction → the record that gave it; 0: none."""


class Event(NamedTuple):
    """What happened to one interaction, or (negative ``key``) to a whole record."""

    key: int
    at: int
    undo: bool


times = st.integers(0, 6)
events = st.one_of(
    st.builds(Event, st.sampled_from(sorted(RECORD_OF)), times, st.booleans()),
    st.builds(Event, st.sampled_from([-7, -8]), times, st.just(True)),
)


def tell(store: Store, offset: int, event: Event) -> tuple[int, list[tuple[int, int]]]:
    """Tell the store; what it answered as (+1, -1 or 0 rows, [(key, time of the row)])."""
    if event.key < 0:
        retracted = store.undo_record(offset, -event.key, event.at)
        return -1, [(key, entry.at) for key, entry in retracted]
    if event.undo:
        entry = store.undo(offset, event.key, event.at)
        return -1, [] if entry is None else [(event.key, entry.at)]
    record = RECORD_OF[event.key]
    if store.admit(offset, event.key, record, event.at) is not Verdict.NEW:
        return 1, []
    store.keep(event.key, event.at, f"twitter:t{event.key}", 0, 3, 1536, 1, record)
    return 1, [(event.key, event.at)]


def counting(history: list[Event], store: Store | None = None) -> dict[int, int]:
    """Interaction → time of its row, for those that count after ``history``."""
    store = store or Store(HORIZON)
    rows: dict[int, int] = {}
    for offset, event in enumerate(history):
        sign, changed = tell(store, offset, event)
        for key, at in changed:
            if sign > 0:
                assert key not in rows, "added twice"
                rows[key] = at
            else:
                assert rows.pop(key) == at, "retracted what was not added"
    return rows


def newest(history: list[Event], key: int, *, undo: bool) -> int:
    return max((e.at for e in history if e.key == key and e.undo is undo), default=NEVER)


@given(st.lists(events, max_size=20))
def test_an_interaction_counts_if_its_newest_delivery_is_newer_than_its_undos(
    history: list[Event],
) -> None:
    expected = {
        key
        for key, record in RECORD_OF.items()
        if newest(history, key, undo=False)
        > max(newest(history, key, undo=True), newest(history, -record, undo=True))
    }
    assert set(counting(history)) == expected


@given(st.lists(events, max_size=20).flatmap(lambda h: st.tuples(st.just(h), st.permutations(h))))
def test_order_does_not_matter(histories: tuple[list[Event], list[Event]]) -> None:
    history, shuffled = histories
    assert set(counting(history)) == set(counting(shuffled))


@given(st.lists(events, max_size=20).flatmap(lambda h: st.tuples(st.just(h), st.permutations(h))))
def test_where_deliveries_agree_even_the_rows_are_the_same(
    histories: tuple[list[Event], list[Event]],
) -> None:
    history, shuffled = ([e if e.undo else e._replace(at=3) for e in h] for h in histories)
    assert counting(history) == counting(shuffled)


@given(st.lists(events, max_size=15), st.lists(st.integers(0, 14), max_size=15))
def test_telling_anything_again_changes_nothing(history: list[Event], again: list[int]) -> None:
    repeats = [history[i] for i in again if i < len(history)]
    assert counting(history + repeats) == counting(history)


@given(
    st.lists(st.tuples(events, st.integers(1, 12)), max_size=30),
    st.integers(0, 30),
    st.integers(1, 12),
)
def test_a_restored_store_goes_on_identically(
    steps: list[tuple[Event, int]], cut: int, horizon: int
) -> None:
    kept, store = Store(horizon), Store(horizon)
    offset = 0
    for i, (event, leap) in enumerate(steps):
        if i == cut:
            store.snapshot()
            store = store.restored()
        offset += leap
        assert tell(store, offset, event) == tell(kept, offset, event)
        if i % 5 == 0:
            store.snapshot()
    assert store.snapshot(whole=True) == kept.snapshot(whole=True)


@given(st.integers(1, 50), st.integers(0, 200), st.integers(0, 50), st.lists(st.integers(0, 300)))
def test_the_horizon_holds_whatever_happens_in_between(
    horizon: int, first: int, distance: int, between: list[int]
) -> None:
    store = Store(horizon)
    last = first + min(distance, horizon)
    tell(store, first, Event(2, 3, undo=False))
    for offset in sorted(o for o in between if first <= o <= last):
        tell(store, offset, Event(4, 3, undo=False))
    assert tell(store, last, Event(-7, 3, undo=True)) == (-1, [(2, 3)])
