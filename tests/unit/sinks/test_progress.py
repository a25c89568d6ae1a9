"""First occurrence wins, holes are passed over: by hand and for every order of sending again."""

from hypothesis import given
from hypothesis import strategies as st

from streams.sinks.progress import Progress
from tests.support.weighed import Row, frame, numbered

ROWS = numbered([Row(actor=f"a{i}") for i in range(8)])


def part(first: int, last: int) -> list[Row]:
    return ROWS[first : last + 1]


def test_a_frame_is_taken_once() -> None:
    progress = Progress()
    taken = progress.take(frame(part(0, 2)))
    assert taken is not None
    assert taken.columns["offset"].tolist() == [0, 1, 2]
    assert progress.take(frame(part(0, 2))) is None


def test_of_an_overlapping_frame_the_new_rows_are_taken() -> None:
    progress = Progress()
    progress.take(frame(part(0, 2)))
    taken = progress.take(frame(part(1, 5)))
    assert taken is not None
    assert taken.columns["offset"].tolist() == [3, 4, 5]


def test_a_hole_is_passed_over_until_it_is_sent_again() -> None:
    progress = Progress()
    progress.take(frame(part(0, 1)))
    assert progress.take(frame(part(4, 5))) is None
    assert progress.holes == 1
    taken = progress.take(frame(part(2, 5)))
    assert taken is not None
    assert taken.columns["offset"].tolist() == [2, 3, 4, 5]


def test_an_empty_frame_moves_the_source_on() -> None:
    progress = Progress()
    assert progress.take(frame([], source=0, first=0, last=9, clock=5)) is None
    (source,) = progress.sources.values()
    assert (source.applied, source.clock) == (9, 5)
    assert progress.holes == 0


def test_sources_do_not_mix() -> None:
    progress = Progress()
    progress.take(frame(part(0, 3)))
    other = numbered([Row(source=1)])
    assert progress.take(frame(other)) is not None
    assert len(progress.sources) == 2


def test_values_come_back_as_they_were() -> None:
    progress = Progress(claim=3, next_offset=7, holes=1)
    progress.take(frame(part(0, 3)))
    progress.take(frame(numbered([Row(source=6)])))
    assert Progress.of_values(list(progress.values().values())) == progress


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_whatever_is_sent_again_rows_come_once_and_in_order(ranges: list[tuple[int, int]]) -> None:
    progress = Progress()
    offsets: list[int] = []
    for first, last in [*ranges, (0, 7)]:
        taken = progress.take(frame(part(min(first, last), max(first, last))))
        if taken is not None:
            offsets += taken.columns["offset"].tolist()
    assert offsets == list(range(8))


def test_a_log_whose_beginning_is_gone_is_read_from_where_it_begins() -> None:
    progress = Progress()
    taken = progress.take(frame(part(4, 5)), begins_late=True)
    assert taken is not None
    assert (len(taken), progress.lost, progress.holes) == (2, 4, 0)
    assert progress.take(frame(part(7, 7)), begins_late=True) is None, "a hole behind the beginning"
    assert progress.holes == 1


def test_an_accepted_loss_is_counted() -> None:
    progress = Progress()
    progress.take(frame(part(0, 1)))
    assert progress.take(frame(part(5, 6)), accept_loss=True) is not None
    assert (progress.lost, progress.holes) == (3, 0)


def test_a_hole_in_a_new_source_leaves_it_unknown() -> None:
    progress = Progress()
    assert progress.take(frame(part(3, 4))) is None
    assert progress.sources == {}
