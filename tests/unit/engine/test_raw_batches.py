"""What a fetch covers, whatever it holds: markers, aborted transactions, pieces, blocks."""

import struct
from collections.abc import Callable
from typing import Any

import cramjam
import pytest

from streams.core.records import Record
from streams.engine import raw_batches, raw_codecs
from streams.engine.raw_batches import Unusual, read
from streams.engine.raw_codecs import LARGEST_BATCH, TooLarge, Undecodable, decompressed
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


_PACK: dict[int, Callable[[bytes], Any]] = {
    1: cramjam.gzip.compress,
    2: cramjam.snappy.compress_raw,
    3: cramjam.lz4.compress,
    4: cramjam.zstd.compress,
}


@pytest.mark.parametrize("codec", _PACK)
@pytest.mark.parametrize("size", [0, 1, 70_000, 9_000_000])
def test_what_compresses_very_well_is_still_read(codec: int, size: int) -> None:
    assert decompressed(codec, memoryview(bytes(_PACK[codec](bytes(size))))) == bytes(size)


@pytest.mark.parametrize("codec", _PACK)
def test_a_batch_may_not_become_larger_than_any_producer_makes_it(codec: int) -> None:
    largest = bytes(_PACK[codec](bytes(LARGEST_BATCH)))
    assert len(decompressed(codec, memoryview(largest))) == LARGEST_BATCH
    larger = bytes(_PACK[codec](bytes(LARGEST_BATCH + 1)))
    with pytest.raises(TooLarge, match="become more than 64 MB"):
        decompressed(codec, memoryview(larger))


def test_blocks_of_snappy_are_limited_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_codecs, "LARGEST_BATCH", 100)
    block = bytes(cramjam.snappy.compress_raw(bytes(60)))
    framed = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
    framed += struct.pack(">i", len(block)) + block
    assert decompressed(2, memoryview(framed)) == bytes(60)
    with pytest.raises(TooLarge):
        decompressed(2, memoryview(framed + struct.pack(">i", len(block)) + block))


def test_a_batch_that_is_too_large_is_one_record_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, bad = batch(records(0, 1)), batch(records(2, 200), codec=4)
    monkeypatch.setattr(raw_codecs, "LARGEST_BATCH", 50)
    (found,) = read(good + bad + batch(records(201, 201)), 0)
    assert (found.first, found.last) == (0, 201)
    assert list(found.records.offsets) == [0, 1, 200, 201]
    text = (found.records[2].value or b"").decode()
    assert text.startswith("199 records left out, a batch of ")
    assert found.records[2].key is None
    assert found.records[2].headers == ()


@pytest.mark.parametrize("offset", [-1, (1 << 63) - 1])
def test_offsets_that_cannot_be_are_unusual(offset: int) -> None:
    raw = bytearray(batch(records(0, 1)))
    struct.pack_into(">q", raw, 0, offset)  # no checksum covers it
    with pytest.raises(Unusual, match="header is malformed"):
        list(read(bytes(raw), 0))


def test_a_header_with_more_bits_than_a_number_has() -> None:
    raw = bytearray(batch([Record(0, 0, None, None, (("k", b"v"),))]))
    size = raw.index(b"k") - 1
    wide = b"\x82" + 8 * b"\x80" + b"\x7e"  # 1, and bits beyond the 64th
    raw[size : size + 1] = wide
    raw[61] += 2 * (len(wide) - 1)
    struct.pack_into(">i", raw, 8, len(raw) - 12)
    [piece] = read(checked(raw), 0)
    assert piece.records[0].headers == (("k", b"v"),)
