"""What counts at a midnight, and what is told of it."""

import msgspec

from schemas.standing import MARKER_KEY, DayClosed, Standing
from streams.core.score import ScorePartition
from tests.support.days import OFTEN
from tests.support.weighed import HOUR, Row, frame

DAY = 40
MIDNIGHT = DAY * 24


def said(state: ScorePartition) -> list[Standing | DayClosed]:
    told: list[Standing | DayClosed] = []
    for key, value in state.standing():
        if key == MARKER_KEY:
            told.append(msgspec.json.decode(value, type=DayClosed))
        else:
            told.append(msgspec.json.decode(value, type=Standing))
    return told


def partition() -> ScorePartition:
    state = ScorePartition(0, OFTEN, once=True)
    state.apply(frame([Row(hour=MIDNIGHT - 9)], clock=(MIDNIGHT - 9) * HOUR), 0, 0)
    quick = frame([], source=1, first=0, last=-1, clock=MIDNIGHT * HOUR)
    state.apply(quick, 1, 0)
    assert said(state)[-1] == DayClosed(
        closed=DAY - 2, first=DAY - 1, whole=True, epoch=0, sequence=1
    )
    return state


def close(state: ScorePartition) -> list[Standing | DayClosed]:
    state.apply(frame([], source=0, first=1, last=1, clock=MIDNIGHT * HOUR), 9, 0)
    return said(state)


def tiers(told: list[Standing | DayClosed]) -> dict[str, int]:
    return {each.account: each.tier for each in told if isinstance(each, Standing)}


def test_only_changes_are_told_and_the_marker_last() -> None:
    told = close(partition())
    assert tiers(told) == {"twitter:zoe": 1}
    assert told[-1] == DayClosed(closed=DAY - 1, first=DAY - 1, epoch=0, sequence=3)


def test_what_a_quick_source_brings_of_the_next_day_does_not_count_however_old_it_is() -> None:
    state = partition()
    late = Row(target="twitter:late", hour=MIDNIGHT - 3, source=1, offset=0)
    of_midnight = Row(target="twitter:midnight", hour=MIDNIGHT, source=1, offset=1)
    state.apply(frame([late, of_midnight], clock=MIDNIGHT * HOUR), 2, 0)
    restored = ScorePartition.restore([state.snapshot(0)], OFTEN, once=True)
    for each in (state, restored):
        assert tiers(close(each)) == {"twitter:zoe": 1}
        assert each.rows == 3, "they count from the midnight on"
        ended = frame([], source=0, first=2, last=2, clock=(MIDNIGHT + 24) * HOUR)
        each.apply(ended, 10, 0)
        each.apply(frame([], source=1, first=2, last=2, clock=(MIDNIGHT + 24) * HOUR), 11, 0)
        assert tiers(said(each)) == {"twitter:midnight": 1, "twitter:zoe": 0}


def test_what_a_frame_brings_of_the_day_counts_before_it_closes_the_day() -> None:
    state = partition()
    last = Row(target="twitter:last", hour=MIDNIGHT - 1, offset=1)
    state.apply(frame([last], clock=MIDNIGHT * HOUR), 2, 0)
    assert tiers(said(state)) == {"twitter:zoe": 1, "twitter:last": 2}
