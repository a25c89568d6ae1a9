"""What follows from what is stored: where sources go on, and where clocks stand."""

from collections.abc import Mapping

from schemas.topics import Topic
from streams.rebuild.past import Past, PastLog, Resumed
from streams.sinks.progress import Source, SourceProgress

LIKE, MENTION = Topic.LIKE.value, Topic.MENTION.value
A, B = (LIKE, 0), (LIKE, 1)


def past_log(
    log: int,
    told: Mapping[tuple[int, Source], tuple[int, int]],
    partitions: int = 2,
    clocks: Mapping[int, int] | None = None,
    next_offset: int = 5,
) -> PastLog:
    """``told``: (partition of ``weighed``, source) → (applied, clock)."""
    known = {
        key: SourceProgress(applied, clock, {"accepted": applied})
        for key, (applied, clock) in told.items()
    }
    ends: dict[Source, int] = {}
    for (_, source), progress in known.items():
        ends[source] = max(progress.applied + 1, ends.get(source, 0))
    return PastLog(log, dict.fromkeys(range(partitions), next_offset), known, ends, clocks or {})


def test_offsets_count_on_through_logs_that_are_alike() -> None:
    logs = [
        past_log(1, {(0, A): (9, 100)}, partitions=3),
        past_log(2, {(0, A): (3, 100), (1, A): (5, 110)}),
        past_log(3, {(0, A): (1, 120)}),
    ]
    past = Past(logs, 9, 2)
    assert past.others == logs[:1]
    assert past.alike == logs[1:]
    assert past.same is None
    assert past.starts(A) == {2: 0, 3: 6}
    assert past.resumed(A, base=8) == Resumed(8, -1, 120, {})
    assert Past(logs, 9, 3).alike == []


def test_logs_without_anything_do_not_matter() -> None:
    nothing = PastLog(4, {0: 0, 1: 0}, {})
    past = Past([past_log(3, {(0, A): (1, 120)}), nothing], 4, 2)
    assert [each.log for each in past.logs] == [3]
    assert past.same is None
    assert Past([nothing], 4, 2).logs == []


def test_a_source_goes_on_where_all_of_its_rows_are_stored() -> None:
    told = {(0, A): (7, 130), (1, A): (4, 110), (0, B): (3, 100)}
    past = Past([past_log(5, told)], 5, 2)
    assert past.same is not None
    assert past.cut(A) == 4
    assert past.resumed(A, base=0) == Resumed(0, 4, 110, {"accepted": 4})
    assert past.cut(B) == -1, "partition 1 of weighed was told nothing of it"
    assert past.resumed(B, base=0) == Resumed(0, -1, 0, {})
    assert past.applied(0) == {A: 7, B: 3}
    assert (past.position(0), past.position(1)) == (4, 4)


def test_in_another_layout_a_source_has_the_time_that_all_had() -> None:
    told = {(0, A): (7, 130), (1, A): (7, 120), (0, B): (3, 100), (0, (MENTION, 0)): (2, 90)}
    past = Past([past_log(5, told)], 6, 3)
    assert past.resumed((LIKE, 2), base=0).clock == 100
    assert past.resumed((LIKE, 2), base=0, newest=115).clock == 115
    assert past.resumed((MENTION, 1), base=0).clock == 0, "one partition of it never spoke"


def test_no_clock_goes_back() -> None:
    told = {(0, A): (7, 130), (1, A): (7, 120), (1, B): (3, 100)}
    log = past_log(5, told, clocks={0: 140, 1: 90})
    past = Past([log], 6, 2)
    assert past.clock(0, {}) == (140, {A: 130}), "scores were published with it"
    assert past.clock(1, {}) == (100, {A: 120, B: 100})
    other = Past([log], 6, 3)
    resumed = {source: other.resumed(source, 0) for source in other.sources}
    clock, sources = other.clock(2, resumed)
    assert clock == 140
    assert sources == {(LIKE, p): 100 for p in range(3)}
