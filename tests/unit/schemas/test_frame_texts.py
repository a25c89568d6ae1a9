"""Frames whose texts cannot be: refused before anybody looks for a text by its places."""

import struct
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import _FORM, ROW_SCHEMA, Frame, columns_of, decode_frame
from schemas.texts import TextColumn
from tests.support.weighed import Row, frame, numbered

VALIDITY, PLACES, TEXT = range(3)


def three(actor: str = "zoë") -> Frame:
    """A frame of three rows, of which the second has no object."""
    plain = frame(numbered([Row(actor=actor), Row(), Row(undo=True)]))
    texts = TextColumn.of(["post é", None, "p"])
    return Frame(plain.header, plain.columns | {"object": texts})


def buffer_of(data: bytes, name: str, part: int) -> tuple[int, int]:
    """Where the buffer of a column of texts begins in a frame, and its bytes."""
    found = _FORM.read(data)
    assert found is not None
    at = sum(3 if pa.types.is_string(f.type) else 2 for f in _before(name)) + part
    return found.starts[at], found.sizes[at]


def _before(name: str) -> list[Any]:
    return list(ROW_SCHEMA)[: ROW_SCHEMA.names.index(name)]


def damaged(name: str, part: int, at: int, new: bytes) -> bytes:
    """``three()`` with ``new`` at byte ``at`` of a buffer."""
    data = bytearray(three().encode())
    start, size = buffer_of(bytes(data), name, part)
    assert at + len(new) <= size
    data[start + at : start + at + len(new)] = new
    return bytes(data)


@pytest.mark.parametrize("name", ["actor", "target", "object"])
@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 1), (0, -1), (1, -1), (1, 1 << 30), (2, 1 << 30), (2, 0), (3, 1 << 30), (3, 0), (3, -1)],
)
def test_places_that_cannot_be_are_refused(name: str, place: int, value: int) -> None:
    with pytest.raises(ValueError, match="texts at places that cannot be"):
        decode_frame(damaged(name, PLACES, 4 * place, struct.pack("<i", value)))


def test_a_text_that_begins_within_a_character_is_refused() -> None:
    assert three().columns["actor"].places.tolist() == [0, 4, 7, 10]  # z, o, ë of two bytes
    with pytest.raises(ValueError, match="begins within a character"):
        decode_frame(damaged("actor", PLACES, 4, struct.pack("<i", 3)))


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5"])
@pytest.mark.parametrize("name", ["actor", "object"])
def test_what_is_not_utf_8_is_refused(name: str, bad: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        decode_frame(damaged(name, TEXT, 0, bad))


@pytest.mark.parametrize("bits", [0b000, 0b001, 0b111, 0b110, 0b010])
def test_another_number_of_missing_texts_than_told_is_refused(bits: int) -> None:
    data = damaged("object", VALIDITY, 0, bytes([bits]))
    if bits.bit_count() == 2:
        assert sum(text is None for text in decode_frame(data).columns["object"].tolist()) == 1
    else:
        with pytest.raises(ValueError, match="does not lack 1 texts"):
            decode_frame(data)


@pytest.mark.parametrize("name", ["actor", "target"])
def test_a_frame_of_several_batches_is_looked_into_before_they_are_joined(name: str) -> None:
    whole = three()
    schema = ROW_SCHEMA.with_metadata({b"renown": msgspec.json.encode(whole.header)})
    arrays = [
        column.to_arrow() if isinstance(column, TextColumn) else pa.array(column, f.type)
        for f, column in zip(ROW_SCHEMA, whole.columns.values(), strict=True)
    ]
    arrays[ROW_SCHEMA.names.index(name)] = pa.array(["ab", "cd", "ef"])
    good = pa.record_batch(arrays, schema=schema).serialize().to_pybytes()
    honest, lying = (np.array(p, np.int32).tobytes() for p in ([2, 4, 6], [2, 1 << 30, 1 << 30]))
    assert good.count(honest) == 1
    bad = good.replace(honest, lying)
    start, end = schema.serialize().to_pybytes(), b"\xff\xff\xff\xff\0\0\0\0"
    assert len(decode_frame(start + good + good + end)) == 6
    for batches in (good + bad, bad + good):
        with pytest.raises(ValueError, match="not a frame of weighed interactions"):
            decode_frame(start + batches + end)


def test_a_header_that_is_nested_too_deep_is_refused() -> None:
    good = three()
    header = b'{"more":' + b"[" * 60_000
    for data in (header, b'{"more":' + b"[" * 70_000):
        buffers: list[Any] = []
        missing = []
        for f in ROW_SCHEMA:
            column = good.columns[f.name]
            if isinstance(column, TextColumn):
                lost, more = column.to_buffers()
            else:
                bits = pa.types.is_boolean(f.type)
                lost, more = 0, [None, np.packbits(column, bitorder="little") if bits else column]
            missing.append(lost)
            buffers += more
        with pytest.raises(ValueError, match="not a frame"):
            decode_frame(_FORM.write(data, len(good), missing, buffers))


@given(
    st.lists(
        st.tuples(st.text(max_size=5), st.text(max_size=5), st.none() | st.text(max_size=5)),
        max_size=12,
    )
)
def test_texts_come_back_as_they_went(texts: list[tuple[str, str, str | None]]) -> None:
    rows = [
        (i, 0, 1, 2, 0, 0, *three, 1, 2, 3, i % 2 == 0, 4, 5, 6, 7, i % 3 == 0)
        for i, three in enumerate(texts)
    ]
    sent = Frame(frame([], source=0, first=0, last=20, clock=1).header, columns_of(rows))
    got = decode_frame(sent.encode())
    assert got.header == sent.header
    for name, values in sent.columns.items():
        assert got.columns[name].tolist() == values.tolist(), name


def test_columns_of_more_than_2_gib_are_not_joined() -> None:
    size = (1 << 30) + 1
    data = np.broadcast_to(np.uint8(97), size)  # takes no memory
    column = TextColumn(data, np.array([0, size], np.int32))
    with pytest.raises(OverflowError, match="2 GiB"):
        TextColumn.joined([column, column])
