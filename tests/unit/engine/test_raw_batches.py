"""What a fetch covers, whatever it holds: markers, aborted transactions, pieces, blocks."""

import struct

import cramjam
import pytest

from streams.core.records import Record
from streams.engine import raw_batches
from streams.engine.raw_batches import Unusual, read
from streams.engine.raw_codecs import Undecodable, decompressed
from tests.support.kafka_batches import ABORT, COMMIT, TRANSACTIONAL, batch, checked, marker


def records(first: int, last: int) -> list[Record]:
    return [Record(offset, offset, None, b"%d" % offset) for offset in range(first, last + 1)]


def covered(
    data: bytes, position: int, aborted: tuple[tuple[int, int], ...] = ()
) -> list[tuple[int, int, list[int]]]:
    return [(p.first, p.last, p.records.offsets.tolist()) for p in read(data, position, aborted)]


def test_markers_alone_move_the_position() -> None:
    assert covered(marker(5, 1, COMMIT), 5) == [(5, 5, [])]


def test_what_was_aborted_is_covered_but_not_read() -> None:
    data = b"".join(
        [
            batch(records(0, 1), producer=1, attributes=TRANSACTIONAL),
            batch(records(2, 3), producer=2, attributes=TRANSACTIONAL),
            marker(4, 1, ABORT),
            marker(5, 2, COMMIT),
            batch(records(6, 7), producer=1, attributes=TRANSACTIONAL),
            marker(8, 1, COMMIT),
            batch(records(9, 9)),
            batch(records(10, 10), producer=1, attributes=TRANSACTIONAL),
            marker(11, 1, ABORT),
        ]
    )
    assert covered(data, 0, ((1, 10), (1, 0))) == [(0, 11, [2, 3, 6, 7, 9])]
    assert covered(data, 0) == [(0, 11, [0, 1, 2, 3, 6, 7, 9, 10])]


def test_a_commit_does_not_end_what_is_aborted() -> None:
    data = marker(0, 1, COMMIT) + batch(records(1, 1), producer=1, attributes=TRANSACTIONAL)
    assert covered(data, 0, ((1, 0),)) == [(0, 1, [])]


def test_offsets_that_were_compacted_away_are_covered() -> None:
    raw = bytearray(batch(records(3, 4)))
    struct.pack_into(">i", raw, 23, 9)  # the last offset's difference
    assert covered(checked(raw), 1) == [(1, 12, [3, 4])]


def test_an_incomplete_batch_is_not_covered() -> None:
    whole = batch(records(0, 3))
    assert covered(whole + batch(records(4, 9))[:-1], 0) == [(0, 3, [0, 1, 2, 3])]
    assert covered(whole[:-1], 0) == []


def test_a_large_fetch_is_cut_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_batches, "LARGEST_PIECE", 1)
    data = batch(records(0, 1)) + marker(2, 1, COMMIT) + batch(records(3, 4), codec=4)
    assert covered(data + marker(5, 1, COMMIT), 1) == [(1, 1, [1]), (2, 5, [3, 4])]


@pytest.mark.parametrize("place", [16, 57])
def test_another_format_or_number_of_records_is_unusual(place: int) -> None:
    raw = bytearray(batch(records(0, 0)))
    raw[place] ^= 0x81
    with pytest.raises(Unusual):
        list(read(checked(raw), 0))


def test_a_codec_that_nobody_knows_is_unusual() -> None:
    with pytest.raises(Unusual, match="codec 7"):
        list(read(batch(records(0, 0), attributes=7), 0))


def test_snappy_comes_in_one_block_or_in_several() -> None:
    block = bytes(cramjam.snappy.compress_raw(b"abcd" * 9))
    framed = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
    framed += 2 * (struct.pack(">i", len(block)) + block)
    assert decompressed(2, memoryview(block)) == b"abcd" * 9
    assert decompressed(2, memoryview(framed)) == b"abcd" * 18
    with pytest.raises(Undecodable, match="not complete"):
        decompressed(2, memoryview(framed[:-1]))
