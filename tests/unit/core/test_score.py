"""A target partition: frames in, updates out, worked out by hand."""

from itertools import pairwise

import msgspec
import pytest

from schemas.score import ScoreUpdate
from streams.core.score import Applied, ScorePartition
from tests.support.cells import NamedWindows
from tests.support.weighed import HOUR, MODEL, Row, frame, numbered

ONE_RETWEET = 17_996
"""Score of one retweet by one ordinary account, just now."""


def partition(*, once: bool = True) -> ScorePartition:
    return ScorePartition(2, MODEL, once=once)


def through_bytes(state: ScorePartition, *, once: bool = True) -> ScorePartition:
    data = msgspec.msgpack.encode(state.snapshot(0))
    return ScorePartition.restore([msgspec.msgpack.decode(data)], MODEL, once=once)


def held(state: ScorePartition) -> object:
    windows = NamedWindows(state._windows)
    return windows.held(), windows.newest(), windows.known_since(), state.version()


def brief(updates: list[ScoreUpdate]) -> list[tuple[str, int, str]]:
    return [(u.profile, u.score, u.cause) for u in updates]


def test_one_retweet() -> None:
    state = partition()
    state.epoch = 4
    assert state.apply(frame(numbered([Row(hour=1000)])), 7, 0) is Applied.NEW
    [update] = state.updates(0)
    assert update == ScoreUpdate(
        profile="twitter:zoe",
        score=ONE_RETWEET,
        bits=324_487,
        # the day and the usual pace are both 1536
        momentum=50,
        influence=7665,
        weights=(1536,) * 5,
        interactions=(1,) * 5,
        engagers=(1,) * 5,
        change=ONE_RETWEET - 1000,
        cause="interaction",
        model=1,
        clock=1001 * HOUR - 1,
        partition=2,
        position=7,
        epoch=4,
        sequence=1,
    )
    assert list(state.updates(9)) == []
    assert (state.accounts, state.rows, state.holes, state.position) == (1, 1, 0, 7)


def test_two_networks_are_combined() -> None:
    state = partition()
    state.apply(frame(numbered([Row(), Row(network=13, actor="ben"), Row(network=13)])), 0, 0)
    [update] = state.updates(0)
    assert update.engagers == (3,) * 5
    assert update.interactions == (3,) * 5
    # X of one engager is 1115; of two, with E = 1792: 1792 + 3 * (1792 - 1525) = 2593;
    # combined 2593 + 557
    assert update.influence == 110 * 3150 // 16


def test_rows_of_a_frame_that_came_before_count_once() -> None:
    rows = numbered([Row(actor=name) for name in ("ada", "ben", "cid", "dan")])
    state = partition()
    assert state.apply(frame(rows[:2], last=2), 0, 0) is Applied.NEW
    # row 2 was not among the rows of [0, 2]: the first occurrence wins
    assert state.apply(frame(rows[1:], first=1), 1, 0) is Applied.NEW
    assert state.apply(frame(rows[:2]), 2, 0) is Applied.OLD
    assert state.applied == {("interactions.like", 0): 3}
    [update] = state.updates(0)
    assert update.interactions[0] == 3
    assert update.position == 2


def test_a_frame_behind_a_hole_is_not_applied() -> None:
    rows = numbered([Row(actor=name) for name in ("ada", "ben", "cid")])
    state = partition()
    state.apply(frame(rows[:1]), 0, 0)
    before = state.clock
    assert state.apply(frame(rows[2:], clock=before + HOUR), 1, 0) is Applied.HOLE
    assert (state.holes, state.position, state.clock) == (1, 1, before)
    assert state.apply(frame(rows[1:]), 2, 0) is Applied.NEW
    [update] = state.updates(0)
    assert update.interactions[0] == 3


def test_the_first_frame_of_a_source_must_begin_at_its_beginning() -> None:
    rows = numbered([Row(), Row(actor="ben")])
    assert partition().apply(frame(rows[1:]), 0, 0) is Applied.HOLE


def test_a_frame_read_again_is_old() -> None:
    state = partition()
    rows = numbered([Row(), Row(actor="ben")])
    state.apply(frame(rows[:1]), 5, 0)
    assert state.apply(frame(rows[1:]), 5, 0) is Applied.OLD
    assert state.apply(frame(rows[1:]), 4, 0) is Applied.OLD
    assert (state.rows, state.position) == (1, 5)


def test_an_empty_frame_moves_the_clock() -> None:
    state = partition()
    state.apply(frame(numbered([Row(hour=1000)])), 0, 0)
    list(state.updates(0))
    assert state.apply(frame([], source=0, first=1, clock=1007 * HOUR), 1, 0) is Applied.NEW
    [update] = state.updates(5)
    # out of the 6 h horizon: C = (48 + 8 + 4 + 2) * 1115 >> 4 = 4320
    assert (update.cause, update.influence, update.position) == ("time", 4320, 1)
    assert update.weights == (0, 1536, 1536, 1536, 1536)
    assert update.clock == 1007 * HOUR


