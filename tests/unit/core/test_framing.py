"""Frames cover a source's offsets without gap or overlap, for every target partition."""

from schemas.frames import ROW_SCHEMA, Columns, Frame, columns_of, decode_frame
from schemas.topics import LARGEST_RECORD, Topic
from streams.core.framing import LARGEST_FRAME, FrameBuilder
from streams.kernels.seen import LARGEST_RECORD as MOST_PARTS
from tests.support.interactions import NOON
from tests.support.rows import Row


def row(offset: int, part: int = 0, name: str = "robin") -> Row:
    values: dict[str, object] = {
        **dict.fromkeys(ROW_SCHEMA.names, 0),
        "offset": offset,
        "part": part,
        "actor": "twitter:ada",
        "target": f"twitter:{name}",
        "object": None,
        "undo": False,
    }
    return tuple(values.values())


def builder(partitions: int = 2, applied: int = -1) -> FrameBuilder:
    return FrameBuilder(Topic.RETWEET, 1, partitions, model=1, applied=applied)


def to_first(*rows: Row) -> dict[int, Columns]:
    """Rows for the first target partition."""
    return {0: columns_of(list(rows))}


def ranges(frames: list[tuple[int, Frame]]) -> list[tuple[int, int, int, int]]:
    """Target partition, first, last, number of rows."""
    return [(q, f.header.first, f.header.last, len(f)) for q, f in frames]


def test_nothing_applied_is_nothing_to_tell() -> None:
    assert builder().take(0.0, everything=True) == []


def test_the_first_frame_starts_behind_what_is_known() -> None:
    frames = builder(applied=9)
    frames.add(to_first(row(12)), 14, NOON, {"accepted": 1})
    assert ranges(frames.take(0.0, everything=False)) == [(0, 10, 14, 1), (1, 10, 14, 0)]


def test_rows_go_at_once_and_emptiness_once_a_second() -> None:
    frames = builder()
    frames.add(to_first(row(0)), 0, NOON, {})
    assert ranges(frames.take(0.0, everything=False)) == [(0, 0, 0, 1), (1, 0, 0, 0)]
    frames.add(to_first(row(1)), 1, NOON, {})
    assert ranges(frames.take(0.5, everything=False)) == [(0, 1, 1, 1)]
    frames.add({}, 2, NOON, {})
    assert ranges(frames.take(1.0, everything=False)) == [(1, 1, 2, 0)]
    assert ranges(frames.take(1.5, everything=False)) == [(0, 2, 2, 0)]


def test_who_waits_says_so_at_once_and_once_a_second() -> None:
    frames = builder(applied=4)
    frames.add({}, 4, NOON, {})
    assert frames.take(0.0, everything=True) == []
    assert ranges(frames.take(0.0, everything=True, waiting=True)) == [(0, 5, 4, 0), (1, 5, 4, 0)]
    assert frames.take(0.5, everything=True, waiting=True) == []
    frames.add({}, 4, NOON + 1, {})
    told = frames.take(0.6, everything=True, waiting=True)
    assert [frame.header.clock for _, frame in told] == [NOON + 1] * 2
    assert len(frames.take(1.6, everything=True, waiting=True)) == 2


def test_before_a_checkpoint_everybody_is_told_everything_once() -> None:
    frames = builder()
    frames.add(to_first(row(0)), 0, NOON, {})
    frames.take(0.0, everything=False)
    frames.add({}, 5, NOON, {})
    assert ranges(frames.take(0.1, everything=True)) == [(0, 1, 5, 0), (1, 1, 5, 0)]
    assert frames.take(0.2, everything=True) == []


def test_rows_of_several_batches_share_a_frame() -> None:
    frames = builder(partitions=1)
    frames.add(to_first(row(0), row(2)), 3, NOON, {})
    frames.add(to_first(row(4)), 8, NOON, {})
    ((_, frame),) = frames.take(0.0, everything=False)
    assert (frame.header.first, frame.header.last) == (0, 8)
    assert frame.columns["offset"].tolist() == [0, 2, 4]


def test_the_header_says_what_the_source_had_reached() -> None:
    frames = builder(partitions=1)
    totals = {"accepted": 1}
    frames.add(to_first(row(0)), 0, NOON, totals)
    totals["accepted"] = 99
    ((_, frame),) = frames.take(0.0, everything=False)
    header = decode_frame(frame.encode()).header
    assert (header.topic, header.partition, header.model) == (Topic.RETWEET, 1, 1)
    assert (header.clock, header.totals) == (NOON, {"accepted": 1})


def test_what_does_not_fit_one_frame_becomes_several_without_gap() -> None:
    frames = builder(partitions=1)
    frames.add(to_first(row(0)), 0, NOON - 1, {"accepted": 1})
    frames.take(0.0, everything=False)
    size = 20_000
    frames.add(
        to_first(*(row(2 * i + 1) for i in range(size))), 2 * size, NOON, {"accepted": 1 + size}
    )
    taken = [frame for _, frame in frames.take(0.0, everything=False)]
    assert len(taken) > 1
    assert sum(map(len, taken)) == size
    assert [f.header.first for f in taken[1:]] == [f.header.last + 1 for f in taken[:-1]]
    assert (taken[0].header.first, taken[-1].header.last) == (1, 2 * size)
    for frame in taken[:-1]:
        assert frame.header.last == frame.columns["offset"][-1]
        assert (frame.header.clock, frame.header.totals) == (NOON - 1, {"accepted": 1})
    assert (taken[-1].header.clock, taken[-1].header.totals) == (NOON, {"accepted": 1 + size})


def test_rows_of_one_offset_are_never_split() -> None:
    frames = builder(partitions=1)
    rows = [row(o, part, "r" * 500) for o in range(4) for part in range(MOST_PARTS)]
    frames.add(to_first(*rows), 3, NOON, {})
    taken = [frame for _, frame in frames.take(0.0, everything=False)]
    offsets = [set(frame.columns["offset"].tolist()) for frame in taken]
    assert len(taken) > 1
    assert sum(map(len, offsets)) == len(set().union(*offsets)) == 4


def test_rows_of_one_offset_stay_together_even_if_they_are_too_many() -> None:
    frames = builder(partitions=1)
    frames.add(to_first(*(row(0, part, "r" * 500) for part in range(2000))), 0, NOON, {})
    assert ranges(frames.take(0.0, everything=False)) == [(0, 0, 0, 2000)]


def test_the_largest_frames_fit_into_a_record() -> None:
    name = "\N{BUTTERFLY}" * 504
    frames = builder(partitions=1)
    frames.add(to_first(*(row(o, 0, name) for o in range(2000))), 1999, NOON, {})
    frames.add(to_first(*(row(2000, part, name) for part in range(MOST_PARTS))), 2000, NOON, {})
    taken = [frame for _, frame in frames.take(0.0, everything=False)]
    assert max(len(frame.encode()) for frame in taken) > LARGEST_FRAME
    assert all(len(frame.encode()) < LARGEST_RECORD for frame in taken)
