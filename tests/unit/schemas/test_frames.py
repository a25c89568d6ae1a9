"""Frames as they travel, those of the first version too."""

from itertools import accumulate

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import ROW_SCHEMA, Frame, decode_frame
from tests.support.weighed import Row, frame, numbered


def with_columns(names: list[str]) -> bytes:
    """A frame of two rows that has only the columns ``names``."""
    whole = frame(numbered([Row(), Row(undo=True)]))
    schema = pa.schema(
        [ROW_SCHEMA.field(name) for name in names],
        metadata={b"renown": msgspec.json.encode(whole.header)},
    )
    batch = pa.record_batch(
        [pa.array(whole.columns[field.name], field.type) for field in schema], schema=schema
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def test_a_frame_of_the_first_version_has_zeros_in_the_columns_added_since() -> None:
    frame = decode_frame(with_columns(ROW_SCHEMA.names[:-2]))
    assert frame.columns["undo"].tolist() == [False, True]
    assert frame.columns["undone_at"].tolist() == [0, 0]
    assert frame.columns["whole_record"].tolist() == [False, False]


@pytest.mark.parametrize("names", [ROW_SCHEMA.names[1:], ROW_SCHEMA.names[::-1], []])
def test_other_columns_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="unknown columns"):
        decode_frame(with_columns(names))


def some_rows(count: int) -> Frame:
    return frame(numbered([Row(undo=place % 3 == 1) for place in range(count)]))


def in_batches(sizes: list[int], **changed: list[None]) -> bytes:
    """A frame written by somebody else: in batches of ``sizes`` rows; ``changed`` columns."""
    whole = some_rows(max(1, sum(sizes)))
    schema = ROW_SCHEMA.with_metadata({b"renown": msgspec.json.encode(whole.header)})
    columns = {name: values.tolist() for name, values in whole.columns.items()} | changed
    table = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for first, size in zip(accumulate(sizes, initial=0), sizes, strict=False):
            for batch in table.slice(first, size).to_batches():
                writer.write_batch(batch)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("sizes", [[], [3], [9, 8], [1, 0, 20]])
def test_a_frame_may_come_in_several_batches(sizes: list[int]) -> None:
    decoded = decode_frame(in_batches(sizes))
    assert len(decoded) == sum(sizes)
    for name, values in some_rows(max(1, sum(sizes))).columns.items():
        assert decoded.columns[name].tolist() == values[: sum(sizes)].tolist(), name


@pytest.mark.parametrize("name", ["offset", "undo", "actor"])
def test_a_missing_value_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="without some values"):
        decode_frame(in_batches([2], **{name: [None, None]}))


@given(
    st.integers(1, 30),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4),
)
def test_a_damaged_frame_is_refused_or_is_one(rows: int, damage: list[tuple[int, int]]) -> None:
    data = bytearray(some_rows(rows).encode())
    for place, byte in damage:
        data[place % len(data)] = byte
    try:
        decoded = decode_frame(bytes(data))
    except ValueError:
        return
    for name, values in decoded.columns.items():
        assert len(values.tolist()) == len(decoded), name