def test_the_slowest_source_says_what_time_it_is() -> None:
    state = partition()
    state.apply(frame(numbered([Row(hour=1000, source=1)])), 0, 0)
    state.apply(frame([], source=0, first=0, clock=500 * HOUR), 1, 0)
    assert state.clock == 1001 * HOUR - 1
    state.apply(frame([], source=1, first=1, clock=1050 * HOUR), 2, 0)
    assert state.clock == 1001 * HOUR - 1
    state.apply(frame([], source=0, first=1, clock=1020 * HOUR), 3, 0)
    assert state.clock == 1020 * HOUR


def test_an_interaction_ahead_of_the_clock_waits() -> None:
    state = partition()
    state.apply(frame([], source=1, first=0, clock=1000 * HOUR), 0, 0)
    state.apply(frame(numbered([Row(hour=1003)])), 1, 0)
    assert list(state.updates(0)) == []
    assert list(state.updates(0, everything=True)) == []
    state = through_bytes(state)
    state.apply(frame([], source=1, first=1, clock=1003 * HOUR), 2, 0)
    assert brief(list(state.updates(0))) == [("twitter:zoe", ONE_RETWEET, "interaction")]


def test_undo_gives_the_score_back() -> None:
    state = partition()
    row = Row(hour=1000)
    state.apply(frame(numbered([row])), 0, 0)
    list(state.updates(0))
    state.apply(frame([numbered([row, row.undone])[1]]), 1, 0)
    [update] = state.updates(5)
    assert (update.score, update.change) == (1000, 1000 - ONE_RETWEET)
    assert update.weights == update.interactions == update.engagers == (0,) * 5


def test_an_account_whose_interactions_all_came_too_late_is_published_once() -> None:
    state = partition()
    state.apply(frame([], source=1, first=0, clock=9000 * HOUR), 0, 0)
    state.apply(frame(numbered([Row(hour=1000)])), 1, 0)
    assert brief(list(state.updates(0))) == [("twitter:zoe", 1000, "interaction")]
    assert list(state.updates(9, everything=True)) == []


def test_the_fade_is_published_hour_by_hour_and_ends_at_one_point() -> None:
    state = partition()
    rows = numbered([Row(hour=1000, actor=f"actor {i}") for i in range(500)])
    state.apply(frame(rows), 0, 0)
    list(state.updates(0))
    scores = []
    for number, hour in enumerate(range(1001, 3200)):
        header = frame([], source=0, first=500 + number, clock=hour * HOUR)
        state.apply(header, 1 + number, number)
        scores += [(hour, u.score) for u in state.updates(10 * number)]
    assert all(a > b for (_, a), (_, b) in pairwise(scores))
    assert scores[-1] == (1000 + 2160, 1000)
    # four horizons that the pane left, and the fade: a visible step every few hours
    assert len([1 for hour, _ in scores if hour <= 1721]) == 4
    assert len(scores) > 100


def test_wall_time_alone_moves_a_quiet_partition() -> None:
    state = partition(once=False)
    state.apply(frame(numbered([Row(hour=1000)])), 0, 100.0)
    list(state.updates(100.0))
    state.tick(109.0)
    assert state.idle_sources == set()
    state.tick(110.0 + 6.9 * 3600)
    assert state.idle_sources == {("interactions.like", 0)}
    [update] = state.updates(110.0 + 6.9 * 3600)
    assert (update.cause, update.weights[:2]) == ("time", (0, 1536))


def test_a_source_far_ahead_takes_nothing_from_the_windows_of_the_others() -> None:
    state = partition(once=False)
    ahead = 1000 + 100 * 24
    state.apply(frame([Row(hour=1000)]), 0, 0)
    [before] = state.updates(0)
    state.apply(frame([Row(hour=ahead, target="twitter:yan", source=1)]), 1, 1)
    state.apply(frame([Row(hour=1000, actor="ben", offset=1)]), 2, 1)
    [update] = state.updates(1)
    assert update.profile == "twitter:zoe"
    assert update.clock == before.clock
    assert update.engagers == (2,) * 5
    # what it told waits for its hour, which comes when nobody else is there
    state.apply(frame([], source=1, first=1, clock=ahead * HOUR), 3, 12)
    assert {u.profile: u.engagers for u in state.updates(12)} == {
        "twitter:zoe": (0,) * 5,
        "twitter:yan": (1,) * 5,
    }


def test_momentum_knows_since_when_an_account_is_known() -> None:
    state = partition()
    state.apply(frame(numbered([Row(hour=900), Row(hour=1000)])), 0, 0)
    [update] = state.updates(0)
    # a = 1536; known for 100 hours: both paces floor(24 * 3072 / 100) = 737
    assert update.momentum == 100 * (1536 + 1536) // (1536 + 737 + 3072)


