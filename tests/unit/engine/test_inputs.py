"""Missing records are read again; gaps of the log itself are accepted after one look."""

from faust.types import TP

from streams.core.records import Record, RecordColumns
from streams.engine.inputs import FetchedBatch, Inputs

TP_ = TP("interactions.like", 0)


def batch(inputs: Inputs, first: int, last: int) -> FetchedBatch:
    records = [Record(offset, 0, None, b"{}", ()) for offset in (first, last)]
    return FetchedBatch(TP_, first, last, RecordColumns.of(records), inputs.seeks[TP_])


def test_a_batch_that_goes_on_has_no_gap() -> None:
    inputs = Inputs(frozenset())
    assert not inputs.gap(batch(inputs, 5, 9), 5)
    assert not inputs.gap(batch(inputs, 3, 9), 5)


def test_a_gap_is_read_again_until_a_seek_shows_that_it_is_real() -> None:
    inputs = Inputs(frozenset())
    stale = batch(inputs, 7, 9)
    assert inputs.gap(stale, 5)
    assert inputs.gap(stale, 5), "fetched before the seek: proves nothing"
    inputs.seeks[TP_] += 1
    assert inputs.gap(stale, 5), "still the batch from before the seek"
    assert not inputs.gap(batch(inputs, 7, 9), 5), "after the seek the gap is the log's own"


def test_a_gap_closed_by_reading_again_is_forgotten() -> None:
    inputs = Inputs(frozenset())
    assert inputs.gap(batch(inputs, 7, 9), 5)
    inputs.seeks[TP_] += 1
    assert not inputs.gap(batch(inputs, 5, 9), 5)
    inputs.seeks[TP_] += 1
    assert inputs.gap(batch(inputs, 12, 13), 10), "another gap is looked at anew"
