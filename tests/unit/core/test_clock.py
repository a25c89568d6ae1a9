"""The clock of a partition with invented wall times."""

import pytest

from streams.core.clock import PartitionClock

A, B, C = ("interactions.like", 0), ("interactions.like", 1), ("interactions.retweet", 0)


def live() -> PartitionClock:
    return PartitionClock(once=False, idle_seconds=10)


def test_is_the_minimum_of_what_was_heard() -> None:
    clock = PartitionClock(once=True, idle_seconds=10)
    assert clock.value == 0
    clock.hear(A, 5000, 0)
    assert clock.value == 5000
    clock.hear(A, 9000, 0)
    clock.hear(B, 7000, 0)
    assert clock.value == 9000, "it never goes back"
    clock.hear(B, 9500, 0)
    assert clock.value == 9000
    clock.hear(A, 9600, 0)
    assert clock.value == 9500


def test_a_source_without_event_time_does_not_count() -> None:
    clock = PartitionClock(once=True, idle_seconds=10)
    clock.hear(A, 0, 0)
    clock.hear(B, 7000, 0)
    assert clock.value == 7000
    assert clock.sources == {B: 7000}


def test_a_sources_own_clock_never_goes_back() -> None:
    clock = PartitionClock(once=True, idle_seconds=10)
    clock.hear(A, 7000, 0)
    clock.hear(A, 6000, 0)
    assert clock.sources == {A: 7000}


def test_a_silent_source_is_not_waited_for() -> None:
    clock = live()
    clock.hear(A, 5000, 0)
    clock.hear(B, 9000, 5)
    clock.tick(9.9)
    assert clock.value == 5000
    assert clock.idle == set()
    clock.tick(10)
    assert clock.value == 9000
    assert clock.idle == {A}
    clock.hear(A, 6000, 11)
    clock.hear(B, 9500, 11)
    assert clock.value == 9000, "heard again, it holds the clock back again"
    assert clock.idle == set()
    clock.hear(A, 9200, 12)
    assert clock.value == 9200


def test_goes_on_at_the_rate_of_wall_time_when_nothing_arrives() -> None:
    clock = live()
    clock.hear(A, 5000, 100)
    clock.tick(110)
    assert clock.value == 5000
    clock.tick(110.5)
    assert clock.value == 5500
    clock.tick(113)
    assert clock.value == 8000
    clock.hear(A, 6000, 114)
    assert clock.value == 9000, "the second until it was heard counts"
    clock.tick(120)
    assert clock.value == 9000, "and then it waits for its source"
    clock.hear(A, 50_000, 121)
    assert clock.value == 50_000


def test_does_not_depend_on_how_often_wall_time_is_told() -> None:
    often, once = live(), live()
    for clock in (often, once):
        clock.hear(C, 4000, 0)
        clock.hear(B, 5000, 1)
        clock.hear(A, 9000, 2)
    for tenth in range(300):
        often.tick(tenth / 10)
    once.tick(29.9)
    # B falls silent after 11 s; A alone is waited for until 12 s
    assert often.value == once.value == 9000 + 17_900


def test_sources_that_fall_silent_together_leave_the_clock_where_it_stands() -> None:
    clock = live()
    clock.hear(B, 5000, 0)
    clock.hear(A, 9000, 0)
    clock.tick(10)
    assert clock.value == 5000


def test_under_once_wall_time_means_nothing() -> None:
    clock = PartitionClock(once=True, idle_seconds=10)
    clock.hear(A, 5000, 0)
    clock.hear(B, 9000, 0)
    clock.tick(1e9)
    assert clock.value == 5000
    assert clock.idle == set()


def test_a_restart_goes_on() -> None:
    clock = live()
    clock.hear(A, 5000, 0)
    clock.hear(B, 9000, 9)
    clock.tick(12)
    assert clock.idle == {A}
    again = live()
    again.load(clock.snapshot())
    assert (again.value, again.sources) == (9000, {A: 5000, B: 9000})
    assert again.idle == {A}
    # another process, another beginning of wall time: B has its full time to be heard
    again.tick(1000)
    again.tick(1009.9)
    assert again.idle == {A}
    again.tick(1011)
    assert again.idle == {A, B}
    assert again.value == 10_000
    at_rest = live()
    at_rest.load(again.snapshot())
    at_rest.tick(50)
    at_rest.tick(52)
    assert at_rest.value == 12_000


def test_there_is_no_time_before_all_expected_sources_were_heard() -> None:
    clock = PartitionClock(once=True, idle_seconds=10, expected=[A, B])
    clock.hear(A, 5000, 0)
    clock.hear(C, 4000, 1)
    assert clock.value == 0
    clock.hear(B, 0, 2)
    assert clock.value == 0, "it has no event time yet"
    clock.hear(B, 6000, 3)
    assert clock.value == 4000


@pytest.mark.parametrize("once", [False, True])
def test_who_stays_unheard_is_not_waited_for_for_ever(*, once: bool) -> None:
    clock = PartitionClock(once=once, idle_seconds=10, expected=[A, B])
    clock.tick(0)
    clock.hear(A, 5000, 100)
    clock.hear(A, 6000, 109.9)
    assert clock.value == 0
    clock.tick(110)
    assert clock.value == 6000


def test_a_restored_clock_still_expects_whom_it_never_heard() -> None:
    before = PartitionClock(once=True, idle_seconds=10, expected=[A, B, C])
    before.hear(A, 5000, 0)
    clock = PartitionClock(once=True, idle_seconds=10, expected=[A, B, C])
    clock.load(before.snapshot())
    clock.hear(B, 6000, 0)
    assert clock.value == 0
    clock.hear(C, 7000, 0)
    assert clock.value == 5000
