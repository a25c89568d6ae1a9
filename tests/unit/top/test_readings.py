"""How much counters grew, whatever started again meanwhile."""

import pytest

from renown.top.readings import History, increase


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        ({}, {}, 0),
        ({"a": 5}, {"a": 8}, 3),
        ({"a": 5}, {"a": 2}, 2),  # a process that was started again
        ({"a": 5}, {"a": 5, "b": 1_000_000}, 0),  # one that nobody had looked at
        ({"a": 5, "b": 1}, {"a": 6}, 1),  # one that is gone
    ],
)
def test_increase(before: dict[str, float], after: dict[str, float], grown: float) -> None:
    assert increase(before, after) == grown


def history(*readings: tuple[float, float]) -> History[float]:
    seen: History[float] = History()
    for at, value in readings:
        seen.add(at, value)
    return seen


def rate(seen: History[float], seconds: float = 10) -> float | None:
    return seen.rate(lambda value: {"n": value}, seconds)


def test_a_rate_needs_two_readings() -> None:
    assert rate(history()) is None
    assert rate(history((1.0, 7))) is None
    assert rate(history((1.0, 7), (1.0, 9))) is None
    assert rate(history((1.0, 7), (3.0, 9))) == 1.0


def test_a_rate_is_of_the_last_seconds_only() -> None:
    seen = history((0.0, 0), (10.0, 1000), (12.0, 1010), (20.0, 1050))
    assert rate(seen, 10) == pytest.approx(50 / 10)
    assert rate(seen, 5) == pytest.approx(40 / 8)  # no two looks are so close: the last two
    assert rate(seen, 100) == pytest.approx(1050 / 20)


def test_a_counter_that_starts_again_between_two_looks_gives_no_negative_rate() -> None:
    assert rate(history((0.0, 100), (1.0, 200), (2.0, 3))) == pytest.approx(103 / 2)


def test_a_minute_is_kept() -> None:
    seen = history(*((float(second), second) for second in range(200)))
    assert len(seen) == 61
    grown = seen.growth(lambda value: {"n": value}, 60)
    assert grown == (60.0, 60.0)


def test_a_copy_does_not_change_and_trouble_ends_with_a_reading() -> None:
    seen = history((0.0, 0))
    seen.trouble = "away"
    copy = seen.copy()
    seen.add(1.0, 1)
    assert (len(copy), copy.trouble) == (1, "away")
    assert (len(seen), seen.trouble) == (2, "")
