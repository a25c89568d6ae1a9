"""Own posts, worked out by hand: from the record to the score."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from schemas.kinds import POST, ROW_KINDS
from schemas.post import Post
from schemas.topics import Topic
from streams.core.column_decoder import PostColumnDecoder
from streams.core.decode import Bad, Reason
from streams.core.decode_posts import PostDecoder
from streams.core.decoded import BAD, INTERACTION
from streams.core.records import Record, RecordColumns
from streams.core.score import ScorePartition
from streams.core.weigh_partition import WeighPartition
from streams.kernels import score_arrays
from streams.kernels.cells import NO_POSTS
from streams.kernels.score_arrays import ALIVE, CELLS, POSTERS, TOP
from tests.support.cells import NamedWindows
from tests.support.interactions import HOUR, NOON, account_in, encode, interaction, record
from tests.support.weighed import MODEL, Row, frame, numbered, plain_score

ZOE = ("twitter:zoe", 0)
POSTED = Row(actor="twitter:zoe", kind=POST, hour=1000, source=-1)
AUTHOR = "twitter:zoe"


def at(now: int) -> NamedWindows:
    windows = NamedWindows()
    windows.advance(now)
    return windows


def posts(windows: NamedWindows) -> list[int]:
    held = windows.held().get(ZOE)
    return list(held.posts) if held else [0] * 5


def decoded(value: bytes | None, *, partition: int = 0, partitions: int = 1) -> Post | Bad:
    return PostDecoder(partition, partitions).decode(value, NOON)


def post(**fields: Any) -> Post:
    given: dict[str, Any] = {"id": "1", "at": NOON, "network": "twitter", "author": AUTHOR}
    return Post(**(given | fields))


def test_the_kernels_know_the_kind_by_the_same_number() -> None:
    assert score_arrays.POST == POST
    assert len(ROW_KINDS) <= 1 << score_arrays.KIND_BITS


@pytest.mark.parametrize(
    ("age", "horizons"),
    [(0, 5), (6, 5), (7, 4), (24, 4), (25, 3), (168, 3), (169, 2), (720, 2), (721, 1), (2160, 1),
     (2161, 0)],
)  # fmt: skip
def test_a_post_counts_to_the_end_of_each_horizon(age: int, horizons: int) -> None:
    expected = [0] * (5 - horizons) + [1] * horizons
    late = at(5000)
    late.apply([replace(POSTED, hour=5000 - age)])
    assert posts(late) == expected
    aged = at(5000 - age)
    aged.apply([replace(POSTED, hour=5000 - age)])
    for hour in range(5000 - age, 5001, 50):
        aged.advance(hour)
    aged.advance(5000)
    assert posts(aged) == expected


def test_a_post_is_no_interaction() -> None:
    windows = at(1000)
    windows.apply([Row(hour=990), POSTED])
    held = windows.held()[ZOE]
    assert (held.interactions, held.posts) == ((0, 1, 1, 1, 1), (1,) * 5)
    assert [by[4] for by in held.distinct] == [1, 1, 1, 1, 0, 0, 0]
    assert windows.newest() == {ZOE: 990}
    assert windows.known_since() == {ZOE: 990}
    windows.apply([POSTED.undone])
    assert posts(windows) == [0] * 5
    assert windows.held()[ZOE].interactions == held.interactions


def test_a_post_ahead_waits_until_its_hour() -> None:
    windows = at(1000)
    windows.apply([replace(POSTED, hour=1002), POSTED])
    assert posts(windows) == [1] * 5
    moved = windows.advance(1002)
    assert (moved.entered.tolist(), moved.posted.tolist()) == ([], [0])
    assert posts(windows) == [2] * 5


def test_posts_of_an_account_with_sampled_engagers_stay_exact() -> None:
    from streams.core.windows import Windows

    windows = NamedWindows(Windows(MODEL.horizons_h, 7, len(ROW_KINDS), exact=False, named=4))
    windows.advance(1000)
    crowd = [Row(actor=f"actor {i}", hour=1000 - i % 9) for i in range(300)]
    windows.apply([POSTED, *crowd, POSTED, replace(POSTED, hour=995)])
    assert int(windows.windows.cells.level[0]) > 0
    assert posts(windows) == [3] * 5
    windows.apply([POSTED.undone])
    windows = windows_of(windows)
    assert posts(windows) == [2] * 5
    windows.advance(1005)
    assert posts(windows) == [1, 2, 2, 2, 2]


def windows_of(windows: NamedWindows) -> NamedWindows:
    """A copy through a snapshot, sampled as before."""
    from streams.core.windows import Windows

    copy = Windows(MODEL.horizons_h, 7, len(ROW_KINDS), exact=False, named=4)
    copy.load([windows.windows.snapshot(0)])
    return NamedWindows(copy)


def test_only_who_posts_has_numbers_of_posts_and_they_are_used_again() -> None:
    windows = at(1000)
    windows.apply([Row(target=f"twitter:{i}") for i in range(50)])
    counters = windows.windows.arrays.counters
    assert (counters[ALIVE + CELLS], counters[TOP + POSTERS]) == (50, 0)
    assert (windows.windows.cells.poster[:50] == NO_POSTS).all()
    for hour in (1000, 5000, 9000):
        windows.advance(hour)
        windows.windows.free(windows.windows.empty())
        assert windows.held() == {} or hour == 1000
        windows.apply([replace(POSTED, hour=hour), POSTED])
    counters = windows.windows.arrays.counters
    assert (counters[ALIVE + POSTERS], counters[TOP + POSTERS]) == (1, 1)
    assert posts(windows) == [1] * 5


def test_posts_lower_a_score_and_are_published_only_where_something_was_received() -> None:
    rows = numbered([Row(hour=1000, actor=f"a{i}") for i in range(9)])
    own = numbered([POSTED, POSTED, replace(POSTED, target="twitter:wim", actor="twitter:wim")])
    state = ScorePartition(0, MODEL, once=True)
    state.apply(frame(own), 0, 0)
    assert state.clock == 0, "own posts say nothing about the time"
    assert list(state.updates(0, everything=True)) == []
    state.apply(frame(rows), 1, 0)
    (first,) = state.updates(0)
    assert first.score == plain_score([*rows, *own], "twitter:zoe", 1000)
    assert first.score < plain_score(rows, "twitter:zoe", 1000)
    assert first.engagers == first.interactions == (9,) * 5
    again = replace(POSTED, offset=3)
    state.apply(frame([again]), 2, 9)
    (second,) = state.updates(9)
    assert second.score == plain_score([*rows, *own, again], "twitter:zoe", 1000) < first.score
    assert second.weights == first.weights
    undone = [replace(r, undo=True, offset=4 + i) for i, r in enumerate([*own[:2], again])]
    state.apply(frame(undone), 3, 18)
    (third,) = state.updates(18)
    assert third.score == plain_score(rows, "twitter:zoe", 1000)
    assert list(state.updates(99, everything=True)) == []


def test_posts_neither_hold_the_clock_back_nor_drive_it() -> None:
    state = ScorePartition(0, MODEL, once=True)
    state.apply(frame(numbered([Row(hour=1000)])), 0, 0)
    before = state.clock
    state.apply(frame([replace(POSTED, hour=10)]), 1, 0)
    state.apply(frame([replace(POSTED, hour=1500, offset=1)]), 2, 0)
    assert state.clock == before
    assert state.idle_sources == frozenset()


def test_one_that_goes_on_posting_is_told_when_all_that_it_received_has_left() -> None:
    state = ScorePartition(0, MODEL, once=True)
    state.apply(frame(numbered([Row(hour=1000, cls=0)])), 0, 0)
    assert len(state.updates(0)) == 1
    state.apply(frame([replace(POSTED, hour=3100)]), 1, 0)
    last = None
    for number, hour in enumerate((1500, 3000, *range(3100, 3163))):
        state.apply(frame([], source=0, first=1 + number, clock=hour * HOUR), 2 + number, 0)
        last = next(iter(state.updates(10.0 * number)), last)
    assert last is not None
    assert last.score == 1000
    assert state.accounts == 1


def test_a_record_is_a_post_or_says_why_not() -> None:
    value = encode(post())
    assert decoded(value) == post()
    partition = 1 if account_in(0, 2, "zoe") == AUTHOR else 0
    refused: dict[Reason, bytes | None] = {
        Reason.EMPTY: None,
        Reason.BAD_JSON: b"{",
        Reason.WRONG_TYPE: encode(post()).replace(b'"twitter"', b'"nowhere"'),
        Reason.ABSURD_TIME: encode(post(at=NOON + 300_001)),
        Reason.BAD_TEXT: encode(post(id="a\x00")),
        Reason.TOO_LARGE: b" " * (1 << 21),
    }
    for reason, bad in refused.items():
        found = decoded(bad)
        assert isinstance(found, Bad), reason
        assert found.reason is reason
    results = [decoded(value, partition=p, partitions=2) for p in (0, 1)]
    assert sorted(isinstance(each, Bad) for each in results) == [False, True]
    assert partition in (0, 1)


def test_a_fetch_of_posts_in_columns() -> None:
    values = [encode(post()), b"{", encode(post(id="2", undo=True, author="twitter:äb"))]
    records = RecordColumns.of([Record(i, NOON + 7, b"k", v) for i, v in enumerate(values)])
    columns = PostColumnDecoder(0, 1).decode(records)
    assert columns.what.tolist() == [INTERACTION, BAD, INTERACTION]
    assert columns.undo.tolist() == [False, False, True]
    assert columns.received_at.tolist()[::2] == [NOON + 7] * 2
    assert not columns.self_.any()
    assert not columns.data.flags.writeable
    for spans in (columns.actor, columns.target):
        place, size = int(spans.places[2]), int(spans.sizes[2])
        assert columns.data[place : place + size].tobytes().decode() == "twitter:äb"


def test_weigh_gives_rows_of_the_author_and_knows_repeats_and_deletions() -> None:
    weigh = WeighPartition(0, 1, MODEL, 1000)
    said = [
        post(), post(), post(id="2", at=NOON - 2200 * HOUR), post(id="3"),
        post(at=NOON + 9, undo=True), post(at=NOON + 9, undo=True), post(at=NOON + 5),
        post(id="4", at=NOON + 5, undo=True), post(id="4"),
    ]  # fmt: skip
    records = [record(number, each) for number, each in enumerate(said)]
    derived = weigh.apply(Topic.POSTS, records, len(records) - 1, 0.0)
    ((_, one),) = derived.frames
    columns = one.columns
    assert columns["offset"].tolist() == [0, 3, 4]
    assert columns["kind"].tolist() == [POST] * 3
    assert columns["weight"].tolist() == [0] * 3
    assert columns["undo"].tolist() == [False, False, True]
    assert columns["at"].tolist() == [NOON] * 3
    assert list(columns["actor"]) == list(columns["target"]) == [AUTHOR] * 3
    totals = weigh.totals(Topic.POSTS)
    found = {name: count for name, count in totals.items() if count}
    assert found == {"accepted": 2, "duplicate": 1, "late": 1, "undone": 3, "unmatched": 2}


def test_a_state_from_before_there_were_posts_goes_on() -> None:
    weigh = WeighPartition(0, 1, MODEL, 1000)
    weigh.apply(Topic.LIKE, [record(0, interaction())], 0, 0.0)
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(weigh.snapshot(0)))
    del old["sources"][Topic.POSTS.value]
    again = WeighPartition(0, 1, MODEL, 1000, [old])
    assert again.positions()[Topic.POSTS.value] == 0
    again.apply(Topic.POSTS, [record(0, post())], 0, 0.0)
    newer = again.snapshot(1)
    third = WeighPartition(0, 1, MODEL, 1000, [old, newer])
    assert third.positions() == again.positions()
    third.apply(Topic.POSTS, [record(1, post())], 1, 0.0)
    assert third.totals(Topic.POSTS)["duplicate"] == 1