def test_a_restart_in_the_middle_of_everything_goes_on() -> None:
    state = partition(once=False)
    rows = numbered([Row(hour=1000), Row(hour=1000, target="twitter:yan"), Row(hour=1400)])
    state.apply(frame([], source=1, first=0, clock=1001 * HOUR), 0, 0)
    state.apply(frame(rows), 1, 0)
    list(state.updates(0))
    state.apply(frame([Row(hour=1001, actor="ben", source=1, offset=1)]), 2, 0.2)
    assert list(state.updates(0.2)) == [], "published a moment ago"
    again = through_bytes(state, once=False)
    for one in (state, again):
        one.tick(5)
    assert held(again) == held(state)
    updates = list(state.updates(5))
    assert [u.profile for u in updates] == ["twitter:zoe"]
    assert list(again.updates(5)) == updates
    assert again.sequence == 3


def test_a_snapshot_shares_nothing_with_the_state() -> None:
    state = partition()
    state.apply(frame(numbered([Row()])), 0, 0)
    snapshot = state.snapshot(0)
    before = msgspec.msgpack.encode(snapshot)
    rows = [Row(actor="ben", target="twitter:xia", offset=1)]
    state.apply(frame(rows), 1, 0)
    list(state.updates(0))
    assert msgspec.msgpack.encode(snapshot) == before


def test_an_empty_state_can_be_restored() -> None:
    assert through_bytes(partition()).snapshot(0) == partition().snapshot(0)


@pytest.mark.parametrize("change", [{"format": 0}, {"model": 9}])
def test_a_foreign_snapshot_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="reads format 4 and score model 1"):
        ScorePartition.restore([{**partition().snapshot(0), **change}], MODEL, once=True)


def test_what_is_lost_for_good_is_given_up_and_counted() -> None:
    rows = numbered([Row(actor=name) for name in ("ada", "ben", "cid")])
    state = partition()
    late = frame(rows[2:])
    assert state.is_new_source(late)
    assert state.missing_before(late) == 2
    state.give_up_before(late)
    assert state.apply(late, 0, 0) is Applied.NEW
    assert (state.lost, state.holes, state.missing_before(late)) == (2, 0, 0)
    [update] = state.updates(0)
    assert update.interactions[0] == 1


def test_time_and_publishing_make_another_version() -> None:
    state = partition()
    state.apply(frame(numbered([Row()])), 0, 0)
    read = state.version()
    assert state.version() == read
    list(state.updates(0))
    published = state.version()
    assert published != read
    state.apply(frame([], source=Row().source, first=1, last=1, clock=state.clock + HOUR), 1, 0)
    assert state.version() != published


def test_a_record_that_is_no_frame_is_passed_over() -> None:
    state = partition()
    state.pass_over(3)
    assert state.positions() == {"weighed": 4}


def test_an_account_leaves_after_its_last_update_and_may_come_back() -> None:
    state = partition()
    state.apply(frame(numbered([Row(hour=1000)])), 0, 0)
    list(state.updates(0))
    state.apply(frame([], source=0, first=1, clock=(1000 + 2161) * HOUR), 1, 1)
    assert state.accounts == 1
    assert brief(list(state.updates(1))) == [("twitter:zoe", 1000, "interaction")]
    state.apply(frame([], source=0, first=2, clock=(1000 + 2162) * HOUR), 2, 2)
    assert state.accounts == 0
    assert list(state.updates(2, everything=True)) == []
    again = through_bytes(state)
    for one in (state, again):
        rows = [Row(hour=3170, target="twitter:yan", offset=3), Row(hour=3170, offset=4)]
        one.apply(frame(rows), 3, 3)
        assert [score for _, score, _ in brief(list(one.updates(3)))] == [ONE_RETWEET] * 2


def test_a_new_owner_takes_back_what_only_the_owner_before_has_told() -> None:
    """It told of a row that its checkpoint lacks; here the row comes together with its undo."""
    state = partition()
    state.apply(frame(numbered([Row()])), 0, 0)
    list(state.updates(0))
    again = through_bytes(state)
    rows = numbered([Row(), Row(actor="twitter:ben"), Row(actor="twitter:ben", undo=True)])
    state.apply(frame(rows[1:2]), 1, 1)
    assert len(list(state.updates(5))) == 1, "what is known in the world"
    again.guard(until=6.0)
    again.apply(frame(rows[1:2]), 1, 1)
    again.apply(frame(rows[2:]), 2, 1)
    [update] = again.updates(5)
    assert update.interactions == (1,) * 5
    again.pass_guard(7.0, caught_up=False)
    assert list(again.updates(7.0)) == []
    again.pass_guard(7.0, caught_up=True)
    assert [u.interactions for u in again.updates(7.0)] == [(1,) * 5]
    again.pass_guard(9.0, caught_up=True)
    assert list(again.updates(20.0)) == []
