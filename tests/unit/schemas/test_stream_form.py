"""Streams written and read by their form: Arrow writes and reads the same."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.stream_form import Buffer, Found, StreamForm
from schemas.texts import TextColumn

Record = tuple[int, int, bool, str, str | None]

KEY = b"note"
SCHEMA = pa.schema(
    [
        pa.field("long", pa.int64(), False),
        pa.field("small", pa.uint16(), False),
        pa.field("flag", pa.bool_(), False),
        pa.field("text", pa.string(), False),
        pa.field("maybe", pa.string(), True),
    ]
)
FORM = StreamForm(SCHEMA, KEY)
DTYPES: tuple[Any, ...] = (np.int64, np.uint16, np.bool_)

texts = st.text(st.characters(codec="utf-8"), max_size=9)
records: st.SearchStrategy[list[Record]] = st.lists(
    st.tuples(
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.integers(0, (1 << 16) - 1),
        st.booleans(),
        texts,
        st.none() | texts,
    ),
    max_size=20,
)
SOME: list[Record] = [(7, 8, True, "zoë", None), (-1, 9, False, "", "x"), (0, 0, True, "b", "")]


def written(rows: Sequence[Record], note: bytes = b"{}") -> bytes:
    """The stream of ``rows`` as the form writes it."""
    missing: list[int] = []
    buffers: list[Buffer] = []
    for place, dtype in enumerate(DTYPES):
        numbers = np.array([row[place] for row in rows], dtype)
        missing.append(0)
        buffers += [None, np.packbits(numbers, bitorder="little") if place == 2 else numbers]
    for place in (3, 4):
        lost, more = TextColumn.of([row[place] for row in rows]).to_buffers()  # type: ignore[misc]
        missing.append(lost)
        buffers += more
    return FORM.write(note, len(rows), missing, buffers)


def by_arrow(rows: Sequence[Record], note: bytes = b"{}", **options: Any) -> bytes:
    """The stream of ``rows`` as Arrow's own writer writes it, the note with the same blanks."""
    schema = SCHEMA.with_metadata({KEY: note.ljust(-(-max(1, len(note)) // 64) * 64)})
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def rows_in(data: bytes, found: Found) -> list[tuple[Any, ...]]:
    """The rows at the places that the form found, from nothing but the bytes there."""
    spans = iter(
        data[start : start + size] for start, size in zip(found.starts, found.sizes, strict=True)
    )
    if not found.rows:
        return []
    columns: list[list[Any]] = []
    for place in range(len(SCHEMA)):
        validity, values = next(spans), next(spans)
        if place == 2:
            columns.append([bool(values[i >> 3] >> (i & 7) & 1) for i in range(found.rows)])
        elif place < 2:
            columns.append([n for (n,) in struct.iter_unpack("<" + "qH"[place], values)])
        else:
            places, text = struct.unpack(f"<{found.rows + 1}i", values), next(spans)
            column: list[Any] = [text[a:b].decode() for a, b in pairwise(places)]
            for i in range(found.rows):
                if validity and not validity[i >> 3] >> (i & 7) & 1:
                    column[i] = None
            columns.append(column)
    return list(zip(*columns, strict=True))


def arrow_rows(data: bytes) -> list[tuple[Any, ...]] | None:
    """The rows as Arrow reads them; None if it refuses the stream."""
    try:
        with pa.ipc.open_stream(data) as reader:
            batches = list(reader)
        for batch in batches:
            batch.validate(full=True)
        rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    except (pa.ArrowException, OSError, ValueError):
        return None
    return rows


@given(records, st.binary(max_size=300).filter(lambda note: b"\0" not in note))
def test_it_writes_what_arrow_writes_and_reads_it(rows: list[Record], note: bytes) -> None:
    data = written(rows, note)
    assert data == by_arrow(rows, note)
    found = FORM.read(data)
    assert found is not None
    assert found.note.rstrip(b" ") == note.rstrip(b" ")
    assert len(found.note) % 64 == 0
    assert found.rows == len(rows)
    assert found.missing == (0, 0, 0, 0, sum(row[4] is None for row in rows))
    assert rows_in(data, found) == rows


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 4096, 65_536])
def test_a_note_of_any_usual_size(size: int) -> None:
    note = b"n" * size
    found = FORM.read(written(SOME, note))
    assert found is not None
    assert found.note.rstrip() == note


def test_a_note_that_is_too_long_is_left_to_arrow() -> None:
    note = b"n" * 65_537
    data = written(SOME, note)
    assert FORM.read(data) is None
    assert data == by_arrow(SOME, note)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 65, 1009, 5000])
