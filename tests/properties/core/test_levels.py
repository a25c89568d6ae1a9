"""Sampled engagers against a plain count of all rows, over batches, hours and restores."""

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.hashing import hash64
from streams.kernels.score_arrays import ALIVE, PAIRS
from tests.support.cells import NamedWindows, new_windows
from tests.support.histories import NOW, hours
from tests.support.weighed import MODEL, Counted, Row, counted

LIMIT = 3
ACTORS = [f"actor {i}" for i in range(40)]
TARGETS = ["twitter:zoe", "twitter:yan"]

Pair = tuple[int, str]
"""Network and engager."""

steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 30, 500]),
        st.lists(
            st.builds(
                Row,
                actor=st.sampled_from(ACTORS),
                target=st.sampled_from(TARGETS),
                hour=hours(),
                cls=st.integers(0, 6),
                kind=st.integers(0, 1),
                network=st.sampled_from([0, 13]),
                undo=st.sampled_from([False, False, False, True]),
            ),
            max_size=25,
        ),
        st.booleans(),
    ),
    max_size=6,
)


def is_named(actor: str, level: int) -> bool:
    return hash64(actor) < 1 << (64 - level)


class Plain:
    """Levels by their rule alone."""

    def __init__(self) -> None:
        self.now = NOW
        self.rows: list[Row] = []
        self.levels: dict[str, int] = defaultdict(int)

    def pairs(self, target: str) -> set[Pair]:
        since = self.now - MODEL.longest_h
        return {(r.network, r.actor) for r in self.rows if r.target == target and r.hour >= since}

    def named(self, pairs: set[Pair], target: str) -> int:
        return sum(is_named(actor, self.levels[target]) for _, actor in pairs)

    def apply(self, rows: Sequence[Row]) -> None:
        before = {target: self.pairs(target) for target in TARGETS}
        self.rows += [row for row in rows if row.hour >= self.now - MODEL.longest_h]
        for target in TARGETS:
            pairs = self.pairs(target)
            if self.named(pairs - before[target], target):
                while self.named(pairs, target) > LIMIT:
                    self.levels[target] += 1

    def advance(self, hour: int) -> None:
        self.now = hour
        for target in TARGETS:
            if not self.pairs(target):
                self.levels[target] = 0

    def held(self) -> dict[tuple[str, int], Counted]:
        some = [row for row in self.rows if is_named(row.actor, self.levels[row.target])]
        everything, sample = counted(self.rows, self.now), counted(some, self.now)
        nothing = ((0,) * len(MODEL.horizons_h),) * len(MODEL.class_weights)
        return {
            cell: Counted(
                sums.weights,
                sums.interactions,
                sample[cell].distinct if cell in sample else nothing,
            )
            for cell, sums in everything.items()
        }


@given(steps)
def test_windows_hold_the_sample_that_the_rule_says(
    steps: list[tuple[int, list[Row], bool]],
) -> None:
    windows, plain = NamedWindows(new_windows(named=LIMIT)), Plain()
    windows.advance(NOW)
    for passing, rows, restore in steps:
        plain.advance(plain.now + passing)
        windows.advance(plain.now)
        if restore:
            copy = NamedWindows(new_windows(named=LIMIT))
            copy.windows.load([windows.windows.snapshot(0)])
            windows = copy
        live: list[Row] = []
        for row in rows:  # an undo takes back something that is there
            known = [r for r in (*plain.rows, *live) if not r.undo]
            taken = [r for r in (*plain.rows, *live) if r.undo]
            left = [r for r in known if known.count(r) > taken.count(r.undone)]
            if not row.undo:
                live.append(row)
            elif left:
                live.append(left[row.hour % len(left)].undone)
        windows.apply(live)
        plain.apply(live)
        assert windows.held() == plain.held()
        cells = windows.windows.cells
        for account in range(windows.windows.top):
            if cells.name_size[account]:
                name = windows.windows.name(account)
                assert cells.level[account] == plain.levels[name]
    windows.advance(NOW + 10_000)
    assert windows.held() == {}
    assert windows.windows.arrays.counters[ALIVE + PAIRS] == 0
