"""Laws of the engagers that random histories seldom reach: one account, few hours, many undos."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cells import NamedWindows
from tests.support.weighed import Row, counted, live

HOURS = [1000, 999, 994, 993, 976, 975, 400]
steps = st.lists(
    st.tuples(
        st.sampled_from(["ada", "ben"]),
        st.sampled_from(HOURS),
        st.integers(0, 6),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps)
def test_every_undo_falls_back_to_what_is_left(
    steps: list[tuple[str, int, int, bool, bool]],
) -> None:
    windows = NamedWindows()
    windows.advance(1000)
    rows: list[Row] = []
    batch: list[Row] = []
    for actor, hour, cls, undo, together in steps:
        row = Row(actor=actor, hour=hour, cls=cls)
        if undo:
            known = live(rows)
            if not known:
                continue
            row = known[hour % len(known)].undone
        rows.append(row)
        batch.append(row)
        if not together:
            windows.apply(batch)
            batch = []
            assert windows.held() == counted(rows, 1000)
    windows.apply(batch)
    for now in (1000, 1001, 1017, 1500, 3000):
        windows.advance(now)
        assert windows.held() == counted(rows, now)


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(HOURS)), min_size=1, max_size=20))
def test_counts_are_nested(engagements: list[tuple[int, int]]) -> None:
    windows = NamedWindows()
    windows.advance(1000)
    windows.apply(
        [Row(actor=f"actor {i % 5}", cls=c, hour=h) for i, (c, h) in enumerate(engagements)]
    )
    distinct = windows.windows.counts(0)[:, 1:].T
    assert (distinct[:-1] >= distinct[1:]).all(), "falls with the class"
    assert (distinct[:, :-1] <= distinct[:, 1:]).all(), "rises with the horizon"