def test_many_rows(count: int) -> None:
    rows: list[Record] = [(i, i, i % 3 == 0, str(i), None if i % 5 else "é") for i in range(count)]
    data = written(rows)
    assert data == by_arrow(rows)
    found = FORM.read(data)
    assert found is not None
    assert rows_in(data, found) == rows


def test_everything_missing() -> None:
    rows: list[Record] = [(1, 2, False, "t", None)] * 9
    data = written(rows)
    assert data == by_arrow(rows)
    found = FORM.read(data)
    assert found is not None
    assert found.missing == (0, 0, 0, 0, 9)


@given(records)
def test_a_stream_that_ends_early_or_goes_on_is_none_of_its_form(rows: list[Record]) -> None:
    data = written(rows)
    for size in {0, 1, 8, len(data) // 2, len(data) - 8, len(data) - 1}:
        assert FORM.read(data[:size]) is None
    for more in (b"\0", b"\xff\xff\xff\xff\0\0\0\0", data):
        assert FORM.read(data + more) is None


@given(
    records,
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_what_it_reads_of_a_damaged_stream_lies_inside(
    rows: list[Record], damage: list[tuple[int, int]]
) -> None:
    data = bytearray(written(rows))
    for place, byte in damage:
        data[place % len(data)] = byte
    found = FORM.read(bytes(data))
    if found is None:
        return
    # every size is that of the rows, so no value is looked for behind its buffer
    assert found.rows == len(rows)
    for start, size in zip(found.starts, found.sizes, strict=True):
        assert 0 <= start <= start + size <= len(data)
    expected = arrow_rows(bytes(data))
    if expected is not None:
        assert rows_in(bytes(data), found) == expected


def numbers_of(data: bytes) -> list[int]:
    """Where the numbers of the batch's message stand: a 64-bit number at each of these places."""
    start = len(written([])) - len(FORM._nothing)  # behind the message of the schema
    return list(range(start + 8, start + len(FORM._message) - 7, 4))


@pytest.mark.parametrize("number", [-(1 << 63), -1, 0, 1, 2, 4, 1 << 31, 1 << 40, (1 << 63) - 1])
def test_each_number_of_a_message_replaced(number: int) -> None:
    whole = written(SOME)
    for place in numbers_of(whole):
        data = bytearray(whole)
        struct.pack_into("<q", data, place, number)
        found = FORM.read(bytes(data))
        if found is None:
            continue
        assert found.rows == len(SOME)
        assert all(0 <= lost <= found.rows for lost in found.missing)
        assert max(map(sum, zip(found.starts, found.sizes, strict=True))) <= len(data)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_compressed_body_is_left_to_arrow(compression: str) -> None:
    assert FORM.read(by_arrow(SOME * 50, compression=compression)) is None


def test_several_batches_and_none_are_left_to_arrow() -> None:
    for count in (0, 2):
        sink = pa.BufferOutputStream()
        schema = SCHEMA.with_metadata({KEY: b" " * 64})
        with pa.ipc.new_stream(sink, schema) as writer:
            for _ in range(count):
                writer.write_batch(pa.RecordBatch.from_pylist([], schema))
        assert FORM.read(bytes(sink.getvalue())) is None


@pytest.mark.parametrize(
    "schema",
    [
        pa.schema(list(SCHEMA)[:-1]),
        pa.schema(list(SCHEMA)[::-1]),
        pa.schema([*list(SCHEMA)[:-1], pa.field("maybe", pa.string(), False)]),
        pa.schema([*list(SCHEMA)[:-1], pa.field("other", pa.string(), True)]),
        pa.schema([pa.field("long", pa.uint64(), False), *list(SCHEMA)[1:]]),
    ],
    ids=["fewer", "other order", "not optional", "other name", "other type"],
)
def test_another_schema_is_left_to_arrow(schema: Any) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema.with_metadata({KEY: b" " * 64})) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([], schema))
    data = bytes(sink.getvalue())
    assert FORM.read(data) is None
    assert arrow_rows(data) == []


def test_another_key_is_left_to_arrow() -> None:
    data = written(SOME)
    assert FORM.read(data.replace(KEY, b"nope")) is None
    assert StreamForm(SCHEMA, b"nope").read(data) is None
