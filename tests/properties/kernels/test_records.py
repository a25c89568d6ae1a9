"""Records found in the bytes of a fetch are those that aiokafka finds."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.records import Headers, Record
from streams.engine.raw_batches import Unusual, read
from streams.kernels.records import Places, Spans, locate
from tests.support.kafka_batches import CODECS, HEADER, batch, checked, read_plain

MAYBE_BYTES = st.none() | st.binary(max_size=200)
HEADERS = st.lists(st.tuples(st.text(max_size=5), MAYBE_BYTES), max_size=3).map(tuple)
TIMES = st.integers(0, 1 << 45)
CONTENTS = st.lists(st.tuples(TIMES, MAYBE_BYTES, MAYBE_BYTES, HEADERS), min_size=1, max_size=9)
_LAST_OFFSET_DELTA = 23
Content = tuple[int, bytes | None, bytes | None, Headers]


def records_of(batches: list[list[Content]], start: int) -> list[list[Record]]:
    """The contents as records whose offsets follow each other, one left out after each batch."""
    result, offset = [], start
    for contents in batches:
        result.append([Record(offset + i, *content) for i, content in enumerate(contents)])
        offset += len(contents) + 1
    return result


@given(
    st.lists(CONTENTS, min_size=1, max_size=4),
    st.lists(st.sampled_from(list(CODECS.values())), min_size=4, max_size=4),
    st.integers(0, 1 << 40),
    st.data(),
)
def test_every_record_from_the_position_on(
    contents: list[list[Content]], codecs: list[int], start: int, data: st.DataObject
) -> None:
    wanted = records_of(contents, start)
    raw = b"".join(batch(r, codec) for r, codec in zip(wanted, codecs, strict=False))
    flat = [record for records in wanted for record in records]
    assert read_plain(raw) == flat
    position = data.draw(st.integers(start, flat[-1].offset))
    cut = data.draw(st.binary(max_size=40).map(lambda tail: batch(flat[:1])[: len(tail)]))
    pieces = list(read(raw + cut, position))
    assert [record for piece in pieces for record in piece.records] == [
        record for record in flat if record.offset >= position
    ]
    assert (pieces[0].first, pieces[-1].last) == (position, flat[-1].offset)


@given(CONTENTS, st.data())
def test_damaged_records_are_left_to_aiokafka_or_read_as_it_does(
    contents: list[Content], data: st.DataObject
) -> None:
    [records] = records_of([contents], 7)
    raw = bytearray(batch(records))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(HEADER, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    damaged = checked(raw)
    try:
        [piece] = read(damaged, 0)
    except Unusual:
        return
    try:
        wanted = read_plain(damaged)
    except UnicodeDecodeError:
        return  # aiokafka stops at a header whose name is no text; here it is shown with a mark
    assert list(piece.records) == wanted


@given(st.binary(max_size=60), st.integers(1, 5))
def test_any_bytes_are_read_within_their_bounds(body: bytes, number: int) -> None:
    one = np.zeros(1, np.int64)
    spans = Spans(one, one + len(body), one + number, one, one, one + 1, one + (1 << 40))
    places = Places(*(np.full(number, -9, np.int64) for _ in Places._fields))
    if locate(np.frombuffer(body, np.uint8), spans, places):
        assert (places.values + places.value_sizes.clip(0) <= len(body)).all()
        assert (places.keys + places.key_sizes.clip(0) <= len(body)).all()


@pytest.mark.parametrize("codec", CODECS.values())
def test_a_wrong_checksum_is_left_to_aiokafka(codec: int) -> None:
    raw = bytearray(batch([Record(0, 1, None, b"x" * 40)], codec))
    raw[-1] ^= 1
    with pytest.raises(Unusual, match="checksum"):
        list(read(bytes(raw), 0))


def test_a_record_beyond_the_end_of_its_batch_is_left_to_aiokafka() -> None:
    raw = bytearray(batch([Record(100, 1, None, b"a"), Record(101, 1, None, b"b")]))
    struct.pack_into(">i", raw, _LAST_OFFSET_DELTA, 0)
    with pytest.raises(Unusual, match="malformed"):
        list(read(checked(raw), 100))
